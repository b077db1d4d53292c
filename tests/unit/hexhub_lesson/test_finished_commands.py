"""What shells tell in a terminal's output is found wherever it is cut, and nothing else is."""

import itertools

import pytest
from hexhub_lesson.finished_commands import CommandReader, FinishedCommand
from hypothesis import given
from hypothesis import strategies as st

OUTPUT = "$ ls\r\na b\r\n\x1b]633;HX;nonce;2;1500;ls --nope; true\x07\x1b[32m$ \x1b[0m"
FOUND = [FinishedCommand(2, 1500, "ls --nope; true")]


def read(*pieces: str) -> list[FinishedCommand]:
    reader = CommandReader("nonce")
    return [command for piece in pieces for command in reader.feed(piece)]


def test_a_command_is_found() -> None:
    """Exit status, milliseconds and what was typed, semicolons and all."""
    assert read(OUTPUT) == FOUND
    assert read(OUTPUT * 3) == FOUND * 3


@given(st.lists(st.integers(0, len(OUTPUT)), max_size=5))
def test_cuts_do_not_matter(cuts: list[int]) -> None:
    """A terminal is read in pieces of any length."""
    places = [0, *sorted(cuts), len(OUTPUT)]
    pieces = [OUTPUT[a:b] for a, b in itertools.pairwise(places)]
    assert read(*pieces) == FOUND


@pytest.mark.parametrize(
    "text",
    [
        "\x1b]633;HX;other;0;1;x\x07",
        "\x1b]633;HX;nonce;0;1\x07",
        "\x1b]633;HX;nonce;x;1;\x07",
        "\x1b]633;HX;nonce;-1;1;\x07",
        "\x1b]633;HX;nonce;0;\u0664;\x07",
        "\x1b]633;HX;nonce;1234;1;\x07",
        "\x1b]633;D;0\x07",
        "\x1b]633;HX;nonce;0;1;",
    ],
)
def test_what_is_not_ours_is_passed_over(text: str) -> None:
    """A foreign file that is shown in the terminal tells nothing, and what follows is read."""
    assert read(text) == []
    assert read(text + "\x07" + OUTPUT)[-1:] == FOUND


def test_a_sequence_without_an_end_is_not_kept_for_ever() -> None:
    """A program that prints the beginning and then a gigabyte must not fill the memory."""
    reader = CommandReader("nonce")
    list(reader.feed("\x1b]633;HX;nonce;0;1;"))
    for _ in range(100):
        list(reader.feed("x" * 1000))
        assert len(reader._pending) <= 8192
    assert list(reader.feed(OUTPUT)) == FOUND


def test_values_are_bounded_and_cleaned() -> None:
    """Whatever is forged keeps to the event's schema."""
    [command] = read(f"\x1b]633;HX;nonce;999;999999999999;a\x1b[2J\nb{'x' * 900}\x07")
    assert command.exit_status == 255
    assert command.duration_ms == 2_592_000_000
    assert command.text.startswith("a [2J b")
    assert len(command.text) == 500
