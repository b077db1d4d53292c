"""Reports that real tools have written are read as they are meant (see ``reports/README.md``)."""

from pathlib import Path

import pytest

from hexhub.catalog.model import Show
from hexhub.checks.model import Outcome, OutcomeKind, TestOutcome, TestResult, redact
from hexhub.checks.reports import read_junit
from hexhub.checks.tap import read_tap

SAMPLES = Path(__file__).parent / "reports"
FILES = sorted(path.name for path in SAMPLES.iterdir() if path.suffix in (".xml", ".tap"))
NODE_EXPECTED = "{\n  a: 1,\n  b: [\n    1,\n    3\n  ]\n}"
JSON_EXPECTED = '{\n  "a": 1,\n  "b": [\n    1,\n    3,\n  ],\n}'
JEST_EXPECTED = 'Object {\n  "a": 1,\n  "b": Array [\n    1,\n    3,\n  ],\n}'

OUTCOMES = {
    "pytest-xunit2.xml": {
        "test_sums::test_passes": "passed",
        "test_sums::test_compares": "failed",
        "test_sums::test_raises": "failed",
        "test_sums::test_skipped": "skipped",
        "test_sums::test_xfail": "skipped",
        "test_sums::test_each[a b]": "passed",
        "test_sums::test_each[<&>]": "failed",
        "test_sums::TestShop::test_in_class": "failed",
        "test_sums::test_teardown": "error",
        "test_sums::test_setup": "error",
    },
    "vitest.xml": {
        "broken.test.js": "failed",
        "sums::sums > passes": "passed",
        "sums::sums > compares": "failed",
        "sums::sums > compares objects": "failed",
        "sums::sums > raises": "failed",
        "sums::sums > skipped": "skipped",
        "sums::sums > some day": "skipped",
        "sums::sums > deeper > contains <&>": "failed",
        "sums::broken set-up > never runs": "skipped",
        "sums::broken set-up": "failed",
    },
    "vitest.tap": {
        "broken.test.js": "failed",
        "sums.test.js::sums::passes": "passed",
        "sums.test.js::sums::compares": "failed",
        "sums.test.js::sums::compares objects": "failed",
        "sums.test.js::sums::raises": "failed",
        "sums.test.js::sums::skipped": "skipped",
        "sums.test.js::sums::some day": "skipped",
        "sums.test.js::sums::deeper::contains <&>": "failed",
        "sums.test.js::broken set-up::never runs": "skipped",
        "sums.test.js::broken set-up": "failed",
    },
    "vitest-flat.tap": {
        "broken.test.js": "failed",
        "sums.test.js > sums > passes": "passed",
        "sums.test.js > sums > compares": "failed",
        "sums.test.js > sums > compares objects": "failed",
        "sums.test.js > sums > raises": "failed",
        "sums.test.js > sums > skipped": "skipped",
        "sums.test.js > sums > some day": "skipped",
        "sums.test.js > sums > deeper > contains <&>": "failed",
        "sums.test.js > broken set-up > never runs": "skipped",
    },
    "jest-junit.xml": {
        "sums passes": "passed",
        "sums compares": "failed",
        "sums compares objects": "failed",
        "sums raises": "failed",
        "sums skipped": "skipped",
        "sums some day": "passed",
        "sums deeper contains <&>": "failed",
        "Test suite failed to run::broken.test.js": "error",
    },
    "mocha-junit-reporter.xml": {
        "sums passes": "passed",
        "sums compares": "failed",
        "sums compares objects": "failed",
        "sums raises": "failed",
        "sums deeper contains <&>": "failed",
        'broken set-up "before all" hook for "never runs"': "failed",
    },
    "mocha-xunit.xml": {
        "sums::passes": "passed",
        "sums::compares": "failed",
        "sums::compares objects": "failed",
        "sums::raises": "failed",
        "sums::skipped": "skipped",
        "sums::pending": "skipped",
        "sums deeper::contains <&>": "failed",
        'broken set-up::"before all" hook for "never runs"': "failed",
    },
    "mocha.tap": {
        "sums passes": "passed",
        "sums compares": "failed",
        "sums compares objects": "failed",
        "sums raises": "failed",
        "sums skipped": "skipped",
        "sums pending": "skipped",
        "sums deeper contains <&>": "failed",
        'broken set-up "before all" hook for "never runs"': "failed",
    },
    "node-test.xml": {
        "sums::sums::passes": "passed",
        "sums::sums::compares": "failed",
        "sums::sums::compares objects": "failed",
        "sums::sums::raises": "failed",
        "sums::sums::skipped": "skipped",
        "sums::sums::some day": "skipped",
        "sums::sums::deeper::contains <&>": "failed",
        "sums::alone": "passed",
        "sums::alone and wrong": "failed",
        "sums::broken set-up::never runs": "failed",
    },
    "node-test.tap": {
        "sums::passes": "passed",
        "sums::compares": "failed",
        "sums::compares objects": "failed",
        "sums::raises": "failed",
        "sums::skipped": "skipped",
        "sums::some day": "skipped",
        "sums::deeper::contains <&>": "failed",
        "alone": "passed",
        "alone and wrong": "failed",
        "broken set-up::never runs": "failed",
        "broken set-up": "failed",
    },
    "tap.tap": {
        "passes": "passed",
        "compares": "failed",
        "compares objects": "failed",
        "raises": "failed",
        "skipped": "skipped",
        "some day": "skipped",
    },
    "ant-junit4.xml": {
        "SumsTest::passes": "passed",
        "SumsTest::raises": "error",
        "SumsTest::condition": "failed",
        "SumsTest::assumes": "skipped",
        "SumsTest::compares": "failed",
        "SumsTest::comparesLists": "failed",
        "SumsTest::comparesTexts": "failed",
        "SumsTest::bare": "failed",
        "SumsTest::skipped": "skipped",
    },
    "surefire-junit4.xml": {
        "example::SumsTest::passes": "passed",
        "example::SumsTest::raises": "error",
        "example::SumsTest::condition": "failed",
        "example::SumsTest::assumes": "skipped",
        "example::SumsTest::compares": "failed",
        "example::SumsTest::comparesLists": "failed",
        "example::SumsTest::comparesTexts": "failed",
        "example::SumsTest::bare": "failed",
        "example::SumsTest::skipped": "skipped",
    },
    "junit5-console.xml": {
        "SumsJupiterTest::condition()": "failed",
        "SumsJupiterTest::passes()": "passed",
        "SumsJupiterTest::skipped()": "skipped",
        "SumsJupiterTest::raises()": "error",
        "SumsJupiterTest::comparesWithWords()": "failed",
        "SumsJupiterTest$Deeper::inner()": "failed",
        "SumsJupiterTest::compares()": "failed",
        "SumsJupiterTest::each(int)[1]": "passed",
        "SumsJupiterTest::each(int)[2]": "failed",
    },
    "gotestsum.xml": {
        "sums::TestPlain": "failed",
        "sums::TestTestify": "failed",
        "sums::TestTestifyStruct": "failed",
        "sums::TestTable/two": "failed",
        "sums::TestTable": "failed",
        "sums::TestZPanics": "failed",
        "sums::TestSkipped": "skipped",
        "sums::TestPasses": "passed",
        "sums::TestTable/one": "passed",
    },
    "libtest.xml": {
        "tests::compares": "failed",
        "tests::compares_with_words": "failed",
        "tests::condition": "failed",
        "tests::differs": "failed",
        "tests::passes": "passed",
        "tests::raises": "failed",
    },
    "gtest.xml": {
        "Sums::Passes": "passed",
        "Sums::Compares": "failed",
        "Sums::Texts": "failed",
        "Sums::Twice": "failed",
        "Sums::Condition": "failed",
        "Sums::Raises": "failed",
        "Sums::Skipped": "skipped",
        "Sums::DISABLED_Later": "skipped",
        "Each::IsSmall/0": "passed",
        "Each::IsSmall/1": "failed",
    },
    "ctest.xml": {
        "passes": "passed",
        "compares": "failed",
        "skipped": "skipped",
        "disabled": "skipped",
        "missing": "skipped",
        "overdue": "failed",
    },
    "phpunit.xml": {
        "SumsTest::testPasses": "passed",
        "SumsTest::testCompares": "failed",
        "SumsTest::testTexts": "failed",
        "SumsTest::testArrays": "failed",
        "SumsTest::testRaises": "error",
        "SumsTest::testSkipped": "skipped",
        'SumsTest::testEach with data set "one"': "passed",
        'SumsTest::testEach with data set "two"': "failed",
    },
    "bats.xml": {
        "sums::passes": "passed",
        "sums::compares": "failed",
        "sums::skipped": "skipped",
        "sums::program fails": "failed",
    },
    "bats.tap": {
        "passes": "passed",
        "compares": "failed",
        "skipped": "skipped",
        "program fails": "failed",
    },
    "bats13.tap": {
        "passes": "passed",
        "compares": "failed",
        "skipped": "skipped",
        "program fails": "failed",
    },
    "test-more.tap": {
        "passes": "passed",
        "compares": "failed",
        "compares lists": "failed",
        "condition": "failed",
        "test-5": "skipped",
        "some day": "skipped",
        "deeper": "failed",
        "matches": "failed",
    },
}
OUTCOMES["pytest-legacy.xml"] = OUTCOMES["pytest-xunit2.xml"]

