"""No cheat passes a check of a notebook, or learns anything by it."""

from pathlib import Path

import docker
import pytest

from hexhub.checks.model import OutcomeKind
from hexhub.checks.sandbox import Sandbox

from .against_notebook import CHEATS
from .cheat import Cheat
from .honest_lessons import MARKS, write_honest_course
from .trial import Trials


@pytest.mark.parametrize("cheat", CHEATS, ids=lambda cheat: cheat.name)
def test_no_cheat_passes(trials: Trials, cheat: Cheat) -> None:
    """Whatever the notebook does instead of the task fails, ends, and finds nothing hidden."""
    trials.cheat(MARKS, cheat).check_refused(cheat)


def test_no_test_judges_by_what_the_student_could_replace(
    sandbox: Sandbox, client: docker.APIClient, tmp_path: Path
) -> None:
    """A test that calls a function of a plain cell passes nobody, and its author is told why.

    The notebook's code runs after that cell and could put another ``is_total`` in its place.
    """
    helper = "def is_total(found, wanted):\n    return found == wanted\n"
    trials = Trials(sandbox, client, write_honest_course(tmp_path, helper=helper))

    seen = trials.solution(MARKS)

    assert seen.outcome.kind is OutcomeKind.FAILED
    assert seen.outcome.failing_tests == ("test-total",)
    assert "uses 'is_total' of another cell" in seen.outcome.tests[0].message
