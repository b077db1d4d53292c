"""Markdown as a terminal shows it."""

import re

import pytest
from hexhub_lesson.terminal.markdown import Style, clean, render_markdown
from hypothesis import given
from hypothesis import strategies as st

PLAIN = Style(has_colour=False)
COLOUR = Style(has_colour=True)
ANSI = re.compile("\x1b\\[[0-9;]*m")


def plain(text: str, width: int = 60) -> str:
    return render_markdown(text, width=width, style=PLAIN)


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("# A heading #", "A heading"),
        ("one\ntwo", "one two"),
        ("one\n\n\n\ntwo", "one\n\ntwo"),
        ("**bold** and *soft* and __bold__", "bold and soft and bold"),
        ("2 * 3 * 4 and a_b_c", "2 * 3 * 4 and a_b_c"),
        (r"\*not soft\*", "*not soft*"),
        ("run `ls  -l *.py` now", "run `ls  -l *.py` now"),
        ("[nginx](https://nginx.org)", "nginx (https://nginx.org)"),
        ('[a](b "title")', "a (b)"),
        ("<https://a.b/c>", "https://a.b/c"),
        ("![a picture](x.png)", "[a picture]"),
        ("- a\n- b\n  more", "• a\n• b more"),
        ("1. a\n2. b", "1. a\n2. b"),
        ("> said\n> so", "│ said so"),
        ("```sh\n$ a\n\n  b\n```", "    $ a\n\n      b"),
        ("~~~\n```\n~~~", "    ```"),
        ("```\nnever closed", "    never closed"),
        ("text\n\n    indented *code*", "text\n\n    indented *code*"),
        ("| a | b |\n|---|---|\n| **1** | 2 |", "| a | b |\n|---|---|\n| 1 | 2 |"),
        ("a\r\nb\rc", "a b c"),
    ],
)
def test_what_is_shown(markdown: str, shown: str) -> None:
    """The common things are rendered, what is not known stays as it was typed."""
    assert plain(markdown) == shown


def test_lines_are_wrapped_between_words_and_code_is_not_broken() -> None:
    """A command can be copied from the screen in one piece."""
    lines = plain("Type `ls -l -a --color=never` to see all of the files here.", 30).split("\n")
    assert lines == ["Type `ls -l -a --color=never`", "to see all of the files here."]


def test_list_items_hang() -> None:
    """Continued lines stand under the text, not under the bullet."""
    assert plain("- one two three four", 12) == "• one two\n  three four"


def test_code_and_emphasis_have_colours_where_there_are_some() -> None:
    """With colours the backticks go."""
    shown = render_markdown("**a** `b`", width=60, style=COLOUR)
    assert shown == "\x1b[1ma\x1b[0m \x1b[36mb\x1b[0m"


@given(st.text(max_size=300), st.integers(20, 100))
def test_nothing_but_our_own_colours_reaches_the_terminal(text: str, width: int) -> None:
    """Whatever an author or a program wrote, no control character of it gets through."""
    shown = ANSI.sub("", render_markdown(text, width=width, style=COLOUR))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)


@given(st.text(max_size=300))
def test_clean_leaves_newlines_alone(text: str) -> None:
    """Lines stay lines."""
    assert clean(text).count("\n") >= text.replace("\r\n", "\n").count("\n")


@pytest.mark.parametrize(
    "evil", ["\x1b[2J", "\x1b]0;title\x07", "\x9b1A", "\x08" * 9, "\u202e", "\u2028", "\x7f"]
)
def test_clean_takes_out_what_steers(evil: str) -> None:
    """Cursor, title, 8-bit sequences, backspaces, direction."""
    assert clean(f"a{evil}b").replace("[2J", "").replace("]0;title", "").replace("1A", "") == "ab"