# file, test, message, expected, actual
REASONS = [
    ("pytest-xunit2.xml", "test_sums::test_compares", "assert -1 == 5", "5", "-1"),
    ("pytest-legacy.xml", "test_sums::test_each[<&>]", "wrong: <&>", None, None),
    ("pytest-xunit2.xml", "test_sums::test_raises", "ValueError: no such thing", None, None),
    ("pytest-xunit2.xml", "test_sums::test_skipped", "no network", None, None),
    (
        "vitest.xml",
        "sums::sums > compares",
        "expected -1 to be 5 // Object.is equality",
        "5",
        "-1",
    ),
    (
        "vitest.xml",
        "sums::sums > deeper > contains <&>",
        "expected 'hello world' to contain 'bye'",
        '"bye"',
        '"hello world"',
    ),
    ("vitest.xml", "sums::broken set-up", "cannot set up", None, None),
    (
        "vitest.tap",
        "sums.test.js::sums::compares objects",
        "expected { a: 1, b: [ 1, 2 ] } to deeply equal { a: 1, b: [ 1, 3 ] }",
        JSON_EXPECTED,
        JSON_EXPECTED.replace("3", "2"),
    ),
    (
        "jest-junit.xml",
        "sums compares",
        "Error: expect(received).toBe(expected) // Object.is equality\n\nExpected: 5\nReceived: -1",
        "5",
        "-1",
    ),
    (
        "jest-junit.xml",
        "sums compares objects",
        None,
        JEST_EXPECTED,
        JEST_EXPECTED.replace("3", "2"),
    ),
    (
        "jest-junit.xml",
        "Test suite failed to run::broken.test.js",
        "● Test suite failed to run\n\n    Cannot find module './nowhere.js' from 'broken.test.js'",
        None,
        None,
    ),
    ("jest-junit.xml", "sums raises", "TypeError: no such thing", None, None),
    (
        "mocha-junit-reporter.xml",
        "sums compares",
        "Expected values to be strictly equal:\n\n-1 !== 5",
        "5",
        "-1",
    ),
    (
        "mocha-junit-reporter.xml",
        "sums compares objects",
        None,
        NODE_EXPECTED,
        NODE_EXPECTED.replace("3", "2"),
    ),
    (
        "mocha-xunit.xml",
        "sums::compares",
        "Expected values to be strictly equal:\n\n-1 !== 5",
        "5",
        "-1",
    ),
    (
        "mocha-xunit.xml",
        "sums::compares objects",
        None,
        NODE_EXPECTED,
        NODE_EXPECTED.replace("3", "2"),
    ),
    ("mocha-xunit.xml", "sums::raises", "no such thing", None, None),
    (
        "mocha.tap",
        "sums compares objects",
        None,
        NODE_EXPECTED,
        NODE_EXPECTED.replace("3", "2"),
    ),
    ("node-test.xml", "sums::alone and wrong", "the lines differ", "'a\\nc'", "'a\\nb'"),
    (
        "node-test.xml",
        "sums::sums::compares objects",
        None,
        NODE_EXPECTED,
        NODE_EXPECTED.replace("3", "2"),
    ),
    ("node-test.tap", "sums::compares", None, "5", "-1"),
    ("node-test.tap", "alone and wrong", "the lines differ", "a\nc", "a\nb"),
    (
        "node-test.tap",
        "sums::compares objects",
        None,
        "a: 1\nb:\n  0: 1\n  1: 3",
        "a: 1\nb:\n  0: 1\n  1: 2",
    ),
    ("node-test.tap", "broken set-up", "cannot set up", None, None),
    ("tap.tap", "compares", "five", "5", "-1"),
    ("tap.tap", "raises", "no such thing", None, None),
    ("tap.tap", "skipped", "no network", None, None),
    ("ant-junit4.xml", "SumsTest::compares", "expected:<5> but was:<-1>", "5", "-1"),
    ("ant-junit4.xml", "SumsTest::comparesTexts", None, "hello w[o]rld", "hello w[u]rld"),
    ("ant-junit4.xml", "SumsTest::bare", "", None, None),
    ("ant-junit4.xml", "SumsTest::raises", "no such thing", None, None),
    ("surefire-junit4.xml", "example::SumsTest::compares", None, "5", "-1"),
    ("surefire-junit4.xml", "example::SumsTest::bare", "", None, None),
    ("surefire-junit4.xml", "example::SumsTest::assumes", "no database", None, None),
    ("junit5-console.xml", "SumsJupiterTest::comparesWithWords()", None, "[1, 3]", "[1, 2]"),
    ("junit5-console.xml", "SumsJupiterTest::skipped()", "no network", None, None),
    ("gotestsum.xml", "sums::TestPlain", "add(2, 3) = -1; want 5", "5", "-1"),
    ("gotestsum.xml", "sums::TestTestify", "the sum", "5", "-1"),
    ("gotestsum.xml", "sums::TestTestifyStruct", None, "[]int{1, 3}", "[]int{1, 2}"),
    ("gotestsum.xml", "sums::TestZPanics", "panic: no such thing", None, None),
    ("gotestsum.xml", "sums::TestSkipped", "no network", None, None),
    ("libtest.xml", "tests::compares", None, "5", "-1"),
    ("libtest.xml", "tests::compares_with_words", None, "[1, 3]", "[1, 2]"),
    ("libtest.xml", "tests::condition", "it is not even", None, None),
    ("gtest.xml", "Sums::Compares", None, "5", "-1"),
    ("gtest.xml", "Sums::Condition", None, "true", "false"),
    ("gtest.xml", "Sums::Skipped", "no network", None, None),
    ("phpunit.xml", "SumsTest::testCompares", None, "5", "-1"),
    ("phpunit.xml", "SumsTest::testTexts", None, "'hello world'", "'hello wurld'"),
    ("phpunit.xml", "SumsTest::testRaises", "RuntimeException: no such thing", None, None),
    ("bats.xml", "sums::program fails", "oops", None, None),
    ("bats.tap", "program fails", "oops", None, None),
    ("bats13.tap", "program fails", "oops", None, None),
    ("test-more.tap", "compares", None, "'5'", "'-1'"),
    ("test-more.tap", "compares lists", None, "'3'", "'2'"),
    ("test-more.tap", "deeper", None, "'b'", "'a'"),
]


