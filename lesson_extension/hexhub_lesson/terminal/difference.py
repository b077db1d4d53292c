"""What differs between two texts, line by line; pure. The panel's ``difference.ts`` in Python.

``tests/contract/differences/lines.json`` holds both to the same lines.
"""

from typing import NamedTuple

MAX_LINES = 300
"""Lines above which each side is shown as a whole: the table below grows with their product."""

BOTH, EXPECTED, ACTUAL = "both", "expected", "actual"


class Piece(NamedTuple):
    """A piece of a line; ``differs`` marks what the other side does not have."""

    text: str
    differs: bool


class Line(NamedTuple):
    """One line of a difference; ``side`` is ``both``, ``expected`` or ``actual``."""

    side: str
    pieces: tuple[Piece, ...]


def mark_line(one: str, other: str) -> tuple[Piece, ...]:
    """Mark what neither the common start nor the common end of two lines covers, in ``one``."""
    shorter = min(len(one), len(other))
    start = 0
    while start < shorter and one[start] == other[start]:
        start += 1
    end = 0
    while end < shorter - start and one[-1 - end] == other[-1 - end]:
        end += 1
    middle = len(one) - end
    pieces = (Piece(one[:start], False), Piece(one[start:middle], True), Piece(one[middle:], False))
    return tuple(piece for piece in pieces if piece.text)


def with_visible_spaces(text: str) -> str:
    """Show spaces, tabs and returns as signs."""
    return text.replace(" ", "·").replace("\t", "→").replace("\r", "␍")


def differs_only_in_spaces(expected: str, actual: str) -> bool:
    """Tell whether two different texts are the same but for white space."""
    return expected != actual and "".join(expected.split()) == "".join(actual.split())


def compare_texts(expected: str, actual: str) -> list[Line]:
    """Compare two texts line by line.

    Returns:
        Lines in reading order; what is missing comes before what stands there instead. Texts of
        more than 300 lines are not compared: all of the expected one, then all of the other.
    """
    one, other = expected.split("\n"), actual.split("\n")
    if max(len(one), len(other)) > MAX_LINES:
        return [Line(EXPECTED, (Piece(line, False),)) for line in one] + [
            Line(ACTUAL, (Piece(line, False),)) for line in other
        ]
    table = _longest_common(one, other)
    lines: list[Line] = []
    missing: list[str] = []
    added: list[str] = []
    i = j = 0
    while i < len(one) or j < len(other):
        if i < len(one) and j < len(other) and one[i] == other[j]:
            lines += _mark_runs(missing, added)
            missing, added = [], []
            lines.append(Line(BOTH, (Piece(one[i], False),)))
            i, j = i + 1, j + 1
        elif j == len(other) or (i < len(one) and table[i + 1][j] >= table[i][j + 1]):
            missing.append(one[i])
            i += 1
        else:
            added.append(other[j])
            j += 1
    return lines + _mark_runs(missing, added)


def _longest_common(one: list[str], other: list[str]) -> list[list[int]]:
    table = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i in range(len(one) - 1, -1, -1):
        for j in range(len(other) - 1, -1, -1):
            if one[i] == other[j]:
                table[i][j] = table[i + 1][j + 1] + 1
            else:
                table[i][j] = max(table[i + 1][j], table[i][j + 1])
    return table


def _mark_runs(missing: list[str], added: list[str]) -> list[Line]:
    """Pair runs of missing and added lines, so that within a pair only what differs is marked."""

    def mark(line: str, partners: list[str], k: int) -> tuple[Piece, ...]:
        return mark_line(line, partners[k]) if k < len(partners) else (Piece(line, True),)

    return [Line(EXPECTED, mark(line, added, k)) for k, line in enumerate(missing)] + [
        Line(ACTUAL, mark(line, missing, k)) for k, line in enumerate(added)
    ]
