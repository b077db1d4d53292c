"""Reports of any dialect become test results, or are refused."""

import contextlib
import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexhub.checks.complaints import author_message
from hexhub.checks.model import MAX_TESTS, MAX_TEXT, TestOutcome, TestResult
from hexhub.checks.reports import (
    read_exit,
    read_junit,
    read_nbgrader,
)
from hexhub.checks.tap import read_tap
from hexhub.errors import ReportUnusable

PASSED, FAILED = TestOutcome.PASSED, TestOutcome.FAILED
ERROR, SKIPPED = TestOutcome.ERROR, TestOutcome.SKIPPED

PYTEST = """<?xml version="1.0" encoding="utf-8"?>
<testsuites name="pytest tests"><testsuite name="pytest" errors="0" failures="1" tests="2">
<testcase classname="test_listens" name="test_port" time="0.010">
 <properties><property name="hexhub.name" value="nginx listens on port 8000"/>
 <property name="hexhub.name.ru" value="nginx слушает порт 8000"/>
 <property name="hexhub.points" value="2"/></properties></testcase>
<testcase classname="test_listens" name="test_page[/a-200]" time="0.020">
 <properties><property name="hexhub.expected" value="'Hello'"/>
 <property name="hexhub.actual" value="'Welcome to nginx!'"/></properties>
 <failure message="AssertionError: The page says nothing.&#10;assert 'Hello' in 'x'">trace</failure>
 <system-out>printed</system-out></testcase>
</testsuite></testsuites>"""


def outcomes(results: list[TestResult]) -> dict[str, TestOutcome]:
    return {result.id: result.outcome for result in results}


def junit(cases: str) -> list[TestResult]:
    return read_junit(f"<testsuite>{cases}</testsuite>")


def test_pytest_report_is_read_whole() -> None:
    """Everything pytest and our plugin write stands in the result."""
    port, page = read_junit(PYTEST)
    assert port == TestResult(
        id="test_listens::test_port",
        name="nginx listens on port 8000",
        outcome=PASSED,
        points=2.0,
        max_points=2.0,
        duration_s=0.01,
        names={"ru": "nginx слушает порт 8000"},
    )
    assert page == TestResult(
        id="test_listens::test_page[/a-200]",
        name="Page [/a-200]",
        outcome=FAILED,
        message="The page says nothing.",
        expected="'Hello'",
        actual="'Welcome to nginx!'",
        output="printed",
        points=0.0,
        duration_s=0.02,
    )


@pytest.mark.parametrize(
    ("cases", "expected"),
    [
        ('<testcase classname="a.b.test_x" name="test_y"/>', {"test_x::test_y": PASSED}),
        (
            '<testcase classname="a.test_x.TestThing" name="test_y"/>',
            {"test_x::TestThing::test_y": PASSED},
        ),
        (
            '<testcase file="tests/test_x.py" classname="tests.test_x.TestA" name="test_y"/>',
            {"test_x::TestA::test_y": PASSED},
        ),
        ('<testcase classname="com.Example" name="adds"/>', {"com::Example::adds": PASSED}),
        ('<testcase name="alone"/>', {"alone": PASSED}),
        (
            '<testcase classname="" name="test_x"><error message="no"/></testcase>',
            {"test_x": ERROR},
        ),
        ('<testcase name="s"><skipped/></testcase>', {"s": SKIPPED}),
        ('<testcase name="s" status="notrun"/>', {"s": SKIPPED}),
        ('<testcase name="s" status="run"><failure/></testcase>', {"s": FAILED}),
        ("<testcase/>", {"unnamed": PASSED}),
        ("", {}),
        (
            '<testcase name="t" classname="c"><properties>'
            '<property name="hexhub.id" value="own::id"/></properties></testcase>',
            {"own::id": PASSED},
        ),
        (
            '<testcase name="t"><failure/></testcase><testcase name="t"><error/></testcase>',
            {"t": ERROR},
        ),
        ('<testcase name="t"><failure/></testcase><testcase name="t"/>', {"t": FAILED}),
        (
            '<testsuite><testsuite><testcase name="deep"/></testsuite></testsuite>',
            {"deep": PASSED},
        ),
    ],
)
def test_dialects(cases: str, expected: dict[str, TestOutcome]) -> None:
    """Other tools' JUnit XML gives the ids and outcomes that it means."""
    assert outcomes(junit(cases)) == expected


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("AssertionError: Words.\nassert 1 == 2\n +  where", "Words."),
        ("AssertionError: Two\nlines.\nassert 1 == 2", "Two\nlines."),
        ("assert 1 == 2\n +  where 1 = f()", "assert 1 == 2"),
        ("AssertionError: assert 1 == 2", "assert 1 == 2"),
        ("AssertionError", ""),
        ("Failed: Said by pytest.fail.", "Said by pytest.fail."),
        ("hexhub_check.errors.StudentError: f() raised KeyError", "f() raised KeyError"),
        ("MachineError: Nothing listens.", "Nothing listens."),
        ("ZeroDivisionError: division by zero", "ZeroDivisionError: division by zero"),
    ],
)
def test_the_authors_words_are_kept(said: str, message: str) -> None:
    """The student reads what the author wrote, and pytest's comparison only where that is all."""
    assert author_message(said) == message


