"""Another version of a program is told from another program, by what the kernel loads of it."""

import io
import struct

import pytest
from hexhub_check.programs import is_version_of, texts_of

OURS = [b"message number %d of ours" % number for number in range(100)]
OTHERS = [b"a word of another program, %d" % number for number in range(400)]


def elf(*texts: bytes, behind: bytes = b"", bits: int = 2) -> bytes:
    """Make the smallest program: header, one segment that is loaded, and what is behind it."""
    loaded = b"\0".join(texts)
    header = struct.pack(
        "<4sBBBB8xHHIQQQIHHHHHH",
        *(b"\x7fELF", bits, 1, 1, 0, 3, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0),
    )
    segment = struct.pack("<IIQQQQQQ", 1, 5, 120, 120, 120, len(loaded), len(loaded), 4096)
    return header + segment + loaded + behind


PROGRAM = elf(*OURS)
NEWER = elf(*OURS[5:], b"a message that is new", b"another new message")


@pytest.mark.parametrize(
    ("theirs", "is_version"),
    [
        (PROGRAM, True),
        (NEWER, True),
        (elf(*OTHERS), False),
        (elf(*OURS, *OTHERS), False),
        (elf(*OTHERS, behind=PROGRAM), False),
        (elf(*OURS[:40]), False),
        (elf(*OURS[1:], bits=1), False),
        (b"#!/bin/sh\n" + b"\n".join(OURS), False),
        (b"", False),
        (PROGRAM[:80], False),
    ],
    ids=[
        "the same",
        "newer",
        "another",
        "many texts of its own",
        "ours behind its end",
        "a part",
        "of 32 bits",
        "a script",
        "empty",
        "cut off",
    ],
)
def test_versions(theirs: bytes, is_version: bool) -> None:
    """Most texts of each stand in the other, in what is loaded."""
    assert is_version_of(io.BytesIO(theirs), PROGRAM) is is_version


def test_short_texts_do_not_count() -> None:
    """What is shorter than eight characters is in any program by chance."""
    assert texts_of(elf(b"seven77", b"eight888")) == {b"eight888"}
