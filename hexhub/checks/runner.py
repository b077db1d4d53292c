"""A check and a machine → the outcome."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from hexhub.catalog.model import CheckKind, CheckSpec, Lesson, MachineUser, ReportFormat
from hexhub.catalog.overlays import Overlay
from hexhub.checks.containers import make_spec
from hexhub.checks.files import take_submission
from hexhub.checks.harness import HARNESS, MAX_REPORT_BYTES, HarnessAnswer
from hexhub.checks.limits import with_limit
from hexhub.checks.machine import expect_running
from hexhub.checks.model import Outcome, OutcomeKind, TestResult, judge
from hexhub.checks.notebook import take_notebook
from hexhub.checks.reports import READERS, read_exit
from hexhub.checks.sandbox import HarnessRun, Sandbox
from hexhub.checks.texts import clean_end
from hexhub.errors import CheckError, MachineNotRunning, ReportUnusable, SubmissionUnusable

Keep = Callable[[Overlay], None]
"""Is given what was taken from a student's machine, before it is checked."""

log = logging.getLogger(__name__)

_BY_SIGNAL = 128
"""Exit codes above it tell which signal ended the container's first process."""


def run_step_check(
    sandbox: Sandbox,
    lesson: Lesson,
    spec: CheckSpec,
    checks: Overlay,
    machine_id: str,
    expected_ids: Sequence[str] | None,
    *,
    harness: tuple[str, ...] = HARNESS,
    keep: Keep | None = None,
    is_wanted: Callable[[], bool] = lambda: True,
) -> Outcome:
    """Run one check against one machine and judge it.

    Whatever the student's side does ends as an outcome, and never as a pass that is none
    (DESIGN §6).

    Args:
        sandbox: Runs it; the machine is on the same Docker.
        lesson: The lesson that the machine is of.
        spec: The step's check.
        checks: The author's files.
        machine_id: Container id of the student's machine.
        expected_ids: Test ids that must be in the report; None where they are not known.
        harness: What is run in the check container.
        keep: Is given the files that were taken, where the check takes some.
        is_wanted: Tells whether anybody still waits for the outcome.

    Raises:
        CheckAbandoned: Nobody does.
        CheckError: Our side failed; it may be tried again.
    """
    try:
        work = _take(sandbox, lesson, spec, machine_id)
    except SubmissionUnusable as exc:
        return Outcome(OutcomeKind.ERROR, message=str(exc))
    if work is not None and keep is not None:
        keep(work)
    return _run(sandbox, lesson, spec, checks, work, machine_id, expected_ids, harness, is_wanted)


def run_kept_check(
    sandbox: Sandbox,
    lesson: Lesson,
    spec: CheckSpec,
    checks: Overlay,
    work: Overlay,
    expected_ids: Sequence[str] | None,
) -> Outcome:
    """Run one check on files that were taken earlier, and judge it as :func:`run_step_check` does.

    Args:
        sandbox: Runs it.
        lesson: The lesson that the files are of.
        spec: The step's check; of ``files`` or ``notebook``.
        checks: The author's files.
        work: The student's files, below their work folder.
        expected_ids: Test ids that must be in the report; None where they are not known.

    Raises:
        CheckError: Our side failed, or the check looks at a machine.
    """
    if spec.kind is CheckKind.MACHINE:
        raise CheckError("A check of a machine cannot be run on files.")
    return _run(sandbox, lesson, spec, checks, work, "", expected_ids)


def taken_patterns(lesson: Lesson, spec: CheckSpec) -> tuple[str, ...]:
    """Give what a check takes from the student's machine: paths and patterns below ``work``."""
    if spec.kind is CheckKind.NOTEBOOK:
        return (*(() if lesson.notebook is None else (lesson.notebook,)), *spec.submit)
    return spec.submit if spec.kind is CheckKind.FILES else ()


def _run(
    sandbox: Sandbox,
    lesson: Lesson,
    spec: CheckSpec,
    checks: Overlay,
    work: Overlay | None,
    machine_id: str,
    expected_ids: Sequence[str] | None,
    harness: tuple[str, ...] = HARNESS,
    is_wanted: Callable[[], bool] = lambda: True,
) -> Outcome:
    run = sandbox.run(
        make_spec(lesson, spec, machine_id, harness),
        spec,
        lesson.user,
        checks,
        work,
        notebook=lesson.notebook if spec.kind is CheckKind.NOTEBOOK else None,
        # Whether memory was short matters only to what is no pass. Where the harness cannot tell,
        # Docker does when the container has ended.
        is_settled=lambda answer: (
            answer.memory_kills is not None or judge_answer(spec, answer, expected_ids).is_pass
        ),
        is_wanted=is_wanted,
    )
    if run.stderr:
        log.info("The harness of '%s' said: %s", lesson.name, clean_end(run.stderr, 1000))
    if run.answer is None:
        return _without_answer(sandbox, lesson, spec, run, machine_id)
    return judge_answer(spec, run.answer, expected_ids, is_out_of_memory=run.is_out_of_memory)