def test_failure_without_message_gives_its_text() -> None:
    """Some tools write the reason between the tags only."""
    (result,) = junit('<testcase name="t"><failure type="x">  the reason\n</failure></testcase>')
    assert result.message == "the reason"


def test_headings_over_nothing_are_left_out() -> None:
    """pytest writes headings for each stream; what remains is what the test printed."""
    heading = "-" * 33 + " Captured {} " + "-" * 33
    text = (
        f"{heading.format('Log')}\n\n{heading.format('Out')}\nprinted\n\n{heading.format('Err')}\n"
    )
    (result,) = junit(f'<testcase name="t"><system-out>{text}</system-out></testcase>')
    assert result.output == "printed"


def test_texts_are_cut_and_clean() -> None:
    """No text of a report is stored longer than the limit, or with what XML let through."""
    long = "y" * (MAX_TEXT * 3)
    (result,) = junit(
        f'<testcase name="{long}"><failure message="{long}">t</failure>'
        f"<system-out>{long}&#x85;</system-out></testcase>"
    )
    for text in (result.id, result.name, result.message, result.output):
        assert len(text) < MAX_TEXT + 100
    assert "\x85" not in result.output


@pytest.mark.parametrize("points", ["nan", "inf", "-3", "many", "", "1e400"])
def test_points_are_numbers(points: str) -> None:
    """Points that are no number in bounds count as one point."""
    (result,) = junit(
        '<testcase name="t"><properties>'
        f'<property name="hexhub.points" value="{points}"/></properties></testcase>'
    )
    assert result.points == result.max_points == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no xml",
        "<html/>",
        "<testsuite>",
        '<!DOCTYPE x [<!ENTITY a "b">]><testsuite>&a;</testsuite>',
        '<!DOCTYPE x SYSTEM "file:///etc/passwd"><testsuite/>',
        "\ud800",
        '<?xml version="1.0" encoding="no-such"?><testsuite/>',
        "<testsuite>"
        + "".join(f'<testcase name="{n}"/>' for n in range(MAX_TESTS + 1))
        + "</testsuite>",
    ],
)
def test_unusable_junit_is_refused(text: str) -> None:
    """What is no JUnit XML, or could make us read files or fill memory, is refused."""
    with pytest.raises(ReportUnusable):
        read_junit(text)


def test_deep_junit_does_no_harm() -> None:
    """A report nested a hundred thousand deep is read or refused, not crashed on."""
    depth = 100_000
    text = "<testsuite>" * depth + '<testcase name="t"/>' + "</testsuite>" * depth
    with contextlib.suppress(ReportUnusable):
        assert outcomes(read_junit(text)) == {"t": PASSED}


