"""The files of a control group, as a container sees its own."""

from contextlib import suppress
from pathlib import Path

CONTROL_GROUP = Path("/sys/fs/cgroup")
"""Of this machine with v2; with v1, the folder of all controllers."""


def read_number(file: Path) -> int | None:
    """Give the number in a file; None for ``max``.

    Raises:
        OSError: It cannot be read.
    """
    text = file.read_text(encoding="ascii").strip()
    return int(text) if text.isdecimal() else None


def read_entry(file: Path, name: str) -> int:
    """Give one line of a file of names and numbers; 0 where it is missing."""
    with suppress(OSError):
        for line in file.read_text(encoding="ascii").splitlines():
            key, _, value = line.partition(" ")
            if key == name and value.isdecimal():
                return int(value)
    return 0
