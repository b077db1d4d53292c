"""One terminal: its width, colours, signs and language."""

import os
import textwrap
import time
from typing import TextIO

from hexhub_lesson.terminal.markdown import DIM, Style, clean, render_markdown
from hexhub_lesson.terminal.texts import LANGUAGES, TEXTS

MAX_WIDTH = 100
"""Columns of running text at most; longer lines are hard to read."""
POSITION_AFTER_S = 2.0
"""Seconds of waiting after which the place in the queue is shown; a shorter wait is none."""


class Screen:
    """Where the words go: colours, width, signs and language of one terminal."""

    def __init__(self, out: TextIO, *, locale: str) -> None:
        self.out = out
        self.is_tty = out.isatty()
        has_colour = (
            self.is_tty and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        )
        self.style = Style(has_colour=has_colour)
        self.locale = locale if locale in LANGUAGES else LANGUAGES[0]
        self.has_signs = (out.encoding or "").lower().replace("-", "") == "utf8"
        try:
            columns = os.get_terminal_size(out.fileno()).columns if self.is_tty else 0
        except OSError:
            columns = 0
        self.width = max(20, min(columns or 80, MAX_WIDTH))

    def say(self, key: str, **values: object) -> str:
        """Give one of the command's own texts; values are cleaned."""
        known = {name: clean(str(value)) for name, value in values.items()}
        return TEXTS[self.locale][key].format(**known)

    def sign(self, sign: str, plain: str) -> str:
        """Give a sign, or plain characters where the terminal has no UTF-8."""
        return sign if self.has_signs else plain

    def print(self, text: str = "") -> None:
        """Print a line."""
        self.out.write(f"{text}\n")

    def lines(self, text: str, indent: int = 0) -> list[str]:
        """Give the lines of a foreign text; on a terminal, wrapped between words.

        Args:
            text: As it came.
            indent: Columns that will stand before each line.
        """
        lines = clean(text).rstrip("\n").split("\n")
        if not self.is_tty:
            return lines
        return [
            piece
            for line in lines
            for piece in textwrap.wrap(
                line,
                max(20, self.width - indent),
                replace_whitespace=False,
                break_long_words=False,
                break_on_hyphens=False,
            )
            or [""]
        ]

    def markdown(self, text: str) -> None:
        """Print Markdown."""
        self.print(render_markdown(text, width=self.width, style=self.style))

    def block(self, label: str, text: str) -> None:
        """Print a labelled text below a test, each of its lines indented."""
        lines = clean(text).rstrip("\n").split("\n")
        self.print(f"      {self.style.paint(f'{label:<9}', DIM)} {lines[0]}")
        for line in lines[1:]:
            self.print(f"{'':16}{line}")


class Spinner:
    """Turns while a check runs; only on a terminal.

    Attributes:
        position: Place in the queue; 1 is the next to be taken; None: it does not wait.
    """

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._turns = 0
        self._began_at = time.monotonic()
        self.position: int | None = None

    def turn(self) -> None:
        """Draw the next picture."""
        screen = self._screen
        if not screen.is_tty:
            return
        pictures = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏" if screen.has_signs else "|/-\\"
        picture = pictures[self._turns % len(pictures)]
        self._turns += 1
        text = screen.say("checking")
        if self.position and time.monotonic() - self._began_at >= POSITION_AFTER_S:
            before = self.position - 1
            text = screen.say("queued", before=before) if before else screen.say("queued_next")
        screen.out.write(f"\r\x1b[K{picture} {text}{screen.sign('…', '...')}")
        screen.out.flush()


def clear_line(screen: Screen) -> None:
    """Take away what the spinner drew."""
    if screen.is_tty:
        screen.out.write("\r\x1b[K")
