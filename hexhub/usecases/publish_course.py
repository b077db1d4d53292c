"""A version of a course becomes the one that students see."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hexhub.catalog.model import Course
from hexhub.catalog.published import PublishedCatalog
from hexhub.catalog.reader import read_course
from hexhub.checks.sandbox import Sandbox
from hexhub.errors import CourseNotFound, SolutionFails
from hexhub.names import LessonName, StepName
from hexhub.usecases.prepare_image import prepare_image
from hexhub.usecases.verify_course import ANSWERS_AT_ONCE, Finding, solution_tests
from hexhub.usecases.weaken_trial import weaken_trial


def publish_course(
    sandbox: Sandbox,
    catalog: PublishedCatalog,
    folder: Path,
    *,
    say: Callable[[str], None],
) -> tuple[Course, bool]:
    """Publish a course: build its images, learn its tests from the solutions, put it in place.

    Students see the old version until the very end, and for good where anything fails.

    Args:
        sandbox: Where the checks are run, and on its Docker the machines.
        catalog: Where versions are.
        folder: Of the course.
        say: Takes one readable line for each step.

    Returns:
        The course, and whether anything had to be done.

    Raises:
        CourseInvalid: The files break the format.
        SolutionFails: A solution does not pass its own checks.
        SetupError: The image of a lesson cannot be built.
        CheckError: Docker, or an image that is missing.
    """
    course = read_course(folder)
    for lesson in course.lessons:
        prepare_image(folder, lesson, say)
    try:
        if catalog.course(course.name).version == course.version:
            say(f"{course.name}: version {course.version} is published already.")
            return course, False
    except CourseNotFound:
        pass
    expected: dict[LessonName, dict[StepName, tuple[str, ...]]] = {}
    problems: list[Finding] = []
    with ThreadPoolExecutor(ANSWERS_AT_ONCE) as threads:
        learned = threads.map(
            lambda lesson: solution_tests(sandbox, folder, course, lesson),
            [weaken_trial(sandbox.engine, lesson, say) for lesson in course.lessons],
        )
        for lesson, (ids, wrong) in zip(course.lessons, learned, strict=True):
            say(f"{course.name}/{lesson.name}: {sum(map(len, ids.values()))} tests")
            expected[lesson.name] = ids
            problems += wrong
    if problems:
        lines = "\n".join(f"  {p.lesson}/{p.step}: {p.problem}" for p in problems)
        raise SolutionFails(
            f"Course '{course.name}' is not published, since a solution does not pass:\n{lines}\n"
            f"Mend it, or look closer: hexhub course verify {folder}"
        )
    catalog.publish(folder, course, expected)
    say(f"{course.name}: version {course.version} is published.")
    return course, True
