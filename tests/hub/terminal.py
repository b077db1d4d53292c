"""A terminal of JupyterLab, without the browser."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.hub.trial_hub import Student

WAIT_S = 120.0


class Connection:
    """What the page of the IDE has of a terminal: keys go in, and what is shown comes out."""

    def __init__(self, socket: WebSocketClientConnection) -> None:
        self._socket = socket

    async def type(self, *lines: str, until: str, and_until: str = "") -> str:
        """Type lines, and give what is shown from then on until these words are.

        Args:
            lines: Each with an Enter behind it.
            until: Not to be in ``lines``, as what is typed is shown.
            and_until: More words that are to be shown, before or after; of another writer, say.
        """
        shown = ""
        keys = "".join(f"{line}\r" for line in lines)
        await self._socket.write_message(json.dumps(["stdin", keys]))
        try:
            async with asyncio.timeout(WAIT_S):
                while until not in shown or and_until not in shown:
                    message = await self._socket.read_message()
                    assert message is not None, f"the terminal ended:\n{shown}"
                    kind, *rest = json.loads(message)
                    shown += rest[0] if kind == "stdout" else ""
        except TimeoutError:
            missing = until if until not in shown else and_until
            raise AssertionError(f"no '{missing}' in the terminal:\n{shown[-4000:]}") from None
        return shown


class Terminal:
    """A shell in a student's machine."""

    def __init__(self, student: Student, server: str) -> None:
        """Start the shell; the machine must run."""
        token = student.post(f"users/{student.name}/tokens", {}).json()["token"]
        self._headers = {"Authorization": f"token {token}"}
        base = f"{str(student.client.base_url).rstrip('/')}/user/{student.name}/{server}/"
        made = httpx.post(f"{base}api/terminals", headers=self._headers, timeout=60)
        assert made.status_code == 200, made.text
        self._url = f"{base.replace('http', 'ws', 1)}terminals/websocket/{made.json()['name']}"

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Connection]:
        """Look on, as a page does; what was shown before comes first."""
        socket = await websocket_connect(HTTPRequest(self._url, headers=self._headers))
        try:
            yield Connection(socket)
        finally:
            socket.close()
            while await socket.read_message() is not None:
                pass  # until it is closed, which takes an answer of the other side

    def type(self, *lines: str, until: str, and_until: str = "") -> str:
        """Look on for this one time; see :meth:`Connection.type`."""

        async def type_once() -> str:
            async with self.connected() as connection:
                return await connection.type(*lines, until=until, and_until=and_until)

        return asyncio.run(type_once())
