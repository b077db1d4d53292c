"""Both sides of an assertion are read where a tool's form is known, and nowhere else."""

import pytest

from hexhub.checks.assertions import Comparison, author_words, read_comparison


@pytest.mark.parametrize(
    ("text", "comparison"),
    [
        ("expected:<a\nb> but was:<a\nc>", Comparison("a\nb", "a\nc")),
        ("sum ==> expected: <5> but was: <4>", Comparison("5", "4", "sum")),
        (
            "expected: java.lang.Long<5> but was: java.lang.Integer<5>",
            Comparison("java.lang.Long<5>", "java.lang.Integer<5>"),
        ),
        ("f(2) = 3; want 4", Comparison("4", "3")),
        ("Area: got 3, want 4", Comparison("4", "3", "Area:")),
        (
            "assertion failed: `(left == right)`\n  left: `-1`,\n right: `5`",
            Comparison("5", "-1"),
        ),
        ("Failed asserting that 4 matches expected 5.", Comparison("5", "4")),
        ("assert f('a') == 'b'", Comparison("'b'", "f('a')")),
    ],
)
def test_forms(text: str, comparison: Comparison) -> None:
    """Forms that the samples of real tools do not have."""
    assert read_comparison(text) == comparison


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The list is expected to have 5 entries, but there are 4.",
        "nginx listens on port 80; expected was 8000",
        "Expected: not 5\nReceived: 5",
        "assert a == b == c",
        "assert a == 1 and b == 2",
        "assert 'x' in 'abc'",
        "expected:<5>",
        "I want what you got",
        "assertion `left != right` failed\n  left: 1\n right: 1",
    ],
)
def test_nothing_is_guessed(text: str) -> None:
    """A sentence of an author, a negation or a chain has no two sides."""
    assert read_comparison(text) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The page says nothing.", "The page says nothing."),
        ("assert 'hidden' in page", ""),
        ("expected 4 to be 5 // Object.is equality", ""),
        ("the sum\nFailed asserting that 4 is identical to 5.", "the sum"),
        ("the greeting expected:<a> but was:<b>", "the greeting"),
        ("The sum.\nexpected 4 to be above 5", "The sum."),
        ("expected [ 1, 2 ] not to include 2", ""),
        ("expected the list to be sorted", "expected the list to be sorted"),
        ("The input did not match the regular expression /bye/. Input:\n\n'hi'", ""),
        ("Expected: (n) < (2), actual: 2 vs 2", ""),
        ("Expected: is <5>\n     but: was <-1>", ""),
        ("assertion failed: sum(2) == 5", ""),
        ("The order.\nFailed asserting that 2 is less than 2.", "The order."),
        ('(in test file a.bats, line 4)\n  `[ "$status" -eq 3 ]\' failed', ""),
        ("'hello'\n    doesn't match '(?^:bye)'", ""),
        ('"hello" does not contain "bye"', ""),
        ("ZeroDivisionError: division by zero", "ZeroDivisionError: division by zero"),
    ],
)
def test_the_authors_words(text: str, words: str) -> None:
    """What a tool wrote is taken out, what the author wrote stays."""
    assert author_words(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "\n" * 100_000,
        "got " * 50_000,
        "expected: <" * 20_000 + "> but was: <" * 20_000,
        "- Expected\n+ Received\n" * 10_000,
        "Failed asserting that x is identical to " * 5_000,
        "assert " + "a in b " * 20_000,
        "[Array]" * 20_000,
    ],
    ids=range(7),
)
def test_long_texts_end(text: str) -> None:
    """A text that a hostile program made is read in the time that a test may take."""
    author_words(text)
