"""The rules of open, done, hints and the solution."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hexhub.catalog.model import (
    Hint,
    Lesson,
    Limits,
    MachineUser,
    Network,
    Reveal,
    RevealWhen,
    Step,
    Text,
)
from hexhub.checks.model import Outcome, OutcomeKind, TestOutcome, TestResult
from hexhub.names import CourseName, LessonName, StepName, UserName, Version
from hexhub.progress.model import (
    Attempt,
    AttemptState,
    Place,
    Progress,
    StepState,
    current_step,
    hint_refusal,
    is_finished,
    solution_refusal,
    step_state,
)

TEXT = Text({"en": "x"})
A, B, C = StepName("a"), StepName("b"), StepName("c")
STEPS = (
    Step(A, TEXT, TEXT, None),
    Step(B, TEXT, TEXT, None, needs=(A,)),
    Step(C, TEXT, TEXT, None),
)
LESSON = Lesson(
    CourseName("c"),
    LessonName("l"),
    TEXT,
    "hexhub/base",
    MachineUser.STUDENT,
    Limits(1, 1.0, 1, 1, 1),
    Network.NONE,
    STEPS,
    TEXT,
)
PLACE = Place(UserName("ada"), LESSON.course, LESSON.name)
NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
PROGRESS = Progress(PLACE, Version("v"), NOW)


def attempt(outcome: Outcome | None) -> Attempt:
    """Give an attempt with this outcome."""
    state = AttemptState.QUEUED if outcome is None else AttemptState.DONE
    return Attempt("x", PLACE, A, Version("v"), state, NOW, outcome=outcome)


def failed(test: str) -> Attempt:
    """Give an attempt at which one test failed and one passed."""
    return attempt(
        Outcome(
            OutcomeKind.FAILED,
            tests=(
                TestResult(test, test, TestOutcome.FAILED),
                TestResult("good", "good", TestOutcome.PASSED),
            ),
        )
    )


def test_a_step_opens_when_its_needs_are_passed() -> None:
    """Locked, open and passed follow from what is passed alone."""
    assert [step_state(step, []) for step in STEPS] == [
        StepState.OPEN,
        StepState.LOCKED,
        StepState.OPEN,
    ]
    assert [step_state(step, [A]) for step in STEPS] == [
        StepState.PASSED,
        StepState.OPEN,
        StepState.OPEN,
    ]


def test_the_current_step_is_the_first_open_one() -> None:
    """Locked steps are passed over; when all is passed it is the last."""
    assert current_step(LESSON, []).name == A
    assert current_step(LESSON, [A]).name == B
    assert current_step(LESSON, [A, B]).name == C
    assert current_step(LESSON, [A, B, C]).name == C


def test_finished_is_every_step() -> None:
    """A lesson is finished when all its steps are passed, also with steps that are gone."""
    assert not is_finished(LESSON, [A, B])
    assert is_finished(LESSON, [A, B, C, StepName("gone")])


@pytest.mark.parametrize(
    ("hint", "attempts", "after_s", "reason"),
    [
        (Hint(TEXT), [], 0, None),
        (Hint(TEXT, after_attempts=2), [], 0, "after 2 more checks."),
        (Hint(TEXT, after_attempts=2), [failed("t")], 0, "after 1 more check."),
        (Hint(TEXT, after_attempts=2), [failed("t"), attempt(None)], 0, "after 1 more check."),
        (Hint(TEXT, after_attempts=2), [failed("t"), failed("t")], 0, None),
        (Hint(TEXT, after_test="t"), [failed("u")], 0, "a test that has not failed yet"),
        (Hint(TEXT, after_test="good"), [failed("u")], 0, "a test that has not failed yet"),
        (Hint(TEXT, after_test="t"), [failed("t"), failed("u")], 0, None),
        (Hint(TEXT, after_s=600), [], 0, "opens in 10 min"),
        (Hint(TEXT, after_s=600), [], 590, "opens in 1 min"),
        (Hint(TEXT, after_s=600), [], 600, None),
    ],
)
def test_hints_have_conditions(
    hint: Hint, attempts: list[Attempt], after_s: int, reason: str | None
) -> None:
    """A hint is refused with what is still missing."""
    now = NOW + timedelta(seconds=after_s)
    found = hint_refusal(hint, attempts=attempts, started_at=NOW, now=now)
    assert found is None if reason is None else reason in (found or "")


@pytest.mark.parametrize(
    ("reveal", "is_done", "after_s", "reason"),
    [
        (Reveal(), False, 10**6, "when all steps are passed"),
        (Reveal(), True, 0, None),
        (Reveal(RevealWhen.NEVER), True, 0, "author keeps"),
        (Reveal(RevealWhen.AFTER, 1200), False, 0, "in 20 min"),
        (Reveal(RevealWhen.AFTER, 1200), False, 1200, None),
        (Reveal(RevealWhen.AFTER, 1200), True, 0, None),
    ],
)
def test_the_solution_opens_as_the_author_says(
    reveal: Reveal, is_done: bool, after_s: int, reason: str | None
) -> None:
    """The solution is refused with the reason until the author's condition is met."""
    progress = replace(PROGRESS, finished_at=NOW) if is_done else PROGRESS
    found = solution_refusal(reveal, progress, NOW + timedelta(seconds=after_s))
    assert found is None if reason is None else reason in (found or "")


def test_grading_again_counts_as_no_attempt() -> None:
    """Hints that wait for attempts wait for the student's own; a test that failed has failed."""
    again = replace(failed("t::a"), regrade_of="x")
    by_number = Hint(TEXT, after_attempts=2)
    by_test = Hint(TEXT, after_test="t::a")
    asked_for = attempt(Outcome(OutcomeKind.FAILED))
    assert (
        hint_refusal(by_number, attempts=[asked_for, again], started_at=NOW, now=NOW)
        == "This hint opens after 1 more check."
    )
    assert hint_refusal(by_test, attempts=[asked_for, again], started_at=NOW, now=NOW) is None
