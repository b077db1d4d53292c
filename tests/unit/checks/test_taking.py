"""Out of a hostile tar comes what was asked for, or a sentence for the student."""

import contextlib
import io
import tarfile
from collections.abc import Iterator
from itertools import repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexhub.catalog.overlays import OverlayFile
from hexhub.checks.taking import Budget, Pattern, TakeLimits, read_submission, show_name
from hexhub.errors import CheckError, SubmissionUnusable

LIMITS = TakeLimits(
    file_bytes=1000, total_bytes=2500, files=5, seen_bytes=1024**2, seen_files=50, time_s=5
)


def entry(name: str, kind: bytes = tarfile.REGTYPE, **facts: object) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type = kind
    for key, value in facts.items():
        setattr(made, key, value)
    return made


def chunks(*entries: tuple[tarfile.TarInfo, bytes]) -> Iterator[bytes]:
    """Give a tar in small pieces, as it comes from Docker."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for member, data in entries:
            if member.isreg():
                member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    data = buffer.getvalue()
    return (data[place : place + 700] for place in range(0, len(data), 700))


def read(
    stream: Iterator[bytes], pattern: str, limits: TakeLimits = LIMITS
) -> dict[str, OverlayFile]:
    return read_submission(stream, Pattern.parse(pattern), Budget.of(limits))


@pytest.mark.parametrize(
    ("pattern", "root", "named", "not_named"),
    [
        ("a.py", "a.py", ["a.py", "a.py/x"], ["b.py", "da.py", "x/a.py"]),
        ("src", "src", ["src/a", "src/b/c"], ["srcs/a", "src2"]),
        ("src/", "src", ["src/a"], ["srcs/a"]),
        ("src/*.py", "src", ["src/a.py"], ["src/a.c", "src/x/a.py", "a.py"]),
        ("*.py", ".", ["a.py", ".py"], ["x/a.py"]),
        ("**/*.py", ".", ["a.py", "x/y/a.py"], ["a.c"]),
        ("src/**", "src", ["src/a", "src/b/c"], ["a"]),
        ("a?.py", ".", ["ab.py"], ["a.py", "a/.py"]),
        ("[ab].py", ".", ["a.py", "b.py"], ["c.py", "[ab].py"]),
        ("[!a].py", ".", ["b.py"], ["a.py", "/.py"]),
        ("a[.py", "a[.py", ["a[.py"], ["a.py"]),
        (".", ".", ["anything", "at/all"], []),
    ],
)
def test_patterns(pattern: str, root: str, named: list[str], not_named: list[str]) -> None:
    """A path names itself and all below it; ``*`` stays in its folder and ``**`` does not."""
    parsed = Pattern.parse(pattern)
    if pattern != "a[.py":
        assert str(parsed.root) == root
    assert [path for path in named if not parsed.names(path)] == []
    assert [path for path in not_named if parsed.names(path)] == []


def test_bad_pattern_is_the_authors_fault() -> None:
    """A range that runs backwards is no pattern, and not the student's doing."""
    with pytest.raises(CheckError, match="z-a"):
        Pattern.parse("[z-a].py")


def test_one_file_is_taken() -> None:
    """Docker gives one file as a tar with that one name."""
    files = read(chunks((entry("a.py", mode=0o755), b"print()")), "src/a.py")
    assert files == {"src/a.py": OverlayFile(b"print()", is_executable=True)}


def test_a_folder_is_taken_whole() -> None:
    """A literal folder is taken with everything below it."""
    stream = chunks(
        (entry("src", tarfile.DIRTYPE), b""),
        (entry("src/deep", tarfile.DIRTYPE), b""),
        (entry("src/deep/b.txt", mode=0o644), b"b"),
        (entry("src/a.py", mode=0o644), b"a"),
    )
    assert read(stream, "lib/src") == {
        "lib/src/deep/b.txt": OverlayFile(b"b"),
        "lib/src/a.py": OverlayFile(b"a"),
    }


def test_a_pattern_takes_only_what_it_names() -> None:
    """What lies beside is passed over, be it big or a link."""
    stream = chunks(
        (entry("work", tarfile.DIRTYPE), b""),
        (entry("work/big.bin"), b"x" * 5000),
        (entry("work/link", tarfile.SYMTYPE, linkname="/etc/shadow"), b""),
        (entry("work/pipe", tarfile.FIFOTYPE), b""),
        (entry("work/bad\nname"), b""),
        (entry("work/a.py"), b"a"),
    )
    assert list(read(stream, "*.py")) == ["a.py"]


