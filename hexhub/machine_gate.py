"""The one door on the host that students' containers may use: a relay to the proxy.

Design choices: a container reaches every port of the host that is bound to a gateway's address, and
JupyterHub can listen on one address only, while there are two networks. So hub, web service and
proxy all stay on loopback, and this relay listens on the gateways and passes bytes on to the proxy,
where everything is behind a log-in or a token anyway. Its port is kept, so that machines which run
while HexHub is restarted find it again.

A machine is hostile and may open connections without end. All of them together take no more than
the supervisor has file descriptors for; where all are taken, whoever holds most gives one up to
whoever holds fewer, so that one student shuts the door for nobody else. A fixed number for each
address was weighed: behind a Docker that is elsewhere, all machines have one address.
"""

import asyncio
import contextlib
import logging
import resource
from collections.abc import Sequence
from types import TracebackType

_CHUNK_BYTES = 64 * 1024
_CONNECT_S = 5.0
_CLOSE_S = 30.0
"""How long who is sent the last bytes may take to read them."""
_MOST_CONNECTIONS = 10_000
_FILES_OF_OTHERS = 256
"""File descriptors that the process of the gate has for everything else."""

_log = logging.getLogger(__name__)


def most_connections(open_files: int) -> int:
    """Give how many connections a gate may have in a process that may open so many files."""
    return max(1, min(_MOST_CONNECTIONS, (open_files - _FILES_OF_OTHERS) // 2))


class MachineGate:
    """Relays TCP connections from the gateways' addresses to the proxy; an async context manager.

    Args:
        addresses: Of the host on the students' networks.
        port: The same on all of them.
        target_port: Of the proxy on 127.0.0.1.
        most: Connections at one time; None: as many as this process may open files for.
    """

    def __init__(
        self, addresses: Sequence[str], port: int, target_port: int, *, most: int | None = None
    ) -> None:
        self._addresses = tuple(addresses)
        self._port = port
        self._target_port = target_port
        self._most = most or most_connections(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        self._server: asyncio.Server | None = None
        self._visits: dict[str, dict[asyncio.Task[None], None]] = {}

    async def __aenter__(self) -> "MachineGate":
        """Listen.

        Raises:
            OSError: An address is not there, or the port is taken.
        """
        self._server = await asyncio.start_server(self._receive, self._addresses, self._port)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the door and every connection through it."""
        if self._server is not None:
            self._server.close()
        visits = [visit for visits in self._visits.values() for visit in visits]
        for visit in visits:
            visit.cancel()
        await asyncio.gather(*visits, return_exceptions=True)

    def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Let a visitor in, if there is room."""
        peer = writer.get_extra_info("peername")
        address = str(peer[0]) if peer else ""
        if not self._make_room(address):
            writer.close()
            return
        ends = [writer]
        visit = asyncio.get_running_loop().create_task(self._relay(reader, ends))

        def leave(_: object) -> None:
            self._forget(address, visit)
            for end in ends:
                end.transport.abort()  # whatever is still on its way to who does not read it

        self._visits.setdefault(address, {})[visit] = None
        visit.add_done_callback(leave)

    def _make_room(self, address: str) -> bool:
        """Tell whether there is room for one more of this address, and make it where that is fair.

        Of whoever holds most the newest connection is closed.
        """
        if sum(map(len, self._visits.values())) < self._most:
            return True
        greediest = max(self._visits, key=lambda each: len(self._visits[each]))
        if len(self._visits.get(address, ())) + 1 >= len(self._visits[greediest]):
            return False
        newest = next(reversed(self._visits[greediest]))
        self._forget(greediest, newest)
        newest.cancel()
        return True

    def _forget(self, address: str, visit: asyncio.Task[None]) -> None:
        visits = self._visits.get(address, {})
        visits.pop(visit, None)
        if not visits:
            self._visits.pop(address, None)

    async def _relay(self, reader: asyncio.StreamReader, ends: list[asyncio.StreamWriter]) -> None:
        (writer,) = ends
        try:
            proxy_reader, proxy_writer = await asyncio.wait_for(
                asyncio.open_connection("127.0.0.1", self._target_port), _CONNECT_S
            )
            ends.append(proxy_writer)
            await asyncio.gather(_pump(reader, proxy_writer), _pump(proxy_reader, writer))
        except (OSError, TimeoutError) as exc:
            _log.warning("The proxy does not take connections: %s", exc)
        for end in ends:
            end.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await asyncio.gather(*(end.wait_closed() for end in ends))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what one side sends until it ends, and then tell the other side so."""
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    with contextlib.suppress(OSError, RuntimeError):
        if writer.can_write_eof():
            writer.write_eof()
