"""An author tries an answer: a machine as a student's, the answer laid in, the worker's check."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hexhub.catalog.model import Course, Lesson, Step
from hexhub.catalog.overlays import (
    Overlay,
    folder_overlay,
    solution_overlay,
    solve_script,
    starter_overlay,
    wrong_overlay,
)
from hexhub.catalog.reader import read_course
from hexhub.checks.engine import Engine
from hexhub.checks.model import Outcome
from hexhub.checks.sandbox import Sandbox
from hexhub.checks.trial_machine import put_files, run_script, trial_machine
from hexhub.errors import AnswerUnusable, CourseInvalid, Problem
from hexhub.names import UserName
from hexhub.progress.model import Place
from hexhub.usecases.prepare_image import prepare_image
from hexhub.usecases.run_check import run_check
from hexhub.usecases.weaken_trial import weaken_trial

SOLVE_TIMEOUT_S = 120.0
STARTER = "starter"
SOLUTION = "solution"
_WRONG = "wrong/"
_SOLVE = "solve.sh"


@dataclass(frozen=True)
class Layer:
    """One thing done to a machine: files laid in, then a script run.

    Attributes:
        name: For messages, such as ``solution``.
        files: Below ``~/work``.
        script: Text of ``solve.sh``, or None.
    """

    name: str
    files: Overlay = field(default_factory=dict)
    script: bytes | None = None


@dataclass(frozen=True)
class OneCourse:
    """A course folder that is not published, where ``run_check`` looks for it."""

    course_folder: Path

    def folder(self, name: str, version: str) -> Path:  # noqa: ARG002 - there is only this one
        """Give the folder."""
        return self.course_folder


def find_lesson(lesson_folder: Path) -> tuple[Path, Course, Lesson]:
    """Read the lesson at ``<course>/lessons/<lesson>`` and as much of its course as it needs.

    Raises:
        CourseInvalid: The files of the lesson or ``course.yml`` break the format.
        LessonNotFound: ``course.yml`` does not list it.
    """
    folder = lesson_folder.absolute()
    course_folder = folder.parent.parent
    if folder.parent.name != "lessons" or not (course_folder / "course.yml").is_file():
        raise CourseInvalid(
            folder.name,
            [
                Problem(
                    str(lesson_folder),
                    None,
                    "a folder that is no lesson of a course",
                    "COURSE/lessons/LESSON, with COURSE/course.yml",
                )
            ],
        )
    course = read_course(course_folder, only=folder.name)
    return course_folder, course, course.lesson(folder.name)


def answer_layers(course_folder: Path, lesson: Lesson, answer: str) -> list[Layer]:
    """Give what is done to a fresh machine, in order, for an answer.

    Args:
        course_folder: On disk.
        lesson: The lesson.
        answer: ``starter``, ``solution``, ``wrong/<name>`` or the path of a folder, which is laid
            over the starter; ``solve.sh`` in it is run.

    Raises:
        AnswerUnusable: There is no such answer.
    """
    starter = Layer(STARTER, starter_overlay(course_folder, lesson))
    if answer == STARTER:
        return [starter]
    solution = Layer(
        SOLUTION,
        solution_overlay(course_folder, lesson),
        solve_script(course_folder, lesson, SOLUTION),
    )
    if answer == SOLUTION:
        return [starter, solution]
    if answer.startswith(_WRONG):
        name = answer.removeprefix(_WRONG).rstrip("/")
        found = next((wrong for wrong in lesson.wrong if wrong.name == name), None)
        if found is None:
            known = ", ".join(f"wrong/{wrong.name}" for wrong in lesson.wrong) or "none"
            raise AnswerUnusable(
                f"No wrong answer '{name}' in lesson '{lesson.name}'. It has: {known}."
            )
        layer = Layer(
            f"wrong/{name}",
            wrong_overlay(course_folder, lesson, name),
            solve_script(course_folder, lesson, f"wrong/{name}"),
        )
        return [starter, layer] if found.base == STARTER else [starter, solution, layer]
    folder = Path(answer)
    if not folder.is_dir():
        raise AnswerUnusable(
            f"No answer '{answer}'. It is starter, solution, wrong/NAME or the path of a folder."
        )
    files = dict(folder_overlay(folder))
    script = files.pop(_SOLVE, None)
    return [starter, Layer(answer, files, None if script is None else script.data)]


@contextmanager
def answered_machine(engine: Engine, lesson: Lesson, layers: Sequence[Layer]) -> Iterator[str]:
    """Start a machine with an answer in it, and give its container id; leaving removes it.

    Raises:
        AnswerUnusable: A script of the answer failed or did not end.
        CheckError: Docker, or the lesson's image.
    """
    first, *others = layers
    with trial_machine(engine, lesson, first.files) as machine_id:
        _run_answer(engine, lesson, machine_id, first)
        for layer in others:
            if layer.files:
                put_files(engine, machine_id, lesson.user, layer.files)
            _run_answer(engine, lesson, machine_id, layer)
        yield machine_id


def _run_answer(engine: Engine, lesson: Lesson, machine_id: str, layer: Layer) -> None:
    if layer.script is None:
        return
    result = run_script(engine, machine_id, layer.script, lesson.user, SOLVE_TIMEOUT_S)
    if result.exit_code is None:
        raise AnswerUnusable(
            f"solve.sh of {layer.name} ran longer than {SOLVE_TIMEOUT_S:g} s and was stopped. "
            f"It printed:\n{result.output}"
        )
    if result.exit_code != 0:
        raise AnswerUnusable(
            f"solve.sh of {layer.name} ended with exit code {result.exit_code}. "
            f"It printed:\n{result.output}"
        )


def check_machine(
    sandbox: Sandbox,
    course_folder: Path,
    course: Course,
    lesson: Lesson,
    step: Step,
    machine_id: str,
) -> Outcome:
    """Check one step of a machine with an answer in it, by the very code path of the worker."""
    place = Place(UserName("author"), course.name, lesson.name)
    return run_check(
        sandbox, OneCourse(course_folder), place, course, lesson, step, machine_id, None
    )


def check_answer(
    sandbox: Sandbox,
    lesson_folder: Path,
    step_name: str,
    answer: str,
    say: Callable[[str], None],
) -> Outcome:
    """Give the outcome of one answer at one step.

    Args:
        sandbox: Where the check is run, and on its Docker the machine.
        lesson_folder: ``<course>/lessons/<lesson>``.
        step_name: Of the step.
        answer: As for :func:`answer_layers`.
        say: Takes lines about an image that has to be built first.

    Raises:
        CourseInvalid: The files break the format.
        StepNotFound: The lesson has no such step.
        AnswerUnusable: There is no such answer, or its script fails.
        CheckError: Docker, the image, or a step without a check.
    """
    course_folder, course, lesson = find_lesson(lesson_folder)
    step = lesson.step(step_name)
    prepare_image(course_folder, lesson, say)
    lesson = weaken_trial(sandbox.engine, lesson, say)
    layers = answer_layers(course_folder, lesson, answer)
    with answered_machine(sandbox.engine, lesson, layers) as machine_id:
        return check_machine(sandbox, course_folder, course, lesson, step, machine_id)
