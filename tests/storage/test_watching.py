"""The kernel tells when one of some files is written to."""

import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hexhub.progress.watching import FolderWatch

LONG_S = 60.0


def begin_watch(folder: Path, names: frozenset[str]) -> FolderWatch:
    """Watch, as soon as the kernel has an instance left: all programs of a user share 128."""
    deadline_s = time.monotonic() + 4 * LONG_S
    while True:
        try:
            return FolderWatch(folder, names)
        except OSError as exc:
            if exc.errno != errno.EMFILE or time.monotonic() > deadline_s:
                raise
        time.sleep(0.2)


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[FolderWatch]:
    """Watch two files, of which neither is there."""
    made = begin_watch(tmp_path, frozenset({"a", "b-wal"}))
    yield made
    made.close()


def test_writing_is_told(watch: FolderWatch, tmp_path: Path) -> None:
    """Making, writing to and moving in a file that is watched end the waiting at once."""
    began_s = time.monotonic()
    (tmp_path / "b-wal").touch()
    assert watch.wait(LONG_S)
    with (tmp_path / "b-wal").open("wb", buffering=0) as file:
        file.write(b"x")
        assert watch.wait(LONG_S)
        os.pwrite(file.fileno(), b"y", 0)
        assert watch.wait(LONG_S)
    (tmp_path / "else").touch()
    (tmp_path / "else").rename(tmp_path / "a")
    assert any(watch.wait(LONG_S) for _ in range(2))
    assert time.monotonic() - began_s < LONG_S / 2


def test_other_files_are_no_news(watch: FolderWatch, tmp_path: Path) -> None:
    """What happens to other files is not told, nor is reading."""
    (tmp_path / "b").write_text("x")
    assert not watch.wait(0.05)
    (tmp_path / "a").write_text("x")
    assert watch.wait(LONG_S)
    (tmp_path / "a").read_text()
    assert not watch.wait(0.05)


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    """A folder that is missing, or is a file, cannot be watched."""
    (tmp_path / "file").touch()
    for name in ("missing", "file"):
        with pytest.raises(OSError, match="inotify_add_watch"):
            begin_watch(tmp_path / name, frozenset({"a"}))
