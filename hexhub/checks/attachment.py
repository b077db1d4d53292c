"""A conversation with a container's standard input and output, bounded in bytes and time.

Design choices: docker-py's own stream readers have neither a deadline nor a limit, and reading must
go on while writing, or both sides wait for each other. So the plain socket below is used, without
blocking.
"""

import contextlib
import selectors
import socket
import ssl
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_CHUNK = 256 * 1024
_FRAME = struct.Struct(">BxxxL")
_STDOUT = 1
_KEPT_OF_STDERR = 4096
_LAST_WORDS_S = 2.0
"""Time for standard error to end after the line. Docker copies both streams side by side, so that
what was said before the line may come after it; the container ends right after the line, and ends
both."""
_LOOK_AGAIN_S = 0.5
"""TLS may hold bytes back that the socket no longer shows as readable."""


@dataclass(frozen=True)
class Heard:
    """What a container said.

    Attributes:
        line: First line of its standard output without line feed, or None where none was complete.
        is_overdue: The deadline came first.
        is_too_long: The line was longer than allowed.
        is_abandoned: Nobody wanted to hear it any more before the line had come.
        stderr: End of its standard error.
    """

    line: bytes | None
    is_overdue: bool = False
    is_abandoned: bool = False
    is_too_long: bool = False
    stderr: bytes = b""


def converse(
    attached: Any,
    said: bytes,
    *,
    max_line_bytes: int,
    deadline_s: float,
    is_enough: Callable[[bytes], bool] = lambda _: False,
    is_wanted: Callable[[], bool] = lambda: True,
) -> Heard:
    """Write ``said``, and give the first line that comes back.

    Args:
        attached: What docker-py's ``attach_socket`` gave, for a container without a terminal.
        said: Goes to standard input; may be longer than any buffer between us and the container.
        max_line_bytes: More is not read.
        deadline_s: On the monotonic clock.
        is_enough: Is shown the line when it has come, and tells whether that is all one wants to
            know; otherwise the end of standard error is waited for.
        is_wanted: Is asked twice a second and more whether anybody still waits for the line.

    Raises:
        OSError: The connection to Docker broke.
    """
    plain = _plain_socket(attached)
    plain.setblocking(False)
    hearing = _Hearing(max_line_bytes)
    until_s = deadline_s
    rest = memoryview(said)
    with selectors.DefaultSelector() as selector:
        both = selectors.EVENT_READ | selectors.EVENT_WRITE
        selector.register(plain, both)
        while True:
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                is_overdue = hearing.line is None
                return Heard(hearing.line, is_overdue=is_overdue, stderr=hearing.stderr)
            if hearing.line is None and not is_wanted():
                return Heard(None, is_abandoned=True, stderr=hearing.stderr)
            selector.select(min(left_s, _LOOK_AGAIN_S))
            if rest:
                with contextlib.suppress(
                    BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError
                ):
                    try:
                        rest = rest[plain.send(rest[:_CHUNK]) :]
                    except (BrokenPipeError, ConnectionResetError):
                        # It has ended already; what it said before may still be there to read.
                        rest = rest[:0]
                if not rest:
                    selector.modify(plain, selectors.EVENT_READ)
            try:
                data = plain.recv(_CHUNK)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                continue
            except ConnectionResetError:
                data = b""
            is_news = hearing.line is None
            hearing.take(data)
            if is_news and hearing.line is not None:
                if is_enough(hearing.line):
                    return Heard(hearing.line, stderr=hearing.stderr)
                until_s = min(until_s, time.monotonic() + _LAST_WORDS_S)
            if hearing.is_too_long or not data:
                return Heard(hearing.line, is_too_long=hearing.is_too_long, stderr=hearing.stderr)


def is_quiet(attached: Any) -> bool:
    """Tell whether the other side is there and has said nothing yet; never waits."""
    plain = _plain_socket(attached)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(plain, selectors.EVENT_READ)
            # Readable means words that nobody asked for, or the end.
            return not selector.select(0)
    except (OSError, ValueError):
        return False


def hang_up(attached: Any) -> None:
    """Close what ``attach_socket`` gave; closing its reader alone leaves the socket open."""
    response = getattr(attached, "_response", None)
    plain = _plain_socket(attached)
    if response is not None:
        response.close()
    attached.close()
    plain.close()


def _plain_socket(attached: Any) -> socket.socket:
    # docker-py wraps a plain socket for reading; over TLS it gives the socket itself. A reader
    # that is closed has no socket any more.
    plain = getattr(attached, "_sock", None)
    return plain if isinstance(plain, socket.socket) else attached


class _Hearing:
    """Docker's frames, taken apart: one byte of stream, three of nothing, four of length.

    Attributes:
        line: First line of standard output without line feed, once it is complete.
        is_too_long: The line was longer than allowed.
        stderr: End of standard error.
    """

    def __init__(self, max_line_bytes: int) -> None:
        self._max = max_line_bytes
        self._raw = bytearray()
        self._left = 0
        self._stream = 0
        self._begun = bytearray()
        self.line: bytes | None = None
        self.is_too_long = False
        self.stderr = b""

    def take(self, data: bytes) -> None:
        """Take bytes in."""
        self._raw += data
        while self._raw and not self.is_too_long:
            if self._left == 0:
                if len(self._raw) < _FRAME.size:
                    return
                self._stream, self._left = _FRAME.unpack_from(self._raw)
                del self._raw[: _FRAME.size]
                continue
            part = bytes(self._raw[: self._left])
            del self._raw[: len(part)]
            self._left -= len(part)
            if self._stream != _STDOUT:
                self.stderr = (self.stderr + part)[-_KEPT_OF_STDERR:]
            elif self.line is None:
                self._take_output(part)

    def _take_output(self, part: bytes) -> None:
        head, feed, _ = part.partition(b"\n")
        self._begun += head
        if len(self._begun) > self._max:
            self.is_too_long = True
        elif feed:
            self.line = bytes(self._begun)
