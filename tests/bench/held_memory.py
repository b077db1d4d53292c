"""What containers hold in memory, as the kernel counts it: PSS, in which shared pages are shared.

A page that ten processes have counts a tenth for each, so that the sum over all processes is what
is really held. It is read from ``/proc`` of the host, which takes root. What Docker runs beside a
container (``containerd-shim``) is told apart; the kernel's own part (page tables, sockets, network
namespaces) is in neither, and shows in how much less memory is available.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import docker

MIB = 1024**2
_FIELD = re.compile(r"^(\w+):\s+(\d+) kB", re.MULTILINE)


@dataclass(frozen=True)
class Held:
    """Memory in bytes.

    Attributes:
        pss: Of the processes in the container.
        private: That part of it which no other process shares.
        shim: PSS of the container's shim, which runs beside it.
    """

    pss: int
    private: int
    shim: int


def held_by(client: docker.APIClient, container: str) -> Held:
    """Measure one running container.

    Raises:
        PermissionError: This process is not root.
    """
    listed = client.top(container, ps_args="-eo pid,ppid")
    pids = [int(row[0]) for row in listed["Processes"]]
    parents = {int(row[1]) for row in listed["Processes"]} - set(pids)
    found = [_rollup(pid) for pid in pids]
    return Held(
        pss=sum(each.get("Pss", 0) for each in found),
        private=sum(each.get("Private_Clean", 0) + each.get("Private_Dirty", 0) for each in found),
        shim=sum(_rollup(pid).get("Pss", 0) for pid in parents),
    )


def available_bytes() -> int:
    """Give how much memory the host could still give away."""
    fields = dict(_FIELD.findall(Path("/proc/meminfo").read_text()))
    return int(fields["MemAvailable"]) * 1024


def total_bytes() -> int:
    """Give how much memory the host has."""
    return int(dict(_FIELD.findall(Path("/proc/meminfo").read_text()))["MemTotal"]) * 1024


def _rollup(pid: int) -> dict[str, int]:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return {}  # ended in this moment
    return {name: int(kib) * 1024 for name, kib in _FIELD.findall(text)}
