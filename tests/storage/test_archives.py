"""Archives of old machines on disk: whole or not there, and never bigger than is allowed."""

import gzip
import os
import stat

import pytest

from hexhub.archives import Archives, read_pieces
from hexhub.errors import ArchiveTooBig

MACHINE = "hexhub-012345-ada-lesson-01234567-0123456789abcdef"


def test_an_archive_is_kept_and_read(tmp_path):
    """What comes as a stream is packed, for its owner's eyes alone, and comes back as it was."""
    archives = Archives(tmp_path / "archives")
    assert archives.find(MACHINE) is None
    pieces = [os.urandom(70_000), b"", b"end"]
    made = archives.keep(MACHINE, iter(pieces), 1_000_000)
    found = archives.find(MACHINE)
    assert found is not None
    assert found.size_bytes == made.size_bytes == found.path.stat().st_size
    assert abs((found.made_at - made.made_at).total_seconds()) < 60
    assert gzip.decompress(b"".join(read_pieces(found))) == b"".join(pieces)
    assert stat.S_IMODE(found.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(found.path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("piece", [os.urandom(1000), bytes(1000)], ids=["random", "holes"])
def test_what_is_too_big_is_not_kept_and_the_older_one_stays(tmp_path, piece):
    """Neither packed nor unpacked, and a stream without an end is not read to its end."""
    archives = Archives(tmp_path)
    older = archives.keep(MACHINE, [b"older"], 5000)
    read = []

    def endless():
        while True:
            read.append(1)
            yield piece

    with pytest.raises(ArchiveTooBig):
        archives.keep(MACHINE, endless(), 5000)
    assert len(read) < 200
    assert [path.name for path in tmp_path.iterdir()] == [older.path.name]
    assert gzip.decompress(older.path.read_bytes()) == b"older"


def test_a_stream_that_breaks_leaves_nothing(tmp_path):
    """Half an archive is none."""

    def broken():
        yield b"half"
        raise OSError("Docker went away")

    with pytest.raises(OSError, match="went away"):
        Archives(tmp_path).keep(MACHINE, broken(), 5000)
    assert list(tmp_path.iterdir()) == []


def test_an_archive_is_removed(tmp_path):
    """With the student, or the server for good; one that is not there is no fault."""
    archives = Archives(tmp_path / "archives")
    archives.remove(MACHINE)
    archives.keep(MACHINE, [b"mine"], 5000)
    archives.remove(MACHINE)
    assert archives.find(MACHINE) is None


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".", "A", "a.before-1", "x" * 200])
def test_only_names_of_machines_name_archives(tmp_path, name):
    """No name leads out of the folder."""
    with pytest.raises(ValueError, match="no machine's name"):
        Archives(tmp_path).find(name)
