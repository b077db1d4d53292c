"""Texts that came out of a container, made fit to be stored and shown; pure.

Whatever a student's program prints may end up here: terminal escapes, NUL bytes (PostgreSQL refuses
them), half characters (UTF-8 refuses them), marks that turn the direction of writing.
"""

import math
import re

from hexhub.checks.model import MAX_TEXT, cut

_ESCAPES = re.compile(
    r"""
    \x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)?      # operating system commands: titles, links
    | \x1b[PX^_][^\x1b\n]*(?:\x1b\\)?         # device control and other strings
    | (?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?     # colours, cursor
    | \x1b[ -/]*[0-~]?                      # everything shorter
    """,
    re.VERBOSE,
)
_CONTROLS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff"
    "\ufffe\uffff]"
)
_SURROGATES = re.compile("[\ud800-\udfff]")


def clean(text: str, size: int = MAX_TEXT) -> str:
    """Take terminal escapes and control characters out of ``text`` and cut it to ``size``.

    Lines end with a line feed; what follows a lone carriage return begins a new line.
    """
    plain = _ESCAPES.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return cut(_CONTROLS.sub("", _SURROGATES.sub("\ufffd", plain)), size)


def clean_line(text: str, size: int = 300) -> str:
    """As :func:`clean`, and in one line: runs of white space become one blank."""
    return " ".join(clean(text, size * 2).split())[:size]


def clean_end(text: str, size: int = MAX_TEXT) -> str:
    """As :func:`clean`, but it is the beginning that is lost, as with the output of a run."""
    if len(text) <= size:
        return clean(text, size * 2)
    return f"[… {len(text) - size} characters before]\n{clean(text[-size:], size * 2)}"


def clean_or_none(text: str | None) -> str | None:
    """As :func:`clean`; None stays None."""
    return None if text is None else clean(text)


def read_number(text: object, default: float, *, most: float = 1e6) -> float:
    """Read a number that is neither negative nor without bounds; anything else is ``default``."""
    try:
        number = float(text)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return default
    return min(number, most) if math.isfinite(number) and number >= 0 else default
