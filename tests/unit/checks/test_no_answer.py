"""A machine check whose harness did not answer: the student's doing, or perhaps ours."""

from dataclasses import replace
from unittest.mock import create_autospec

import pytest

from hexhub.catalog.model import CheckKind, CheckSpec, MachineUser, ReportFormat
from hexhub.checks.engine import Engine
from hexhub.checks.model import Outcome, OutcomeKind
from hexhub.checks.runner import run_step_check
from hexhub.checks.sandbox import HarnessRun, Sandbox
from hexhub.errors import MachineNotRunning, ReportUnusable

from .test_containers import LESSON

SPEC = CheckSpec(CheckKind.MACHINE, "pytest -q", ReportFormat.JUNIT, 20.0)
NO_FILES = HarnessRun(None, exit_code=1, stderr="OSError: [Errno 24] Too many open files\n")


def judged(run: HarnessRun, user: MachineUser, *, runs: bool = True) -> Outcome:
    """Give what comes of a run in a lesson whose student is ``user``."""
    sandbox = create_autospec(Sandbox, instance=True)
    sandbox.engine = create_autospec(Engine, instance=True)
    sandbox.engine.is_running.side_effect = [True, runs]
    sandbox.run.return_value = run
    return run_step_check(sandbox, replace(LESSON, user=user), SPEC, {}, "machine", None)


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (NO_FILES, "keeps it from its work"),
        (replace(NO_FILES, exit_code=0, stderr=""), "keeps it from its work"),
        (replace(NO_FILES, exit_code=137), "killed from within"),
        (replace(NO_FILES, stderr="KeyboardInterrupt"), "killed from within"),
        (HarnessRun(None, was_hindered=True), "could not be started"),
        (HarnessRun(None, is_overdue=True), "longer than 20 s"),
    ],
    ids=["limits", "quiet", "killed", "interrupted", "hindered", "overdue"],
)
def test_who_is_root_can_spoil_a_check_of_their_own(run: HarnessRun, words: str) -> None:
    """They are told so, at once; the author has nothing to mend."""
    outcome = judged(run, MachineUser.ROOT)
    assert outcome.kind is OutcomeKind.ERROR
    assert words in outcome.message


def test_who_is_not_root_cannot() -> None:
    """There it may be our fault: it is tried again, and the author hears of it."""
    with pytest.raises(ReportUnusable, match=r"exit code 1.*Too many open files"):
        judged(NO_FILES, MachineUser.STUDENT)


def test_a_machine_that_has_ended_says_so() -> None:
    """With the machine the check ends, too."""
    with pytest.raises(MachineNotRunning, match="ended while it was checked"):
        judged(NO_FILES, MachineUser.ROOT, runs=False)
