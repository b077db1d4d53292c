"""What is tried from a machine, and what was found; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Reach(StrEnum):
    """Whether something can be reached or done; what nobody tried is never called shut."""

    SHUT = "shut"
    OPEN = "open"
    NOT_PROBED = "not probed"


class Kind(StrEnum):
    """How a network door is knocked at."""

    TCP = "tcp"
    UDP = "udp"


@dataclass(frozen=True)
class NetworkDoor:
    """An address that a machine knocks at.

    Attributes:
        title: What is behind it, in a few words.
        host: Address as the machine sees it.
        port: There.
        expected: How it should be found.
        kind: How it is knocked at.
        obstacle: Why a knock would prove nothing, or must not be made; empty where it may be.
    """

    title: str
    host: str
    port: int
    expected: Reach = Reach.SHUT
    kind: Kind = Kind.TCP
    obstacle: str = ""


LOCAL_DOORS = {
    "docker_socket": "Docker's socket",
    "host_files": "files of this computer",
    "mount": "mount",
    "unshare": "new namespaces (unshare)",
    "host_namespaces": "processes and network of this computer",
    "ptrace": "a check that runs beside it (ptrace, /proc)",
    "mknod": "making raw devices (mknod)",
    "devices": "devices in /dev",
    "raw_sockets": "raw sockets",
    "kernel_settings": "kernel settings (/proc/sys, /sys)",
    "kernel": "kernel modules and kernel log",
    "capabilities": "capabilities other than the list",
    "new_privileges": "new privileges (setuid programs)",
    "system_calls": "unfiltered system calls (seccomp off)",
    "ipv6": "IPv6",
}
"""What is tried inside a machine: the probe's word → what it is; all of it must be shut."""


@dataclass(frozen=True)
class Finding:
    """One door, tried from one machine.

    Attributes:
        machine: Network and user of the machine, such as ``internet/root``.
        door: What was tried.
        expected: How it should be.
        found: How it is.
        detail: How that showed, or why it was not probed.
    """

    machine: str
    door: str
    expected: Reach
    found: Reach
    detail: str = ""

    @property
    def is_wrong(self) -> bool:
        """Tell whether it is not as it should be; what was not probed is not known to be."""
        return self.found not in (self.expected, Reach.NOT_PROBED)


@dataclass(frozen=True)
class Row:
    """Findings at one door that are alike.

    Attributes:
        door: What was tried.
        machines: From which machines.
        expected, found, detail: Of all of them.
    """

    door: str
    machines: tuple[str, ...]
    expected: Reach
    found: Reach
    detail: str

    @property
    def is_wrong(self) -> bool:
        """Tell whether it is not as it should be."""
        return self.found not in (self.expected, Reach.NOT_PROBED)


def tabulate(findings: Iterable[Finding]) -> list[Row]:
    """Give one row for each door, or several where machines differ; in order of appearance.

    The detail of a door that is shut as it should be tells nothing, and does not part rows.
    """
    rows: dict[tuple[str, Reach, Reach, str], list[str]] = {}
    doors: dict[str, None] = {}
    for finding in findings:
        doors.setdefault(finding.door)
        detail = "" if finding.found is finding.expected else finding.detail
        key = (finding.door, finding.expected, finding.found, detail)
        rows.setdefault(key, []).append(finding.machine)
    return [
        Row(door, tuple(machines), expected, found, detail)
        for wanted in doors
        for (door, expected, found, detail), machines in rows.items()
        if door == wanted
    ]


def name_machines(machines: Sequence[str], every: Sequence[str]) -> str:
    """Give the shortest name of a set of machines, such as ``all``, ``internet`` or ``none/root``.

    Args:
        machines: Each ``network/user``.
        every: All machines that there are.
    """
    left = list(dict.fromkeys(machines))
    if set(left) == set(every):
        return "all"
    names: list[str] = []
    for network in dict.fromkeys(machine.split("/")[0] for machine in every):
        whole = [machine for machine in every if machine.split("/")[0] == network]
        if set(whole) <= set(left):
            names.append(network)
            left = [machine for machine in left if machine not in whole]
    return ", ".join([*names, *left])
