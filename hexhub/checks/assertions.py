"""What a failed assertion says → both sides of it, and the author's own words; pure.

Test tools write the values that they compared into a text of their own form. Known forms are in
one table; what no row knows has no sides, rather than wrong ones. Where a tool does not say which
side was wanted (Rust's ``assert_eq!``, GoogleTest's ``EXPECT_EQ``), the right one is, as in
``assert actual == expected`` of pytest.

A text may hold whatever a student's program printed, so that no pattern here may look far: most
match lines from their beginning, and only the first ``MAX_LOOKED_AT`` characters are looked at.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

MAX_LOOKED_AT = 4_000


@dataclass(frozen=True)
class Comparison:
    """An assertion that failed.

    Attributes:
        expected, actual: Both sides, as the tool writes values.
        words: What else stands in the text, the author's message where there is one; it has
            neither side in it.
    """

    expected: str
    actual: str
    words: str = ""


def read_comparison(text: str) -> Comparison | None:
    """Give both sides of the assertion that ``text`` tells of, or None where no form fits."""
    looked_at = text[:MAX_LOOKED_AT].replace("\r\n", "\n").strip()
    for read in _READERS:
        found = read(looked_at)
        if found is not None and found.expected and found.actual:
            return found
    return None


def author_words(text: str) -> str:
    """Give ``text`` without the values that a known tool has written into it.

    For checks that show the author's message and no more: there, the expected value is an answer.
    """
    said = _SAID_BY_TOOLS.search(text)
    if said is not None:
        return text[: said.start()].strip()
    found = read_comparison(text)
    return text if found is None else found.words


_SAID_BY_TOOLS = re.compile(
    r"""
    ^(?:
        assert\b                                    # pytest
      | expected\ (?:[^\s'"\[{(]+|'.*'|".*"|\[.*\]|\{.*\})\ (?:not\ )?to\s  # Chai, Vitest
      | (?:The\ input\ (?:did\ not\ match|was\ expected)|The\ expression\ evaluated)\b  # Node
      | Expected:?\ (?:not\b|is\b|\(.*\)\ \S+\ \()  # Jest, Hamcrest, GoogleTest
      | Expecting\b                                # AssertJ
      | assertion\ (?:failed:|`left\ !=\ right`)   # Rust
      | Failed\ asserting\ that\b                  # PHPUnit
      | \(.*in\ test\ file\b                      # Bats, with the line of the test's source
      | .*\n[ \t]+(?:doesn't\ match|matches)\ '    # Test::More
      | "[^"\n]*"\ does\ not\ contain\b           # testify
    )
    """,
    re.MULTILINE | re.VERBOSE,
)
"""Sentences with values or with a test's source in them, which are no comparison of two sides."""


def _by_pattern(pattern: str) -> Callable[[str], Comparison | None]:
    """Make a reader of one pattern; groups ``e`` and ``a``, and ``ew`` and ``aw`` before them."""
    compiled = re.compile(pattern, re.MULTILINE)

    def read(text: str) -> Comparison | None:
        match = compiled.search(text)
        if match is None:
            return None
        sides = match.groupdict()
        words = "\n".join((text[: match.start()].strip(), text[match.end() :].strip())).strip()
        return Comparison(
            (sides.get("ew") or sides["e"]).strip(), (sides.get("aw") or sides["a"]).strip(), words
        )

    return read


_JAVA = re.compile(r"expected: ?(?=[\w.$@]*<)")
_JAVA_MIDDLE = re.compile(r"> but was: ?([\w.$@]*<)")


def _read_java(text: str) -> Comparison | None:
    """JUnit 4 and 5: ``words expected:<5> but was:<-1>``; values may have lines."""
    start = _JAVA.search(text)
    middle = _JAVA_MIDDLE.search(text, start.end()) if start else None
    end = text.rfind(">")
    if start is None or middle is None or end < middle.end():
        return None
    expected, actual = text[start.end() : middle.start() + 1], text[middle.start(1) : end + 1]
    words = text[: start.start()].strip().removesuffix("==>").strip()
    return Comparison(_without_brackets(expected), _without_brackets(actual), words)


def _without_brackets(value: str) -> str:
    # Types stand before the bracket where both values are written alike; then they stay.
    return value[1:-1] if value.startswith("<") else value


_DIFF_HEADS = re.compile(
    r"""
    ^(?:-\ Expected\b.*\n\+\ Received\b.*       # Jest, Vitest
      | ---\ [Ee]xpected\n\+\+\+\ [Aa]ctual     # PHPUnit, tap
      | \+\ actual\ -\ expected\b.*             # Node's assert
    )$
    """,
    re.MULTILINE | re.VERBOSE,
)
_DIFF_ENDS = re.compile(r"^(?:\s+(?:at |❯ )|/\S+:\d+$|\w*Error\b)")


def _read_diff(text: str) -> Comparison | None:
    """A diff under a head that says which sign is whose; what both sides share is in both."""
    head = _DIFF_HEADS.search(text)
    if head is None:
        return None
    expected: list[str] = []
    actual: list[str] = []
    for line in text[head.end() :].split("\n"):
        if _DIFF_ENDS.match(line):
            break
        sign, rest = line[:1], line[1:]
        if line.startswith("@@"):
            if any(shown.strip() for shown in [*expected, *actual]):
                expected.append("…")
                actual.append("…")
        elif sign == "-":
            expected.append(rest)
        elif sign == "+":
            actual.append(rest)
        else:
            expected.append(line[1:] if sign == " " else line)
            actual.append(line[1:] if sign == " " else line)
    words = text[: head.start()].strip()
    return Comparison(_dedented(expected), _dedented(actual), _NODE_HEADING.sub("", words).strip())


def _dedented(lines: list[str]) -> str:
    while lines and not lines[-1].strip():
        lines.pop()
    while lines and not lines[0].strip():
        lines.pop(0)
    # One blank after the sign is the form of some of these tools, and no part of the value.
    if lines and all(not line or line.startswith(" ") for line in lines):
        lines = [line[1:] for line in lines]
    return "\n".join(lines)


_NODE_HEADING = re.compile(r"Expected values to be (?:strictly |loosely )?(?:deep-)?equal:")

_READERS: tuple[Callable[[str], Comparison | None], ...] = (
    _read_java,
    # Jest, and Vitest where it has no diff: "Expected substring: …", "Received string: …"
    _by_pattern(r"^Expected(?: [a-z]+)*: +(?P<e>(?!not ).+)\nReceived(?: [a-z]+)*: +(?P<a>.+)$"),
    # testify
    _by_pattern(r"^Not equal:\s*\n\s*expected\s*: (?P<e>.+)\n\s*actual\s*: (?P<a>.+)(?:\n[^\0]*)?"),
    _read_diff,
    # Node's assert: the left one is the actual value
    _by_pattern(
        r"^Expected values to be (?:strictly |loosely )?equal:\n\n(?P<a>.+) !?==? (?P<e>.+)$"
    ),
    # node:test writes the error as an object, also where the author had a message
    _by_pattern(
        r"^[ \t]+actual: (?P<a>(?!.*\[(?:Array|Object)\]).+),\n"
        r"\s+expected: (?P<e>(?!.*\[(?:Array|Object)\]).+),\n"
        r"\s+operator: '(?:strictEqual|deepStrictEqual|deepEqual|==)',?$"
    ),
    # The habit of Go's own tests: "f(2) = 3; want 4", "got 3, want 4"
    _by_pattern(r"^[^=;\n]+ = (?P<a>[^;\n]+); want (?P<e>.+)$"),
    _by_pattern(r"\bgot:? (?P<a>[^;,\n]{1,200})[;,] want(?:ed)?:? (?P<e>.+)$"),
    # Rust, since 1.73 and before
    _by_pattern(
        r"^assertion `left == right` failed(?:: .*)?\n +left: (?P<a>.+)\n +right: (?P<e>.+)$"
    ),
    _by_pattern(
        r"^assertion failed: `\(left == right\)`\n +left: `(?P<a>.+)`,\n +right: `(?P<e>.+)`.*$"
    ),
    # GoogleTest
    _by_pattern(
        r"^Expected equality of these values:\n  (?P<a>.+)(?:\n    Which is: (?P<aw>.+))?"
        r"\n  (?P<e>.+)(?:\n    Which is: (?P<ew>.+))?$"
    ),
    _by_pattern(r"^Value of: .+\n  Actual: (?P<a>.+)\nExpected: (?P<e>.+)$"),
    # PHPUnit
    _by_pattern(r"^Failed asserting that (?P<a>.+) is (?:identical|equal) to (?P<e>.+)\.$"),
    _by_pattern(r"^Failed asserting that (?P<a>.+) matches expected (?P<e>.+)\.$"),
    # Perl's Test::More
    _by_pattern(r"^[ \t]*got: (?P<a>.+)\n[ \t]*expected: (?P<e>.+)$"),
    _by_pattern(r"^[ \t]*\$got.* = (?P<a>.+)\n[ \t]*\$expected.* = (?P<e>.+)$"),
    # pytest without our plugin; chains and conditions are left alone
    _by_pattern(r"\Aassert (?P<a>(?!.* (?:==|and|or|in) .* == )[^\n]+?) == (?P<e>[^\n=]+)$"),
)
