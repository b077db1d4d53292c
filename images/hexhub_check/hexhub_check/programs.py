"""Whether a program is another version of one that the image has, by the texts in both.

A package that the student has upgraded has other bytes; what tells versions of one program from
other programs, without trusting a word of the machine, is what stands in them to be read: messages,
settings, names. Most of these stay from version to version, and no other program has them.

Design choices: the kernel's link to the running file cannot be chosen by a student, so that file is
looked at. The machine's package database says which bytes belong to a version, but whoever is root
writes it; Debian signs packages, not the files in them, so that the package would have to be
fetched through the student's network in each check. Asking the program for its version would run
it, and a fake answers what it is asked. Only what the kernel loads counts, and both ways: a program
that has another one's texts behind its end, or beside many of its own, is not that other one.
"""

import re
import struct
from typing import BinaryIO

MAX_PROGRAM_BYTES = 64 * 1024 * 1024
LEAST_SHARE = 0.5
"""Of the texts of either program in the other one. Two updates of Debian's nginx 1.26 have all but
one of 5093 in common; nginx has 3 % at most in common with Python, Perl and bash."""
_TEXT = re.compile(rb"[\x20-\x7e]{8,}")
_HEADER = struct.Struct("<4sBBBB8xHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_LOADED = 1


def is_version_of(theirs: BinaryIO, ours: bytes) -> bool:
    """Tell whether two program files are the same program, of this or another version.

    Args:
        theirs: Of the machine; may be anything.
        ours: Of the image.
    """
    found = theirs.read(MAX_PROGRAM_BYTES + 1)
    if found == ours:
        return True
    if len(found) > MAX_PROGRAM_BYTES:
        return False
    texts, wanted = texts_of(found), texts_of(ours)
    if not texts or not wanted:
        return False
    common = len(texts & wanted)
    return common >= LEAST_SHARE * len(texts) and common >= LEAST_SHARE * len(wanted)


def texts_of(program: bytes) -> frozenset[bytes]:
    """Give the texts in what the kernel loads of an ELF file of 64 bits; none where it is no such.

    Eight characters and more: shorter ones are in any program by chance.
    """
    try:
        magic, bits, order, *_, table, _sections, _flags, _size, width, count, _, _, _ = (
            _HEADER.unpack_from(program)
        )
        if (magic, bits, order, width) != (b"\x7fELF", 2, 1, _SEGMENT.size):
            return frozenset()
        segments = [_SEGMENT.unpack_from(program, table + n * width) for n in range(count)]
    except struct.error:
        return frozenset()
    return frozenset(
        text
        for kind, _, offset, _, _, in_file, _, _ in segments
        if kind == _LOADED
        for text in _TEXT.findall(program, offset, offset + in_file)
    )