def read(file: str) -> dict[str, TestResult]:
    text = (SAMPLES / file).read_text(encoding="utf-8")
    results = read_tap(text) if file.endswith(".tap") else read_junit(text)
    return {result.id: result for result in results}


def test_every_sample_is_looked_at() -> None:
    """No file lies here that no test reads."""
    assert sorted(OUTCOMES) == FILES


@pytest.mark.parametrize("file", FILES)
def test_ids_and_outcomes(file: str) -> None:
    """Every test of the file is there under an id of its own, with the outcome that it had."""
    assert {name: result.outcome.value for name, result in read(file).items()} == OUTCOMES[file]


@pytest.mark.parametrize(("file", "test", "message", "expected", "actual"), REASONS)
def test_reasons(
    file: str, test: str, message: str | None, expected: str | None, actual: str | None
) -> None:
    """What is said of a failure is its reason, and both sides are there where the tool has them."""
    result = read(file)[test]
    assert (result.expected, result.actual) == (expected, actual)
    if message is not None:
        assert result.message == message


@pytest.mark.parametrize(
    ("file", "test"),
    [
        ("pytest-xunit2.xml", "test_sums::test_compares"),
        ("vitest.xml", "sums::sums > compares"),
        ("surefire-junit4.xml", "example::SumsTest::compares"),
        ("gotestsum.xml", "sums::TestPlain"),
        ("libtest.xml", "tests::compares"),
    ],
)
def test_what_a_test_printed_is_its_output(file: str, test: str) -> None:
    """Only what the test printed stands there: no headings, no reason, no trace."""
    assert read(file)[test].output == "this was printed"


