"""Requests over the unix socket of the lesson's server; standard library only.

Design choices: ``http.client`` costs 25 ms to import, most of it for e-mail headers. HTTP/1.0 with
one request for each connection needs a dozen lines and no chunks.
"""

import os
import socket
import stat
import time
from collections.abc import Callable

from hexhub_lesson.wire import AnswerInvalid, parse_error, read_body

MAX_ANSWER_BYTES = 9 * 1024**2


TICK_S = 0.1
"""Seconds between two calls of ``tick``."""


class NoServer(Exception):
    """No lesson server answers on this machine.

    Attributes:
        is_late: True where one is there, but the time was over before it had answered.
    """

    def __init__(self, *, is_late: bool = False) -> None:
        self.is_late = is_late
        super().__init__("No lesson server answers on this machine.")


class Reply:
    """An answer with status 2xx.

    Attributes:
        body: The bytes, for ``--json``.
        data: The JSON value.
        origin: Address of the hub in the student's browser; empty where it is not known.
    """

    def __init__(self, body: bytes, origin: str) -> None:
        self.body = body
        self.data = read_body(body)
        self.origin = origin


class SocketClient:
    """Talks to the lesson's server at ``path``."""

    def __init__(self, path: str) -> None:
        self._path = path

    def request(
        self,
        method: str,
        target: str,
        *,
        timeout_s: float = 60.0,
        tick: Callable[[], None] | None = None,
    ) -> Reply:
        """Send one request and give its answer.

        Args:
            target: Path and query below ``hexhub/``; made of checked names only.
            timeout_s: For the whole of it.
            tick: Called ten times a second while the answer is awaited.

        Raises:
            NoServer: Nothing listens there, or the time is over.
            Refusal: The API, or the server for it, answered with an error.
            AnswerInvalid: What answered does not speak API v1.
        """
        ends_at = time.monotonic() + timeout_s
        if not _is_ours(self._path):
            raise NoServer
        head = f"{method} /hexhub/{target} HTTP/1.0\r\nHost: lesson\r\nContent-Length: 0\r\n\r\n"
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(timeout_s)
                connection.connect(self._path)
                connection.sendall(head.encode("ascii"))
                answer = _receive(connection, ends_at, tick)
        except TimeoutError as exc:
            raise NoServer(is_late=True) from exc
        except OSError as exc:
            raise NoServer from exc
        return _read_reply(answer)


def _receive(connection: socket.socket, ends_at: float, tick: Callable[[], None] | None) -> bytes:
    answer = bytearray()
    while True:
        left = ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left if tick is None else min(left, TICK_S))
        if tick is not None:
            tick()
        try:
            block = connection.recv(65536)
        except TimeoutError:
            continue
        if not block:
            return bytes(answer)
        answer += block
        if len(answer) > MAX_ANSWER_BYTES:
            raise AnswerInvalid("The answer of the lesson's server is too big.")


def _is_ours(path: str) -> bool:
    # Anybody may make a folder in /tmp: what another user has put there gets no requests.
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISSOCK(found.st_mode) and found.st_uid == os.getuid()


def _read_reply(answer: bytes) -> Reply:
    head, gap, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if not gap or len(words) < 2 or not words[1].isdecimal():
        raise NoServer
    if not words[1].startswith("2"):
        raise parse_error(read_body(body))
    headers = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
    return Reply(body, headers.get("x-hexhub-origin", ""))
