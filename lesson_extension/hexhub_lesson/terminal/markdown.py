"""Markdown and foreign texts → lines for a terminal; pure, standard library only.

Design choices: a Markdown library is not to be had from the system's bare Python, and most of what
one can do has no place in a terminal. Read here: headings, lists, quotes, code, tables as they are,
emphasis, links. Anything else stays as the author typed it, which is what Markdown is good at.
"""

import re
import textwrap

_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but tab and newline, ESC among them
    "\u200e\u200f\u202a-\u202e\u2066-\u2069"  # what turns the direction of a text
    "\u2028\u2029\ufeff]"
)
_FENCE = re.compile(r"^\s{0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$")
_ITEM = re.compile(r"^(\s*)([-*+]|\d{1,3}[.)])\s+(.*)$")
_QUOTE = re.compile(r"^\s{0,3}>\s?(.*)$")
_CODE = re.compile(r"(`+)(.+?)\1")
_INLINE = (
    (re.compile(r"!\[([^\]]*)\]\([^)]*\)"), r"[\1]"),
    (re.compile(r"\[([^\]]+)\]\((\S+?)(?:\s+\"[^\"]*\")?\)"), r"\1 (\2)"),
    (re.compile(r"<(https?://[^>\s]+)>"), r"\1"),
)
_STRONG = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_EMPHASIS = re.compile(r"(?<![\w*])\*(?=[^\s*])(.+?)(?<=[^\s*])\*(?![\w*])")
_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+.!<>|-])")
_COLOUR = re.compile("\x1b\\[[0-9;]*m")
_ASIDE = re.compile("\x00(\\d+)\x01\x02*")

BOLD, DIM, ITALIC, REVERSED = "1", "2", "3", "7"
RED, GREEN, YELLOW, CYAN = "31", "32", "33", "36"


def clean(text: str) -> str:
    """Give ``text`` without anything that could move a terminal's cursor or change its state.

    Test messages and outputs hold what a program printed: an escape sequence in them must not be
    able to overwrite a verdict, change the window's title or turn the reading direction.
    """
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).expandtabs(4)


class Style:
    """Colours, where the terminal has them."""

    def __init__(self, *, has_colour: bool) -> None:
        self._has_colour = has_colour

    def paint(self, text: str, *codes: str) -> str:
        """Give ``text`` in these colours; empty text stays empty."""
        if not self._has_colour or not text:
            return text
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m"

    def code(self, text: str) -> str:
        """Give a piece of code: coloured, or in the backticks that the author wrote."""
        return self.paint(text, CYAN) if self._has_colour else f"`{text}`"


def render_markdown(text: str, *, width: int, style: Style) -> str:
    """Give Markdown as a terminal shows it, wrapped to ``width``, without a final newline.

    Code blocks are indented by four and never wrapped, so that they can be copied.
    """
    out: list[str] = []
    paragraph: list[str] = []
    indent, first = "", ""
    fence = ""

    def flush() -> None:
        nonlocal indent, first
        if paragraph:
            out.extend(_wrap(" ".join(paragraph), width, first, indent, style))
            paragraph.clear()
        indent, first = "", ""

    for line in clean(text).split("\n"):
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
            else:
                out.append(style.paint(f"    {line}", CYAN) if line else "")
        elif mark:
            flush()
            fence = mark[1]
        elif not line.strip():
            flush()
            if out and out[-1]:
                out.append("")
        elif heading := _HEADING.match(line):
            flush()
            out.append(style.paint(_plain(heading[2]), BOLD))
        elif item := _ITEM.match(line):
            flush()
            bullet = "•" if item[2] in "-*+" else item[2]
            first = f"{item[1]}{bullet} "
            indent = " " * len(first)
            paragraph.append(item[3])
        elif quote := _QUOTE.match(line):
            if first != "│ ":
                flush()
            indent = first = "│ "
            paragraph.append(quote[1])
        elif line.startswith("    ") and not paragraph:
            out.append(style.paint(line, CYAN))
        elif line.lstrip().startswith("|"):
            flush()
            out.append(_plain(line))
        else:
            paragraph.append(line.strip())
    flush()
    return "\n".join(out).strip("\n")


def _wrap(text: str, width: int, first: str, indent: str, style: Style) -> list[str]:
    # Code and escaped signs are put aside: a space in code is no place to break a line at, and
    # signs in it are no emphasis. A stand-in is as wide as what it stands for, where that can be.
    aside: list[str] = []

    def keep(painted: str) -> str:
        aside.append(painted)
        return f"\x00{len(aside) - 1}\x01".ljust(len(_COLOUR.sub("", painted)), "\x02")

    kept = _CODE.sub(lambda m: keep(style.code(m[2].strip())), text)
    kept = _ESCAPE.sub(lambda m: keep(m[1]), kept)
    for pattern, replacement in _INLINE:
        kept = pattern.sub(replacement, kept)
    wrapped = textwrap.wrap(
        kept,
        width,
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    lines = "\n".join(wrapped)
    lines = _STRONG.sub(lambda m: style.paint(m[2], BOLD), lines)
    lines = _EMPHASIS.sub(lambda m: style.paint(m[1], ITALIC), lines)
    lines = _ASIDE.sub(lambda m: aside[int(m[1])], lines)
    return lines.split("\n")


def _plain(text: str) -> str:
    for pattern, replacement in _INLINE:
        text = pattern.sub(replacement, text)
    text = _CODE.sub(r"\2", text)
    return _ESCAPE.sub(r"\1", _EMPHASIS.sub(r"\1", _STRONG.sub(r"\2", text)))
