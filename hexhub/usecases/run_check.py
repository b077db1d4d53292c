"""The check of one step is run: against one student's machine, or on what was kept of it."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Protocol

from hexhub.catalog.model import Course, Lesson, Step
from hexhub.catalog.overlays import Overlay, check_files
from hexhub.checks.model import Outcome
from hexhub.checks.runner import Keep, run_kept_check, run_step_check
from hexhub.checks.sandbox import Sandbox
from hexhub.checks.student_machine import find_machine
from hexhub.errors import CheckError, StoreError
from hexhub.progress.model import Claim, Place
from hexhub.progress.snapshots import Snapshots
from hexhub.usecases.grade_attempt import Grader

log = logging.getLogger(__name__)

KeptGrader = Callable[[Course, Lesson, Step, Overlay, Sequence[str] | None], Outcome]
"""Runs the check of a step on files: course, lesson, step, files, expected test ids → outcome."""


class CourseFolders(Protocol):
    """Where a version of a course is on disk; the published catalog is one."""

    def folder(self, name: str, version: str) -> Path:
        """Give the course folder of one version."""


def run_check(
    sandbox: Sandbox,
    catalog: CourseFolders,
    place: Place,
    course: Course,
    lesson: Lesson,
    step: Step,
    container_id: str,
    expected_ids: Sequence[str] | None,
    keep: Keep | None = None,
    is_wanted: Callable[[], bool] = lambda: True,
) -> Outcome:
    """Run the check of a step and judge it; the whole outcome, not yet redacted for the student.

    Args:
        sandbox: Runs the check.
        catalog: Has the course's folder.
        place: Whose attempt it is.
        course, lesson, step: What is checked, in the version of the attempt.
        container_id: The student's machine.
        expected_ids: Test ids of the author's solution, or None where they are not known.
        keep: Is given the files that are taken from the machine.
        is_wanted: Tells whether anybody still waits for the outcome.

    Raises:
        CheckAbandoned: Nobody does.
        CheckError: Our side failed; never for what the student's side did.
        VersionNotFound: The course's folder is gone.
    """
    if step.check is None:
        raise CheckError(f"Step '{step.name}' of lesson '{place.lesson}' has no check.")
    checks = check_files(catalog.folder(course.name, course.version), lesson)
    return run_step_check(
        sandbox,
        lesson,
        step.check,
        checks,
        container_id,
        expected_ids,
        keep=keep,
        is_wanted=is_wanted,
    )


def make_grader(
    sandbox: Sandbox, catalog: CourseFolders, snapshots: Snapshots | None = None
) -> Grader:
    """Give what the worker calls for each attempt: it finds the student's machine by its name.

    The grader may be called by several threads at once. It raises ``MachineNotRunning`` where the
    student has no machine in this lesson.

    Args:
        sandbox: Runs the checks.
        catalog: Has the courses' folders.
        snapshots: Where what was taken is kept; None keeps nothing.
    """

    def grade(
        claim: Claim, course: Course, lesson: Lesson, step: Step, expected: Sequence[str] | None
    ) -> Outcome:
        place = claim.attempt.place
        machine_id = find_machine(sandbox.engine, place.user, lesson.server_name)
        with _keeping(snapshots, claim) as keep:
            return run_check(
                sandbox,
                catalog,
                place,
                course,
                lesson,
                step,
                machine_id,
                expected,
                keep,
                lambda: not claim.lost.is_set(),
            )

    return grade


@contextmanager
def _keeping(snapshots: Snapshots | None, claim: Claim) -> Iterator[Keep | None]:
    """Give what keeps files while the check runs on them; leaving waits until they are kept.

    So they are kept before the verdict is stored, and the student does not wait for it.
    """
    if snapshots is None:
        yield None
        return
    threads: list[Thread] = []

    def keep(files: Overlay) -> None:
        name = f"snapshot-{claim.attempt.id[:8]}"
        thread = Thread(target=_keep, args=(snapshots, claim, files), name=name, daemon=True)
        threads.append(thread)
        thread.start()

    try:
        yield keep
    finally:
        for thread in threads:
            thread.join()


def _keep(snapshots: Snapshots, claim: Claim, files: Overlay) -> None:
    attempt_id = claim.attempt.id
    try:
        is_kept = snapshots.keep(attempt_id, claim.lease, files)
    except StoreError as exc:
        # No second try: only grading again is lost. Where the lease is, the verdict will say so.
        log.warning("No snapshot of attempt %s: %s", attempt_id, exc)
    else:
        if not is_kept:
            log.info("The files of attempt %s are too big to be kept.", attempt_id)


def make_kept_grader(sandbox: Sandbox, catalog: CourseFolders) -> KeptGrader:
    """Give what grades a snapshot, by the worker's own code but for taking the files.

    The grader may be called by several threads at once. It raises ``CheckError`` where our side
    failed.
    """

    def grade(
        course: Course,
        lesson: Lesson,
        step: Step,
        files: Overlay,
        expected: Sequence[str] | None,
    ) -> Outcome:
        if step.check is None:
            raise CheckError(f"Step '{step.name}' of lesson '{lesson.name}' has no check.")
        checks = check_files(catalog.folder(course.name, course.version), lesson)
        return run_kept_check(sandbox, lesson, step.check, checks, files, expected)

    return grade
