"""Checks of notebooks: a copy of the student's notebook, scored by nbgrader's rules."""

from collections.abc import Mapping

from hexhub.catalog.model import CheckSpec, Lesson
from hexhub.catalog.overlays import OverlayFile
from hexhub.checks.engine import Engine
from hexhub.checks.student_machine import take_files
from hexhub.errors import CheckError


def take_notebook(
    engine: Engine, lesson: Lesson, spec: CheckSpec, machine_id: str
) -> Mapping[str, OverlayFile]:
    """Copy the notebook out of the student's machine.

    Raises:
        SubmissionUnusable: It cannot be checked; the message tells the student why.
        CheckError: The lesson has no notebook.
    """
    if lesson.notebook is None:
        raise CheckError(f"Lesson '{lesson.name}' has a notebook check, but no notebook.")
    return take_files(engine, machine_id, lesson.user.work, (lesson.notebook, *spec.submit))