TAP = """TAP version 14
1..6
ok 1 - adds
not ok 2 - subtracts
  ---
  message: "wrong sign"
  found: -1
  wanted: 1
  ...
# Subtest: inner
    ok 1 - not ours
    1..1
ok 3 - inner
ok 4 - later # SKIP no network
not ok 5 - some day # TODO write it
not ok 6
# a comment that says why
"""


def test_tap_is_read_whole() -> None:
    """Points, directives, YAML blocks, subtests and comments mean what TAP 14 says."""
    results = read_tap(TAP)
    assert outcomes(results) == {
        "adds": PASSED,
        "subtracts": FAILED,
        "inner": PASSED,
        "later": SKIPPED,
        "some day": SKIPPED,
        "test-6": FAILED,
    }
    by_id = {result.id: result for result in results}
    subtracts = by_id["subtracts"]
    assert (subtracts.message, subtracts.expected, subtracts.actual) == ("wrong sign", "1", "-1")
    assert by_id["later"].message == "no network"
    assert by_id["test-6"].message == "a comment that says why"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1..2\nok 1 - a\n", {"a": PASSED, "plan": ERROR}),
        ("ok a\nok a\nnot ok a\n1..3", {"a": PASSED, "a #2": PASSED, "a #3": FAILED}),
        ("ok a #2\nok a\nok a", {"a #2": PASSED, "a": PASSED, "a #3": PASSED}),
        ("ok 1 a\nBail out! disk full\nok 2 b", {"a": PASSED, "bail-out": ERROR}),
        ("1..0 # SKIP nothing here", {}),
        ("ok 1 - has \\# in it\n1..1", {"has # in it": PASSED}),
        ("okay this is no test\nok 1 - a\n1..1", {"a": PASSED}),
        ("1..3\nok\nok\nok", {"test-1": PASSED, "test-2": PASSED, "test-3": PASSED}),
        ("ok 1 - a # TODO later\n1..1", {"a": SKIPPED}),
        ("ok 1 - a # time=2.5ms\nok 2 - b # time=3s # SKIP\n1..2", {"a": PASSED, "b": SKIPPED}),
        ("not ok 1 - a\n  ---\n  message: never ended\nnot ok 2 - b", {"a": FAILED, "b": FAILED}),
        ("not ok 1 - a\n  ---\n  ok: 1\n    ok 2 - c\n  ...\nok 2 - b", {"a": FAILED, "b": PASSED}),
        ("    not ok 1 - lost\nok 1 - a", {"a": PASSED}),
        ("ok 1 - a\n    ok 1 - fine\n    not ok 2 - lost", {"a": PASSED, "lost": FAILED}),
        (
            "not ok 1 - g {\n    ok 1 - a\n    not ok 2 - b\n}\n1..1",
            {"g::a": PASSED, "g::b": FAILED},
        ),
        ("not ok 1 - g {\n    ok 1 - a\n}\n1..1", {"g::a": PASSED, "g": FAILED}),
        ("ok 1 - g {\n    not ok 1 - a\n}\n1..1", {"g::a": FAILED}),
        ("ok 1 - g {\n}\n1..1", {"g": PASSED}),
    ],
)
def test_tap_dialects(text: str, expected: dict[str, TestOutcome]) -> None:
    """Plans, bail-outs, repeated and missing descriptions give stable ids and no false pass."""
    assert outcomes(read_tap(text)) == expected


@pytest.mark.parametrize(
    "text", ["", "nothing of TAP", "ok x\n" * (MAX_TESTS + 1)], ids=["empty", "words", "too many"]
)
def test_unusable_tap_is_refused(text: str) -> None:
    """What is no TAP is refused, and so is more than can be kept."""
    with pytest.raises(ReportUnusable):
        read_tap(text)


def test_exit_code_is_one_test() -> None:
    """Code 0 passes; anything else fails with what the command printed as the message."""
    (passed,) = read_exit(0, "all well")
    (failed,) = read_exit(3, "Port 80 is closed.\n")
    assert (passed.outcome, passed.points, passed.message) == (PASSED, 1.0, "")
    assert (failed.outcome, failed.points, failed.message) == (FAILED, 0.0, "Port 80 is closed.")


