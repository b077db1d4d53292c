"""How often the kernel ended a process of this container because its memory was full.

Docker knows it too, but says it only when the container has ended, and every wrong answer would
have to wait for that.

Why this can be believed: the counter is the kernel's. It counts at the moment of the kill, before
the process is gone, so that what the harness has seen end is in it. Of its own a student's process
can make it grow in one way only, by filling the memory, and then the memory was full. It cannot be
made smaller or hidden: the file belongs to root, Docker mounts it read-only, and neither user has
the capability (SYS_ADMIN) that mounting it anew or making another cgroup would need. A machine
check has a cgroup of its own beside the student's, which even their root has no way into.
"""

import os
from pathlib import Path

_FOLDER = Path("/sys/fs/cgroup")
_SELF = Path("/proc/self/cgroup")


def count_kills(folder: Path = _FOLDER, own: Path = _SELF) -> int | None:
    """Give the number of processes that were ended for want of memory; None where it is not told.

    The container runs one check and nothing else, so that the count is that of the check.

    Args:
        folder: Where cgroups are mounted.
        own: Names the cgroups that this process is in.

    Source: the kernel's ``admin-guide/cgroup-v1/memory.rst`` (``memory.oom_control``, since Linux
    4.13) and ``admin-guide/cgroup-v2.rst`` (``memory.events``).
    """
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if "memory" in controllers.split(","):
            base, name = folder / "memory", "memory.oom_control"
        elif not controllers:
            base, name = folder, "memory.events"
        else:
            continue
        # The path is seen from the host or from the container; its folder is mounted there or here.
        for cgroup in (base / path.lstrip("/"), base):
            count = _read_count(cgroup, name)
            if count is not None:
                return count
    return None


def _read_count(cgroup: Path, name: str) -> int | None:
    """Read the counter of a cgroup, if that is one that we are in ourselves."""
    try:
        members = (cgroup / "cgroup.procs").read_text().split()
        fields = dict(line.split() for line in (cgroup / name).read_text().splitlines())
    except (OSError, ValueError):
        return None
    count = fields.get("oom_kill", "")
    return int(count) if str(os.getpid()) in members and count.isdigit() else None
