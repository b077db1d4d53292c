"""How much memory this computer has left, and how much a container holds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def read_available(meminfo: str) -> int | None:
    """Give the bytes of memory that are available, out of ``/proc/meminfo``; None: not said."""
    for line in meminfo.splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) * 1024
    return None


def has_free_memory(leave_bytes: int) -> bool:
    """Tell whether this computer has more than ``leave_bytes`` available; True where it is unknown.

    Where Docker is on another computer this looks at the wrong one.
    """
    try:
        available = read_available(Path("/proc/meminfo").read_text(encoding="ascii"))
    except OSError:
        return True
    return available is None or available > leave_bytes


def read_held(stats: Mapping[str, Any]) -> int:
    """Give the bytes that a container holds, from Docker's ``stats``, as ``docker stats`` counts.

    Files that are merely cached do not count: the kernel drops them when memory is short.
    """
    memory = stats.get("memory_stats") or {}
    detail = memory.get("stats") or {}
    cached = detail.get("total_inactive_file", detail.get("inactive_file", 0))
    return max(0, int(memory.get("usage", 0)) - int(cached))
