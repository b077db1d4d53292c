"""What the probes knock at instead of the real thing.

Design choices: whether a machine could reach a cloud's metadata service or a private network is
asked without sending one packet to either. A network namespace holds those addresses, and a routing
table of our own leads there, which only packets *from the hub's own networks* (and from the
stand-in's own address, for the control) are looked up in. So the host itself, and every other
program on it, goes on reaching the real ones. The table also has the same addresses as black holes
of lower rank: should the way to the stand-in vanish, packets vanish with it and go nowhere else.
All of it bears the hub's id and is removed at the end; what a killed run has left, the next one
removes first.
"""

import contextlib
import ctypes
import errno
import ipaddress
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import TracebackType

from hexhub.errors import SetupError
from hexhub.firewall import PRIVATE_RANGES
from hexhub.machine_network import MachineNetwork

METADATA = "169.254.169.254"
INTERNET = "203.0.113.77"
"""Stands for any address of the internet; of TEST-NET-3 (RFC 5737), which nobody has."""
PORT = 80

_TABLE_BASE = 0x68000000
_RULE_RANK = "90"
_BLACK_HOLE_RANK = "9999"
_LINKS = int(ipaddress.IPv4Address("198.18.0.0"))
"""Addresses between host and stand-in are taken from 198.18.0.0/15, kept for such trials
(RFC 2544)."""
_CLONE_NEWNET = 0x40000000
_TIMEOUT_S = 20.0
_CONTROL_S = 5.0
_BACKLOG = 64

_libc = ctypes.CDLL(None, use_errno=True)


def private_addresses(subnets: Iterable[str], is_taken: Callable[[str], bool]) -> dict[str, str]:
    """Choose one address in each private range: range → address.

    Args:
        subnets: Of the hub's networks, where a machine would not ask the router.
        is_taken: Tells of an address that it must not be chosen.
    """
    inner = [ipaddress.IPv4Network(subnet) for subnet in subnets]
    chosen: dict[str, str] = {}
    for name in PRIVATE_RANGES:
        number = int(ipaddress.IPv4Network(name).broadcast_address) - 1
        while True:
            address = ipaddress.IPv4Address(number)
            around = [net for net in inner if address in net]
            if around:
                number = int(around[0].network_address) - 1
            elif is_taken(str(address)):
                number -= 1
            else:
                break
        chosen[name] = str(address)
    return chosen


