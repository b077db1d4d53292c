"""A student looks at the author's solution."""

from dataclasses import dataclass

from hexhub.catalog.overlays import Overlay, solution_overlay, solve_script
from hexhub.catalog.published import PublishedCatalog
from hexhub.errors import SolutionLocked
from hexhub.progress.model import Place, solution_refusal
from hexhub.progress.store import Store


@dataclass(frozen=True)
class Solution:
    """The author's solution.

    Attributes:
        files: Below ``~/work``.
        script: ``solve.sh``, or None where the files are all.
    """

    files: Overlay
    script: bytes | None


def show_solution(store: Store, catalog: PublishedCatalog, place: Place) -> Solution:
    """Give the author's solution of a lesson, and store that the student has seen it.

    Raises:
        CourseNotFound: No such course is published.
        LessonNotFound: The course has no such lesson.
        SolutionLocked: The lesson's ``reveal`` does not allow it yet.
        StoreError: The database refuses.
    """
    course = catalog.course(place.course)
    lesson = course.lesson(place.lesson)
    progress = store.start_lesson(place, course.version)
    reason = solution_refusal(lesson.reveal, progress, store.now())
    if reason is not None:
        raise SolutionLocked(reason)
    folder = catalog.folder(course.name, course.version)
    solution = Solution(solution_overlay(folder, lesson), solve_script(folder, lesson, "solution"))
    store.view_solution(place, course.version)
    return solution