def _take(sandbox: Sandbox, lesson: Lesson, spec: CheckSpec, machine_id: str) -> Overlay | None:
    if spec.kind is CheckKind.MACHINE:
        expect_running(sandbox.engine, machine_id)
        return None
    take = take_notebook if spec.kind is CheckKind.NOTEBOOK else take_submission
    with sandbox.busy():
        return take(sandbox.engine, lesson, spec, machine_id)


def _without_answer(
    sandbox: Sandbox, lesson: Lesson, spec: CheckSpec, run: HarnessRun, machine_id: str
) -> Outcome:
    """Say what came of a run whose harness did not answer; what cannot be the student's, raise.

    Raises:
        ReportUnusable: It may be our fault.
        MachineNotRunning: The student's machine ended in the middle.
    """
    if run.is_out_of_memory:
        return Outcome(OutcomeKind.ERROR, message=out_of_memory_message(spec))
    if spec.kind is CheckKind.MACHINE:
        # The harness lives among the student's processes: a student who is root can stop it
        # (kill -9 -1, kill -STOP, prlimit), and learns nothing by it.
        if not sandbox.engine.is_running(machine_id):
            raise MachineNotRunning("The student's machine ended while it was checked.")
        if run.was_hindered:
            return Outcome(
                OutcomeKind.ERROR,
                message="The check could not be started: something in your machine stops or kills "
                "new processes. End it, and press Check again.",
            )
        if run.is_overdue:
            return Outcome(OutcomeKind.ERROR, message=overdue_message(spec))
        if (run.exit_code or 0) > _BY_SIGNAL or "KeyboardInterrupt" in run.stderr:
            return Outcome(
                OutcomeKind.ERROR,
                message="The check was killed from within your machine, such as by 'kill -9 -1'. "
                "Press Check again.",
            )
        if lesson.user is MachineUser.ROOT and run.exit_code is not None:
            # By far not all that root may do to a process is a signal: prlimit, for one.
            return Outcome(
                OutcomeKind.ERROR,
                message="The check ended before it could answer: something in your machine keeps "
                "it from its work. End it, and press Check again.",
            )
    if run.is_overdue:
        raise ReportUnusable(
            f"The check did not answer within {spec.timeout_s:g} s and some more, "
            "and its container was removed."
        )
    if run.is_too_long:
        raise ReportUnusable("The check's answer was longer than any honest one.")
    said = clean_end(run.stderr, 500).strip()
    raise ReportUnusable(
        f"The check's container ended with exit code {run.exit_code} before it answered. {said}"
    )


def judge_answer(
    spec: CheckSpec,
    answer: HarnessAnswer,
    expected_ids: Sequence[str] | None,
    *,
    is_out_of_memory: bool = False,
) -> Outcome:
    """Turn what the harness says into a verdict; pure.

    Args:
        spec: The check.
        answer: Of the harness, with the right nonce.
        expected_ids: Test ids that must be in the report; None where they are not known.
        is_out_of_memory: Something in the container was ended for want of memory.
    """
    output = clean_end(answer.output)
    tests, trouble = _read_tests(spec, answer)
    if answer.timed_out:
        outcome = Outcome(
            OutcomeKind.ERROR, overdue_message(spec), tuple(tests), output, answer.duration_s
        )
        return with_limit(outcome, spec)
    if answer.exit_code is None:
        trouble = trouble or "The check was stopped before it could end."
    if trouble is None and answer.exit_code is not None:
        outcome = judge(tests, exit_code=answer.exit_code, expected_ids=expected_ids)
    else:
        outcome = Outcome(OutcomeKind.ERROR, trouble or "", tuple(tests))
    if is_out_of_memory and not outcome.is_pass:
        outcome = replace(outcome, kind=OutcomeKind.ERROR, message=out_of_memory_message(spec))
    return with_limit(replace(outcome, output=output, duration_s=answer.duration_s), spec)


def _read_tests(spec: CheckSpec, answer: HarnessAnswer) -> tuple[list[TestResult], str | None]:
    """Give the tests of a report, or none and why there are none."""
    if spec.report is ReportFormat.EXIT:
        return (
            ([], None)
            if answer.exit_code is None
            else (
                read_exit(answer.exit_code, answer.output),
                None,
            )
        )
    if answer.report_too_big:
        return [], f"The report of the check is bigger than {MAX_REPORT_BYTES // 1024} KB."
    if answer.report is None:
        return [], f"The check ended with exit code {answer.exit_code} and made no report."
    try:
        return READERS[spec.report](answer.report), None
    except ReportUnusable as exc:
        return [], str(exc)


def overdue_message(spec: CheckSpec) -> str:
    """Say that the time is over."""
    return f"The check ran longer than {spec.timeout_s:g} s and was stopped."


def out_of_memory_message(spec: CheckSpec) -> str:
    """Say that the memory was not enough."""
    return (
        f"The check needed more than {spec.memory_bytes // 1024**2} MB of memory and was stopped."
    )
