"""TCP ports for servers that tests start."""

import errno
import random
import socket

_FIRST, _LAST = 10_000, 31_000
"""Below the range from which Linux takes ports for outgoing connections (32768 and above), so that
no connection of another test takes the port before the server does."""


def free_port() -> int:
    """Give a TCP port that is free on loopback now, and that only chance gives anybody else."""
    for port in random.sample(range(_FIRST, _LAST), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as exc:
                if exc.errno != errno.EADDRINUSE:
                    raise
                continue
        return port
    raise AssertionError("A hundred ports in a row were taken.")
