"""Which limits of the machine were met: from the kernel's counters, and by trying the disk.

Both kinds of control groups are read (v1 and v2), as a container sees its own in /sys/fs/cgroup.

Design choices: the disk is tried and not measured, since a quota of btrfs is seen in no figure that
a container can read. What is tried is to reserve space, which writes no data, in a file without a
name. So much is tried that a program which writes in large pieces and one which writes in small
ones have met the limit at about the same time.
"""

import errno
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hexhub_lesson.control_group import CONTROL_GROUP, read_entry, read_number
from hexhub_lesson.memory import read_memory

DISK_VARIABLE = "HEXHUB_DISK_BYTES"
"""The limit of the machine's disk, where one is held; set by the hub."""
_TRIED_FOLDER = Path("/var/tmp")  # noqa: S108 - a file without a name
_TRIED_BYTES = 1024**2


@dataclass(frozen=True)
class Limits:
    """The limits of a machine and how often they were met since it was started.

    Attributes:
        memory_bytes: None where there is no limit.
        oom_kills: Programs that were ended for want of memory.
        processes: Threads count, too; None where there is no limit.
        refused_processes: How often the kernel refused to start one.
    """

    memory_bytes: int | None = None
    oom_kills: int = 0
    processes: int | None = None
    refused_processes: int = 0


def read_limits(group: Path = CONTROL_GROUP) -> Limits:
    """Give what a control group tells of its limits; what it does not tell was not met.

    Args:
        group: Folder of the control group, or of all controllers with v1.
    """
    memory = read_memory(group)
    pids = group / "pids" if (group / "pids").is_dir() else group
    processes = None
    with suppress(OSError):
        processes = read_number(pids / "pids.max")
    return Limits(
        memory.limit_bytes if memory else None,
        memory.oom_kills if memory else 0,
        processes,
        read_entry(pids / "pids.events", "max"),
    )


def is_disk_full(
    folder: Path = _TRIED_FOLDER,
    reserve: Callable[[int, int, int], None] = os.posix_fallocate,
) -> bool:
    """Tell whether the disk refuses more data; where that cannot be tried it counts as not full.

    Args:
        folder: On the disk.
        reserve: Takes an open file, an offset and bytes; raises OSError where there is no room.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            reserve(file.fileno(), 0, _TRIED_BYTES)
    except OSError as exc:
        return exc.errno in (errno.ENOSPC, errno.EDQUOT)
    return False


def disk_limit_bytes() -> int | None:
    """Give the limit of this machine's disk; None where none is held."""
    text = os.environ.get(DISK_VARIABLE, "")
    return int(text) if text.isdecimal() else None