@dataclass
class Elsewhere:
    """A network namespace that holds addresses of elsewhere; a context manager, as root only.

    Args:
        hub_id: Of this HexHub.
        networks: Whose packets are led here.
        addresses: What it holds.
        ports: Where somebody listens, at all of them.
    """

    hub_id: str
    networks: Sequence[MachineNetwork]
    addresses: Sequence[str]
    ports: Sequence[int] = (PORT,)

    def __post_init__(self) -> None:
        short = self.hub_id[:6]
        self._namespace = f"hexhub-{short}-elsewhere"
        self._outer, self._inner = f"hx{short}o", f"hx{short}e"
        self._table = str(_TABLE_BASE + int(short, 16))
        link = _LINKS + (int(short, 16) % (1 << 15)) * 4
        self._here = str(ipaddress.IPv4Address(link + 1))
        self._there = str(ipaddress.IPv4Address(link + 2))
        self._listeners: list[socket.socket] = []

    @staticmethod
    def why_unavailable() -> str:
        """Say in a few words why no stand-in can be made here; empty where it can."""
        if os.geteuid() != 0:
            return "needs root"
        return "" if _find_ip() else "needs the program ip (iproute2)"

    def __enter__(self) -> "Elsewhere":
        """Make it.

        Raises:
            SetupError: Not root, no ``ip``, or the kernel refuses.
        """
        self._remove()
        try:
            self._make()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove it, the rules last."""
        self._remove()

    def leads_here(self, address: str, source: str, bridge: str) -> bool:
        """Tell whether a packet of a machine would go to the stand-in and nowhere else.

        Args:
            address: Where to.
            source: Address of the machine.
            bridge: Interface by which it comes.
        """
        found = _ip("route", "get", address, "from", source, "iif", bridge, is_checked=False)
        words = found.split()
        return ("dev", self._outer) in pairwise(words)

    def answers(self, address: str, port: int) -> bool:
        """Tell whether the host itself reaches the stand-in: the control of the probes."""
        try:
            socket.create_connection(
                (address, port), timeout=_CONTROL_S, source_address=(self._here, 0)
            ).close()
        except OSError:
            return False
        return True

    def _make(self) -> None:
        # The black holes stand before the first rule leads into the table.
        for address in self.addresses:
            _ip(
                *("route", "add", "blackhole", f"{address}/32", "table", self._table),
                *("metric", _BLACK_HOLE_RANK),
            )
        for source in (f"{self._here}/32", *(network.subnet for network in self.networks)):
            _ip("rule", "add", "from", source, "lookup", self._table, "pref", _RULE_RANK)
        _ip("netns", "add", self._namespace)
        inside = ("-n", self._namespace)
        _ip(
            *("link", "add", self._outer, "type", "veth"),
            *("peer", "name", self._inner, "netns", self._namespace),
        )
        _ip("addr", "add", f"{self._here}/30", "dev", self._outer)
        _ip("link", "set", self._outer, "up")
        _ip(*inside, "addr", "add", f"{self._there}/30", "dev", self._inner)
        for address in self.addresses:
            _ip(*inside, "addr", "add", f"{address}/32", "dev", "lo")
        _ip(*inside, "link", "set", "lo", "up")
        _ip(*inside, "link", "set", self._inner, "up")
        _ip(*inside, "route", "add", "default", "via", self._here)
        for address in self.addresses:
            _ip(
                *("route", "add", f"{address}/32", "via", self._there),
                *("dev", self._outer, "table", self._table),
            )
        self._listeners = [_listen_inside(self._namespace, port) for port in self.ports]

    def _remove(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._listeners = []
        if not _find_ip():
            return
        _ip("link", "del", self._outer, is_checked=False)
        _ip("netns", "del", self._namespace, is_checked=False)
        for line in _ip("rule", "list", is_checked=False).splitlines():
            if line.split()[-1:] == [self._table]:
                _ip("rule", "del", "lookup", self._table, is_checked=False)
        _ip("route", "flush", "table", self._table, is_checked=False)


class HostListeners:
    """Listeners on the host's own addresses, that machines must not reach; a context manager."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> "HostListeners":
        """Listen nowhere yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close all of them."""
        for listener in self._sockets:
            # A thread that waits in recvfrom wakes up by this, not by close.
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def listen(self, address: str, port: int = 0, family: int = socket.AF_INET) -> int:
        """Listen for TCP and give the port; fine where somebody else listens there already.

        Raises:
            OSError: The address is not this computer's.
        """
        listener = socket.socket(family, socket.SOCK_STREAM)
        self._sockets.append(listener)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            listener.bind((address, port))
            # Nobody accepts: the kernel takes the connections, and that is all a probe asks for.
            listener.listen(_BACKLOG)
        except OSError as exc:
            if exc.errno != errno.EADDRINUSE:
                raise
            return port
        chosen: int = listener.getsockname()[1]
        return chosen

    def echo(self, address: str) -> int:
        """Send back whatever comes by UDP, and give the port."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sockets.append(listener)
        listener.bind((address, 0))
        threading.Thread(target=_echo, args=(listener,), daemon=True).start()
        port: int = listener.getsockname()[1]
        return port


def answers(address: str, port: int) -> bool:
    """Tell whether the host itself reaches a TCP port: the control of the probes."""
    try:
        socket.create_connection((address, port), timeout=_CONTROL_S).close()
    except OSError:
        return False
    return True


def is_here(address: str) -> bool:
    """Tell whether an IPv4 address is this computer's own, or the broadcast of a network of its."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def main_address() -> str:
    """Give this computer's address on the way to the internet; empty where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((INTERNET, 9))  # only chooses a route: no packet is sent
        except OSError:
            return ""
        address: str = probe.getsockname()[0]
        return address


def link_local_address(interface: str) -> str:
    """Give the link-local IPv6 address of an interface of the host; empty where it has none."""
    try:
        lines = Path("/proc/net/if_inet6").read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return ""
    for line in lines:
        address, _, _, _, _, name = line.split()
        if name == interface and address.startswith("fe80"):
            return str(ipaddress.IPv6Address(int(address, 16)))
    return ""


def _echo(listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            data, sender = listener.recvfrom(64)
            if not data:
                return
            listener.sendto(data, sender)


def _listen_inside(namespace: str, port: int) -> socket.socket:
    """Listen in another network namespace: a socket stays in the one where it was made."""
    made: list[socket.socket] = []
    trouble: list[OSError] = []

    def listen() -> None:
        try:
            with (Path("/run/netns") / namespace).open("rb") as door:
                if _libc.setns(door.fileno(), _CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            listener = socket.create_server(("", port), backlog=_BACKLOG)
            made.append(listener)
        except OSError as exc:
            trouble.append(exc)

    # The thread, and with it its place in the other namespace, ends at once.
    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    if trouble:
        raise SetupError(f"No stand-in can listen in a network namespace: {trouble[0]}")
    return made[0]


def _find_ip() -> str | None:
    return shutil.which("ip", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _ip(*arguments: str, is_checked: bool = True) -> str:
    try:
        done = subprocess.run(
            [_find_ip() or "ip", *arguments],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise SetupError(f"ip {' '.join(arguments)}: {exc}") from exc
    if is_checked and done.returncode != 0:
        raise SetupError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout
