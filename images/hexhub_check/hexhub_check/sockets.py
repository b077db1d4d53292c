"""Reads which addresses somebody listens on from ``/proc/net/tcp``; pure."""

import ipaddress
import sys
from collections.abc import Iterator
from dataclasses import dataclass

_LISTEN = "0A"


@dataclass(frozen=True)
class ListeningSocket:
    """One socket that takes connections; ``inode`` is its number under ``/proc/PID/fd``."""

    address: str
    port: int
    inode: int


def parse_listening(table: str) -> Iterator[ListeningSocket]:
    """Parse ``/proc/net/tcp`` or ``/proc/net/tcp6``; give the listening sockets.

    Source: ``Documentation/networking/proc_net_tcp.rst`` of the kernel.
    """
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 10 or fields[3] != _LISTEN:
            continue
        address, port = fields[1].split(":")
        yield ListeningSocket(parse_address(address), int(port, 16), int(fields[9]))


def parse_address(digits: str) -> str:
    """Give an address in its usual form; the kernel writes it as 32-bit words of this machine."""
    words = [digits[start : start + 8] for start in range(0, len(digits), 8)]
    data = b"".join(int(word, 16).to_bytes(4, sys.byteorder) for word in words)
    address = ipaddress.ip_address(data)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)
