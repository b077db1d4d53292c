"""The one door on the host that students' containers may use: a relay to the proxy.

Design choices: a container reaches every port of the host that is bound to a gateway's address, and
JupyterHub can listen on one address only, while there are two networks. So hub, web service and
proxy all stay on loopback, and this relay listens on the gateways and passes bytes on to the proxy,
where everything is behind a log-in or a token anyway. Its port is kept, so that machines which run
while HexHub is restarted find it again.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from types import TracebackType

_CHUNK_BYTES = 64 * 1024
_CONNECT_S = 5.0
MAX_CONNECTIONS = 2_000
"""Open connections at one time; more are closed at once, so that one machine cannot take all
file descriptors of the supervisor."""

_log = logging.getLogger(__name__)


class MachineGate:
    """Relays TCP connections from the gateways' addresses to the proxy; an async context manager.

    Args:
        addresses: Of the host on the students' networks.
        port: The same on all of them.
        target_port: Of the proxy on 127.0.0.1.
    """

    def __init__(self, addresses: Sequence[str], port: int, target_port: int) -> None:
        self._addresses = tuple(addresses)
        self._port = port
        self._target_port = target_port
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> "MachineGate":
        """Listen.

        Raises:
            OSError: An address is not there, or the port is taken.
        """
        self._server = await asyncio.start_server(self._relay, self._addresses, self._port)
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
        for writer in list(self._connections):
            writer.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= 2 * MAX_CONNECTIONS:
            writer.close()
            return
        self._connections.add(writer)
        try:
            proxy_reader, proxy_writer = await asyncio.wait_for(
                asyncio.open_connection("127.0.0.1", self._target_port), _CONNECT_S
            )
        except (OSError, TimeoutError) as exc:
            _log.warning("The proxy does not take connections: %s", exc)
            self._connections.discard(writer)
            writer.close()
            return
        self._connections.add(proxy_writer)
        try:
            await asyncio.gather(_pump(reader, proxy_writer), _pump(proxy_reader, writer))
        finally:
            for end in (writer, proxy_writer):
                self._connections.discard(end)
                end.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what one side sends until it ends, and then tell the other side so."""
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    with contextlib.suppress(OSError, RuntimeError):
        if writer.can_write_eof():
            writer.write_eof()
