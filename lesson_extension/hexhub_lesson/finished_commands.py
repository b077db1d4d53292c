"""Commands that have ended, as the shell tells them in the terminal's own output; pure.

Shells that read ``shell/hexhub.sh`` or ``hexhub.zsh`` write before each prompt::

    ESC ] 633 ; HX ; <nonce> ; <exit status> ; <milliseconds> ; <command line> BEL

Design choices: an escape sequence that terminals pass over (VS Code's number, with letters of our
own), read where the server reads the terminal anyway. Weighed were a unix socket (bash has none, so
that each prompt would start a program), a named pipe (it blocks the prompt when nobody reads) and a
process beside each shell. The nonce keeps ``cat`` of a foreign file from telling anything; the
student can forge all of it, as everything that their machine says.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_TEXT = 500
"""Characters of a command line; the rest is cut."""
_MAX_PENDING = 8192
_START = "\x1b]633;HX;"
_END = "\x07"
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]+")
_MAX_MS = 2_592_000_000


@dataclass(frozen=True)
class FinishedCommand:
    """A command line that has ended.

    Attributes:
        exit_status: 0 to 255.
        duration_ms: From Enter to the next prompt.
        text: What was typed; empty where the shell does not say.
    """

    exit_status: int
    duration_ms: int
    text: str


class CommandReader:
    """Finds what one terminal's shells tell in pieces of its output, wherever these are cut."""

    def __init__(self, nonce: str) -> None:
        self._nonce = nonce
        self._pending = ""

    def feed(self, piece: str) -> Iterator[FinishedCommand]:
        """Give the commands that this piece of output completes."""
        text = self._pending + piece
        self._pending = ""
        while True:
            start = text.find(_START)
            if start < 0:
                self._pending = _tail(text)
                return
            end = text.find(_END, start)
            if end < 0:
                # A sequence without an end is kept for a while; a program may have printed it.
                self._pending = text[start:] if len(text) - start <= _MAX_PENDING else ""
                return
            found = self._parse(text[start + len(_START) : end])
            text = text[end + 1 :]
            if found is not None:
                yield found

    def _parse(self, body: str) -> FinishedCommand | None:
        parts = body.split(";", 3)
        if len(parts) != 4 or parts[0] != self._nonce:
            return None
        status, duration = parts[1], parts[2]
        if not (_is_number(status, 3) and _is_number(duration, 12)):
            return None
        text = _CONTROL.sub(" ", parts[3]).strip()[:MAX_TEXT]
        return FinishedCommand(min(int(status), 255), min(int(duration), _MAX_MS), text)


def _is_number(text: str, digits: int) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= digits


def _tail(text: str) -> str:
    """Give the end of ``text`` that may be the beginning of a sequence."""
    longest = min(len(text), len(_START) - 1)
    for length in range(longest, 0, -1):
        if _START.startswith(text[-length:]):
            return text[-length:]
    return ""
