"""Texts out of a container can be stored and shown, whatever they were."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexhub.checks.texts import clean, clean_end, clean_line


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b31mred", "red"),
        ("\x1b]0;a title\x07shown", "shown"),
        ("\x1b]8;;http://x\x1b\\link", "link"),
        ("\x1b]never ended\nnext", "\nnext"),
        ("\x1bPq#data\x1b\\after", "after"),
        ("a\x00b\x08c\x7fd", "abcd"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("half \ud800 character", "half \ufffd character"),
        ("evil\u202etxt.exe", "eviltxt.exe"),
        ("кириллица ✓", "кириллица ✓"),
    ],
)
def test_escapes_and_controls_are_gone(text: str, cleaned: str) -> None:
    """What a terminal or a database would choke on is taken out; the rest stays."""
    assert clean(text) == cleaned


@given(st.text(alphabet=st.characters(codec=None), max_size=300))
def test_any_text_can_be_stored(text: str) -> None:
    """Whatever comes in, what goes out is UTF-8 without NUL and escapes."""
    cleaned = clean(text)
    assert cleaned.encode("utf-8").decode() == cleaned
    assert not set(cleaned) & {"\x00", "\x1b", "\x9b", "\u202e"}


def test_long_texts_say_how_much_is_gone() -> None:
    """A cut text keeps its beginning and says how many characters are missing."""
    assert clean("x" * 30, 10) == "x" * 10 + "\n[… 20 more characters]"


def test_output_keeps_its_end() -> None:
    """Of a run's output the end is what tells why it broke."""
    assert clean_end("a" * 20 + "the end", 7) == "[… 20 characters before]\nthe end"


def test_a_line_is_one_line() -> None:
    """Names are shown in one line, however they were written."""
    assert clean_line(" two\n  lines\t\x1b[1m here ") == "two lines here"
