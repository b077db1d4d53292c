"""How much of the machine's memory is used, and how often it was short: from the control group.

Both kinds of control groups are read (v1 and v2), as a container sees its own in /sys/fs/cgroup.
"""

from dataclasses import dataclass
from pathlib import Path

from hexhub_lesson.control_group import CONTROL_GROUP, read_entry, read_number

_NO_LIMIT_BYTES = 2**60
"""A v1 limit of this size or more means that there is none."""


@dataclass(frozen=True)
class Memory:
    """The memory of this machine.

    Attributes:
        used_bytes: Without what the kernel can give back at once (files that were read).
        limit_bytes: None where there is none.
        oom_kills: Programs that the kernel has ended for want of memory since the machine started.
    """

    used_bytes: int
    limit_bytes: int | None
    oom_kills: int


def read_memory(group: Path = CONTROL_GROUP) -> Memory | None:
    """Give the memory of a control group; None where it tells nothing of memory.

    Args:
        group: Folder of the control group, or of all controllers with v1.
    """
    v1 = group / "memory"
    try:
        if (v1 / "memory.usage_in_bytes").exists():
            used = read_number(v1 / "memory.usage_in_bytes")
            limit = read_number(v1 / "memory.limit_in_bytes")
            inactive = read_entry(v1 / "memory.stat", "total_inactive_file")
            kills = read_entry(v1 / "memory.oom_control", "oom_kill")
        else:
            used = read_number(group / "memory.current")
            limit = read_number(group / "memory.max")
            inactive = read_entry(group / "memory.stat", "inactive_file")
            kills = read_entry(group / "memory.events", "oom_kill")
    except OSError:
        return None
    if used is None:
        return None
    has_limit = limit is not None and limit < _NO_LIMIT_BYTES
    return Memory(max(0, used - inactive), limit if has_limit else None, kills)
