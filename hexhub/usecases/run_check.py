"""The check of one step is run against one student's machine."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from hexhub.catalog.model import Course, Lesson, Step
from hexhub.catalog.overlays import check_files
from hexhub.checks.containers import HUB_LABEL, KIND_LABEL
from hexhub.checks.model import Outcome
from hexhub.checks.runner import run_step_check
from hexhub.checks.sandbox import Sandbox
from hexhub.errors import CheckError
from hexhub.progress.model import Place


class CourseFolders(Protocol):
    """Where a version of a course is on disk; the published catalog is one."""

    def folder(self, name: str, version: str) -> Path:
        """Give the course folder of one version."""


def run_check(
    docker: Sandbox,
    catalog: CourseFolders,
    place: Place,
    course: Course,
    lesson: Lesson,
    step: Step,
    container_id: str,
    expected_ids: Sequence[str] | None,
) -> Outcome:
    """Run the check of a step and judge it; the whole outcome, not yet redacted for the student.

    Args:
        docker: Where containers are made.
        catalog: Has the course's folder.
        place: Whose attempt it is.
        course, lesson, step: What is checked, in the version of the attempt.
        container_id: The student's machine.
        expected_ids: Test ids of the author's solution, or None where they are not known.

    Raises:
        CheckError: Our side failed; never for what the student's side did.
        VersionNotFound: The course's folder is gone.
    """
    if step.check is None:
        raise CheckError(f"Step '{step.name}' of lesson '{place.lesson}' has no check.")
    checks = check_files(catalog.folder(course.name, course.version), lesson)
    return run_step_check(docker, lesson, step.check, checks, container_id, expected_ids)


def make_grader(
    docker: Sandbox, catalog: CourseFolders
) -> Callable[[Place, Course, Lesson, Step, Sequence[str] | None], Outcome]:
    """Give what the worker calls for each attempt: it finds the student's machine by its labels.

    The grader may be called by several threads at once. It raises ``MachineNotRunning`` where the
    student has no machine in this lesson.
    """

    def grade(
        place: Place, course: Course, lesson: Lesson, step: Step, expected: Sequence[str] | None
    ) -> Outcome:
        machine_id = docker.find_machine(
            {
                HUB_LABEL: docker.hub_id,
                KIND_LABEL: "student",
                "hexhub.user": place.user,
                "hexhub.course": place.course,
                "hexhub.lesson": place.lesson,
            }
        )
        return run_check(docker, catalog, place, course, lesson, step, machine_id, expected)

    return grade
