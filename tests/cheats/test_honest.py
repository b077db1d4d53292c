"""The lessons themselves: the starter fails, the solution passes, and hidden words stay hidden."""

import pytest

from hexhub.checks.model import Outcome, OutcomeKind, TestOutcome, TestResult
from hexhub.names import CourseName, LessonName, UserName
from hexhub.progress.model import Place

from .cheat import Cheat
from .honest_lessons import ANSWER, CANARY, EXPECTED, PAGE, ROOT_PAGE, START_NGINX
from .trial import Seen, Trials, answers_for_student


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


def test_an_upgraded_nginx_is_nginx(trials: Trials) -> None:
    """Another nginx than the image's passes, also where its file was replaced after the start."""
    upgrade = (
        "LC_ALL=C sed 's/nginx version: /NGINX version: /' /usr/sbin/nginx >/tmp/newer\n"
        "chmod 755 /tmp/newer\n! cmp -s /tmp/newer /usr/sbin/nginx || exit 1\n"
        "mv -f /tmp/newer /usr/sbin/nginx\n"
    )
    again = "cp /usr/sbin/nginx /tmp/newest\nmv -f /tmp/newest /usr/sbin/nginx\n"
    script = f"set -e\n{upgrade}{START_NGINX}{again}echo {ANSWER} >word.txt\n"
    seen = trials.cheat(ROOT_PAGE, Cheat("upgrade", "Nothing.", script=script, knows_the_word=True))
    assert seen.outcome.kind is OutcomeKind.PASSED, seen.outcome


def test_a_leak_would_be_seen(trials: Trials) -> None:
    """A hidden word in the student's machine, or in an answer of the API, is found by the suite."""
    script = f"echo {CANARY} >/tmp/found; echo {ANSWER} >found.txt"
    seen = trials.cheat(PAGE, Cheat("leak", "Nothing.", script=script))
    assert seen.leaks == (f"{ANSWER} in /home/student", f"{CANARY} in /tmp")

    for word in (CANARY, ANSWER, "\x1b[2J"):
        result = TestResult("t::a", "A", TestOutcome.FAILED, message=word)
        outcome = Outcome(OutcomeKind.FAILED, tests=(result,))
        place = Place(UserName("mallory"), CourseName("honest"), LessonName(PAGE))
        with pytest.raises(AssertionError):
            Seen(outcome, answers_for_student(place, outcome), ()).check_hidden()