def cell(**more: object) -> dict[str, object]:
    return {"id": "mean", "name": "The mean", "score": 1, "max_score": 2} | more


@pytest.mark.parametrize(
    ("given_cell", "outcome", "points"),
    [
        (cell(score=2), PASSED, 2.0),
        (cell(score=1, message="Off by one"), FAILED, 1.0),
        (cell(score=0), FAILED, 0.0),
        (cell(score=5), PASSED, 2.0),
        (cell(score=0, max_score=0), PASSED, 0.0),
        (cell(score=0, max_score=0, message="It raised"), FAILED, 0.0),
    ],
)
def test_cells_are_tests(
    given_cell: dict[str, object], outcome: TestOutcome, points: float
) -> None:
    """A cell passes with its full score; a part of it counts as points, not as a pass."""
    (result,) = read_nbgrader(json.dumps({"cells": [given_cell]}))
    assert (result.id, result.name) == ("mean", "The mean")
    assert (result.outcome, result.points) == (outcome, points)


@pytest.mark.parametrize(
    "report",
    [
        "no json",
        "[]",
        '{"cells": 1}',
        '{"cells": [1]}',
        json.dumps({"cells": [{"name": "no id", "score": 1, "max_score": 1}]}),
        json.dumps({"cells": [cell(score="2")]}),
        json.dumps({"cells": [cell(score=True)]}),
        json.dumps({"cells": [cell(score=-1)]}),
        '{"cells": [{"id": "a", "score": NaN, "max_score": 1}]}',
        '{"cells": [{"id": "a", "score": 1, "max_score": Infinity}]}',
        json.dumps({"cells": [cell(), cell()]}),
        "[" * 100_000,
    ],
)
def test_unusable_nbgrader_report_is_refused(report: str) -> None:
    """Scores that are no scores, and cells without a name, are refused."""
    with pytest.raises(ReportUnusable):
        read_nbgrader(report)


XML_PIECES = [
    "<testsuite>",
    "</testsuite>",
    '<testcase name="a" classname="b.C">',
    "</testcase>",
    '<failure message="AssertionError: x&#10;assert">',
    "</failure>",
    "<skipped/>",
    '<property name="hexhub.points" value="1e9"/>',
    "<properties>",
    "</properties>",
    "<![CDATA[",
    "]]>",
    "&#0;",
    "<!ENTITY a 'b'>",
]
TAP_PIECES = [
    "ok",
    "not ok",
    " 1",
    " - a",
    " # SKIP",
    " # TODO",
    "1..2",
    "\n",
    "  ---\n",
    "  ...\n",
    "Bail out!",
]


@given(
    st.one_of(
        st.text(alphabet=st.characters(codec=None), max_size=200),
        st.lists(st.sampled_from(XML_PIECES), max_size=20).map("".join),
        st.lists(st.sampled_from(XML_PIECES), max_size=8).map(
            lambda pieces: f"<testsuite>{''.join(pieces)}</testsuite>"
        ),
        st.lists(st.sampled_from(TAP_PIECES), max_size=20).map("".join),
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.floats(), st.text(max_size=9)),
            lambda inner: st.one_of(
                st.lists(inner, max_size=4),
                st.dictionaries(
                    st.sampled_from(["cells", "id", "name", "score", "max_score", "names"]), inner
                ),
            ),
        ).map(json.dumps),
    )
)
def test_no_report_does_harm(text: str) -> None:
    """Whatever a report holds, it is read or refused, and what was read can be stored."""
    for read in (read_junit, read_tap, read_nbgrader):
        try:
            results = read(text)
        except ReportUnusable:
            continue
        ids = [result.id for result in results]
        assert all(a != b for a, b in pairwise(sorted(ids)))
        for result in results:
            assert f"{result.id}{result.name}{result.message}{result.output}".encode()
            assert 0 <= result.points <= result.max_points <= 1000