@pytest.mark.parametrize(
    ("file", "test", "milliseconds"),
    [
        ("vitest.xml", "sums::sums > compares", 10.5445),
        ("vitest.tap", "sums.test.js::sums::compares", 10.89),
        ("node-test.xml", "sums::sums::passes", 3.172),
        ("node-test.tap", "sums::passes", 2.36122),
        ("tap.tap", "compares", 25.26),
        ("ant-junit4.xml", "SumsTest::raises", 9.0),
    ],
)
def test_durations(file: str, test: str, milliseconds: float) -> None:
    """Seconds and milliseconds, in attributes, directives and YAML."""
    assert read(file)[test].duration_s == pytest.approx(milliseconds / 1000)


def test_junit_5_display_names_are_shown() -> None:
    """The name that the author gave is shown; the lines that carried it are no output."""
    result = read("junit5-console.xml")["SumsJupiterTest::condition()"]
    assert (result.name, result.output) == ("3 is even", "")


@pytest.mark.parametrize("file", FILES)
def test_no_stack_traces(file: str) -> None:
    """A message has no frames of the test's own code in it."""
    for result in read(file).values():
        assert "\n    at " not in result.message
        assert "\tat " not in result.message
        assert "❯" not in result.message


@pytest.mark.parametrize("file", FILES)
def test_messages_alone_give_no_answer_away(file: str) -> None:
    """With ``show: message`` the value that was wanted is nowhere, whatever tool wrote it."""
    tests = tuple(result for result in read(file).values() if result.expected is not None)
    shown = redact(Outcome(OutcomeKind.FAILED, tests=tests), Show.MESSAGE)
    for before, after in zip(tests, shown.tests, strict=True):
        assert before.expected
        assert before.expected not in after.message
        assert (after.expected, after.actual, after.output) == (None, None, "")


def test_passed_tests_have_points() -> None:
    """A test that passed gives its point, all others none."""
    for file in FILES:
        for result in read(file).values():
            assert result.points == (1.0 if result.outcome is TestOutcome.PASSED else 0.0)
