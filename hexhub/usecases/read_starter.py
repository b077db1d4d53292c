"""A student asks for files as a new machine has them."""

from collections.abc import Sequence
from dataclasses import dataclass

from hexhub.catalog.model import CheckKind, Lesson, Step
from hexhub.catalog.overlays import Overlay, OverlayFile, starter_overlay
from hexhub.catalog.published import PublishedCatalog
from hexhub.checks.taking import Pattern
from hexhub.errors import StarterFileNotFound
from hexhub.names import CourseName, LessonName, StepName


@dataclass(frozen=True)
class StarterEntry:
    """One file of a starter.

    Attributes:
        path: Below the work folder.
        steps: Those whose check takes the file, in the lesson's order.
    """

    path: str
    size_bytes: int
    steps: tuple[StepName, ...]


def list_starter(
    catalog: PublishedCatalog, course: CourseName, lesson: LessonName
) -> Sequence[StarterEntry]:
    """Give the names of what a new machine of this lesson has in its work folder.

    Raises:
        CourseNotFound, LessonNotFound: There is no such lesson.
    """
    found, files = _starter(catalog, course, lesson)
    return [
        StarterEntry(
            path,
            len(files[path].data),
            tuple(step.name for step in found.steps if _takes(found, step, path)),
        )
        for path in sorted(files)
    ]


def read_starter_file(
    catalog: PublishedCatalog, course: CourseName, lesson: LessonName, path: str
) -> OverlayFile:
    """Give one of these files.

    Raises:
        CourseNotFound, LessonNotFound: There is no such lesson.
        StarterFileNotFound: It has no such file.
    """
    _found, files = _starter(catalog, course, lesson)
    if path not in files:
        raise StarterFileNotFound(lesson, path[:200], sorted(files)[:20])
    return files[path]


def _starter(
    catalog: PublishedCatalog, course: CourseName, lesson: LessonName
) -> tuple[Lesson, Overlay]:
    there = catalog.course(course)
    found = there.lesson(lesson)
    return found, starter_overlay(catalog.folder(there.name, there.version), found)


def _takes(lesson: Lesson, step: Step, path: str) -> bool:
    """Tell whether a step's check takes the file, or one of the patterns that it takes fits it."""
    if step.check is None:
        return False
    if step.check.kind is CheckKind.NOTEBOOK and path == lesson.notebook:
        return True
    return any(Pattern.parse(taken).names(path) for taken in step.check.submit)
