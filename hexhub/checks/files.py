"""Checks of files: a copy of what the student hands in, in a container without network."""

from collections.abc import Mapping

from hexhub.catalog.model import CheckSpec, Lesson
from hexhub.catalog.overlays import OverlayFile
from hexhub.checks.engine import Engine
from hexhub.checks.student_machine import take_files


def take_submission(
    engine: Engine, lesson: Lesson, spec: CheckSpec, machine_id: str
) -> Mapping[str, OverlayFile]:
    """Copy the files named in ``submit`` out of the student's machine.

    Raises:
        SubmissionUnusable: They cannot be checked; the message tells the student why.
    """
    return take_files(engine, machine_id, lesson.user.work, spec.submit)
