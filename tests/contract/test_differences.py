"""Panel and terminal show the same difference between what was expected and what was found."""

import json
from pathlib import Path

import pytest
from hexhub_lesson.terminal.difference import (
    ACTUAL,
    BOTH,
    EXPECTED,
    compare_texts,
    differs_only_in_spaces,
    mark_line,
    with_visible_spaces,
)
from hypothesis import given
from hypothesis import strategies as st

CASES = json.loads((Path(__file__).parent / "differences/lines.json").read_text(encoding="utf-8"))
SIGNS = {BOTH: " ", EXPECTED: "-", ACTUAL: "+"}
LINES = st.lists(st.sampled_from("ab "), max_size=12).map("\n".join)


def drawn(expected: str, actual: str) -> list[str]:
    return [
        SIGNS[line.side] + "".join(f"[{p.text}]" if p.differs else p.text for p in line.pieces)
        for line in compare_texts(expected, actual)
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: repr(case["expected"]))
def test_the_golden_differences(case: dict[str, object]) -> None:
    """The same cases are read by the panel's tests."""
    assert drawn(str(case["expected"]), str(case["actual"])) == case["lines"]


@given(LINES, LINES)
def test_no_line_is_lost(expected: str, actual: str) -> None:
    """Both sides can be put together again from what is shown."""
    for side, text in ((EXPECTED, expected), (ACTUAL, actual)):
        lines = [
            "".join(piece.text for piece in line.pieces)
            for line in compare_texts(expected, actual)
            if line.side in (side, BOTH)
        ]
        assert "\n".join(lines) == text


def test_too_many_lines_are_shown_whole() -> None:
    """The comparison's cost grows with the product of both sides."""
    many = "\n".join(map(str, range(2000)))
    assert len(compare_texts(many, f"{many}\nmore")) == 4001


def test_one_line() -> None:
    """The middle that differs is marked, and no letter counts twice."""
    assert [piece.text for piece in mark_line("abXcd", "abYYcd")] == ["ab", "X", "cd"]
    assert "".join(piece.text for piece in mark_line("aa", "aaa")) == "aa"
    assert differs_only_in_spaces("a b", "a  b\n")
    assert not differs_only_in_spaces("a", "a")
    assert with_visible_spaces("a\t b\r") == "a→·b␍"
