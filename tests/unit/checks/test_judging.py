"""A run is a pass only when everything agrees."""

from dataclasses import replace

import pytest

from hexhub.catalog.model import CheckKind, CheckSpec, ReportFormat
from hexhub.checks.harness import HarnessAnswer
from hexhub.checks.model import OutcomeKind
from hexhub.checks.runner import judge_answer

SPEC = CheckSpec(CheckKind.FILES, "pytest -q", ReportFormat.JUNIT, 20.0)
GOOD = '<testsuite><testcase classname="test_a" name="test_b"/></testsuite>'
BAD = '<testsuite><testcase classname="test_a" name="test_b"><failure/></testcase></testsuite>'
EXPECTED = ("test_a::test_b",)
ANSWER = HarnessAnswer(
    exit_code=0,
    timed_out=False,
    output="printed",
    output_bytes=7,
    report=GOOD,
    report_too_big=False,
    duration_s=0.5,
)


def test_a_pass_needs_report_ids_and_exit_code() -> None:
    """With all three it passes, and the run's output and time are kept."""
    outcome = judge_answer(SPEC, ANSWER, EXPECTED)
    assert outcome.kind is OutcomeKind.PASSED
    assert (outcome.output, outcome.duration_s) == ("printed", 0.5)
    assert judge_answer(SPEC, ANSWER, None).is_pass


@pytest.mark.parametrize(
    ("answer", "expected", "kind", "words"),
    [
        (replace(ANSWER, report=BAD, exit_code=1), EXPECTED, "failed", ""),
        (replace(ANSWER, report=BAD), EXPECTED, "failed", ""),
        (replace(ANSWER, exit_code=1), EXPECTED, "error", "exit code 1"),
        (ANSWER, (*EXPECTED, "test_a::test_c"), "error", "test_a::test_c"),
        (replace(ANSWER, report=None), EXPECTED, "error", "made no report"),
        (replace(ANSWER, report=None), None, "error", "made no report"),
        (replace(ANSWER, report="<testsuite/>"), None, "error", "no tests"),
        (replace(ANSWER, report="rubbish"), EXPECTED, "error", "no XML"),
        (replace(ANSWER, report=None, report_too_big=True), EXPECTED, "error", "bigger than"),
        (replace(ANSWER, timed_out=True, exit_code=None), EXPECTED, "error", "longer than 20 s"),
        (replace(ANSWER, timed_out=True), EXPECTED, "error", "longer than 20 s"),
        (replace(ANSWER, exit_code=None), EXPECTED, "error", "was stopped"),
        (replace(ANSWER, exit_code=-9), EXPECTED, "error", "exit code -9"),
    ],
)
def test_anything_less_is_no_pass(
    answer: HarnessAnswer, expected: tuple[str, ...] | None, kind: str, words: str
) -> None:
    """A missing test, a missing report, another exit code or too much time are never a pass."""
    outcome = judge_answer(SPEC, answer, expected)
    assert outcome.kind.value == kind
    assert words in outcome.message


def test_memory_is_named() -> None:
    """Where memory ran out, the student reads that and the limit; a full pass stays one."""
    failed = judge_answer(SPEC, replace(ANSWER, report=BAD), EXPECTED, is_out_of_memory=True)
    assert failed.kind is OutcomeKind.ERROR
    assert "512 MB of memory" in failed.message
    assert failed.failing_tests == EXPECTED
    assert judge_answer(SPEC, ANSWER, EXPECTED, is_out_of_memory=True).is_pass


@pytest.mark.parametrize(("exit_code", "kind"), [(0, OutcomeKind.PASSED), (1, OutcomeKind.FAILED)])
def test_the_exit_code_can_be_the_report(exit_code: int, kind: OutcomeKind) -> None:
    """A check that reports by its exit code has one test, and its output is the message."""
    spec = replace(SPEC, report=ReportFormat.EXIT)
    outcome = judge_answer(spec, replace(ANSWER, exit_code=exit_code, report=None), ("exit",))
    assert outcome.kind is kind
    assert outcome.tests[0].message == ("" if exit_code == 0 else "printed")