@pytest.mark.parametrize(
    ("member", "data", "words"),
    [
        (entry("work/a.py", tarfile.SYMTYPE, linkname="/etc/shadow"), b"", "is a link"),
        (entry("work/a.py", tarfile.LNKTYPE, linkname="work/b"), b"", "hard link"),
        (entry("work/a.py", tarfile.FIFOTYPE), b"", "named pipe"),
        (entry("work/a.py", tarfile.CHRTYPE), b"", "a device"),
        (entry("work/a.py", tarfile.BLKTYPE), b"", "a device"),
        (entry("work/a.py"), b"x" * 1001, "too big"),
        (entry("work/two\nlines.py"), b"", "cannot be taken"),
        (entry("work/\x1b[31m.py"), b"", "cannot be taken"),
        (entry("work/../../etc/cron.py"), b"", "cannot be taken"),
        (entry("work//a.py"), b"", "cannot be taken"),
        (entry("work/" + "d/" * 600 + "a.py"), b"", "cannot be taken"),
    ],
)
def test_what_is_no_plain_file_is_refused(member: tarfile.TarInfo, data: bytes, words: str) -> None:
    """Links, pipes, devices, odd names and big files end with a sentence, never in the check."""
    with pytest.raises(SubmissionUnusable, match=words):
        read(chunks((member, data)), "**/*.py")


def test_names_that_are_no_utf8_are_refused() -> None:
    """A file name of broken bytes has no place in a report or a database."""
    plain = b"".join(chunks((entry("work/aX.py"), b"")))
    stream = iter([plain.replace(b"aX.py", b"a\xff.py", 1)])
    with pytest.raises(SubmissionUnusable):
        read(stream, "*.py")


def test_all_files_together_are_bounded() -> None:
    """Many files that are small enough each may be too much together."""
    stream = chunks(*((entry(f"work/{n}.py"), b"x" * 900) for n in range(3)))
    with pytest.raises(SubmissionUnusable, match="too big together"):
        read(stream, "*.py")


def test_the_number_of_files_is_bounded() -> None:
    """Very many tiny files are refused by their number."""
    stream = chunks(*((entry(f"work/{n}.py"), b"") for n in range(6)))
    with pytest.raises(SubmissionUnusable, match="5 files at most"):
        read(stream, "*.py")


def test_reading_stops_among_a_million_files() -> None:
    """A folder with more entries than anybody needs is not read to its end."""
    made = 0

    def endless() -> Iterator[bytes]:
        nonlocal made
        while True:
            made += 1
            yield entry(f"work/{made}").tobuf(tarfile.PAX_FORMAT)

    with pytest.raises(SubmissionUnusable, match="more than 50 files"):
        read(endless(), "*.py")
    assert made < 500


def test_reading_stops_in_a_file_without_end() -> None:
    """Ten gigabytes of zeros beside the file that is wanted cost a megabyte of reading."""
    head = entry("work/zeros", size=10 * 1024**3).tobuf(tarfile.PAX_FORMAT)
    read_chunks = 0

    def stream() -> Iterator[bytes]:
        nonlocal read_chunks
        yield head
        for zeros in repeat(b"\0" * 65536):
            read_chunks += 1
            yield zeros

    with pytest.raises(SubmissionUnusable, match="too much"):
        read(stream(), "*.py")
    assert read_chunks < 50


def test_reading_stops_when_the_time_is_over() -> None:
    """A disk that gives a byte a second does not hold a check for ever."""
    with pytest.raises(SubmissionUnusable, match="took longer"):
        read(chunks((entry("work/a.py"), b"")), "*.py", TakeLimits(time_s=-1))


def test_a_file_that_shrinks_while_it_is_read_is_refused() -> None:
    """A tar that ends in the middle of a file is no submission."""
    whole = b"".join(chunks((entry("a.py"), b"x" * 900)))
    with pytest.raises(SubmissionUnusable):
        read(iter([whole[:700]]), "a.py")


@given(st.binary(max_size=4096))
def test_no_bytes_do_harm(data: bytes) -> None:
    """Whatever comes instead of a tar, it is read or refused."""
    with contextlib.suppress(SubmissionUnusable):
        read(iter([data]), "**")


@given(
    st.lists(st.tuples(st.integers(0, 4095), st.integers(0, 255)), min_size=1, max_size=12),
    st.integers(0, 4096),
)
def test_no_broken_tar_does_harm(changes: list[tuple[int, int]], length: int) -> None:
    """A tar with any bytes changed and any end missing is read or refused."""
    long_name = "work/" + "n" * 150 + ".py"
    data = bytearray(b"".join(chunks((entry(long_name), b"x" * 900), (entry("work/ы"), b""))))
    for place, value in changes:
        data[place % len(data)] = value
    with contextlib.suppress(SubmissionUnusable):
        read(iter([bytes(data[: length + 512])]), "**")


def test_a_name_is_shown_safely() -> None:
    """Messages hold no line feeds, escapes or kilobytes of a student's file name."""
    assert show_name("a\nb\x1b[1m") == "a?b?[1m"
    assert len(show_name("x" * 500)) == 78
