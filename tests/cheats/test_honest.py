"""The lessons themselves: the starter fails, the solution passes, and hidden words stay hidden."""

import pytest

from hexhub.checks.model import OutcomeKind

from .honest_lessons import EXPECTED
from .trial import Trials


@pytest.mark.parametrize("lesson", EXPECTED)
def test_the_starter_fails(trials: Trials, lesson: str) -> None:
    """What a student begins with is no pass, and tells nothing that is hidden."""
    seen = trials.starter(lesson)
    assert seen.outcome.kind is OutcomeKind.FAILED, seen.outcome
    seen.check_hidden()


@pytest.mark.parametrize("lesson", EXPECTED)
def test_the_solution_passes(trials: Trials, lesson: str) -> None:
    """An honest answer passes every test."""
    seen = trials.solution(lesson)
    assert seen.outcome.kind is OutcomeKind.PASSED, seen.outcome
    assert tuple(test.id for test in seen.outcome.tests) == EXPECTED[lesson]
    seen.check_hidden()
