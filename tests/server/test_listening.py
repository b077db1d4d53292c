"""Whether a machine's server takes connections, asked of real ports on loopback."""

import socket

from spawner.listening import listens

LOOPBACK = "127.0.0.1"


async def test_who_takes_connections_listens() -> None:
    """Also while nobody has accepted one yet; and each look leaves nothing behind."""
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        assert [await listens(LOOPBACK, port) for _ in range(3)] == [True] * 3
        accepted, _ = server.accept()
        with accepted:
            assert accepted.recv(1) == b""


async def test_a_port_of_nobody_does_not_listen() -> None:
    """It is bound and refuses, or there is no way to it."""
    with socket.socket() as bound:
        bound.bind((LOOPBACK, 0))
        assert not await listens(LOOPBACK, bound.getsockname()[1])
    assert not await listens("255.255.255.255", 8888)
