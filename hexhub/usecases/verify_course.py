"""A course proves itself: starters fail, solutions pass, wrong answers fail where they must."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from hexhub.catalog.model import Course, Lesson, Step, WrongAnswer
from hexhub.catalog.reader import read_course
from hexhub.checks.model import Outcome
from hexhub.checks.sandbox import Sandbox
from hexhub.errors import AnswerUnusable, CheckError
from hexhub.names import StepName
from hexhub.usecases.check_answer import (
    SOLUTION,
    STARTER,
    answer_layers,
    answered_machine,
    check_machine,
)
from hexhub.usecases.prepare_image import prepare_image
from hexhub.usecases.weaken_trial import weaken_trial

ANSWERS_AT_ONCE = 2
"""Machines at one time."""


@dataclass(frozen=True)
class Finding:
    """What one answer did at one step, and whether that is right.

    Attributes:
        lesson: Its name.
        answer: ``starter``, ``solution``, ``wrong/<name>``, or ``hints``.
        step: Its name; "" where the answer as a whole is meant.
        wanted: What must happen, in words.
        problem: What is wrong; None where it is right.
        outcome: Of the check, where it came to one.
    """

    lesson: str
    answer: str
    step: str
    wanted: str
    problem: str | None = None
    outcome: Outcome | None = None

    @property
    def is_right(self) -> bool:
        """Tell whether the answer did what it must."""
        return self.problem is None


@dataclass(frozen=True)
class Verification:
    """All findings of a course, in the order of its lessons.

    Attributes:
        course: Its name.
        findings: One per lesson, answer and step.
    """

    course: str
    findings: tuple[Finding, ...]

    @property
    def problems(self) -> tuple[Finding, ...]:
        """The findings that are not right."""
        return tuple(finding for finding in self.findings if not finding.is_right)

    @property
    def is_right(self) -> bool:
        """Tell whether everything is as it must be."""
        return not self.problems


@dataclass(frozen=True)
class _Tried:
    """What one answer did: step → outcome, or why it could not be tried."""

    answer: str
    outcomes: dict[StepName, Outcome] = field(default_factory=dict)
    trouble: str | None = None


def verify_course(
    sandbox: Sandbox,
    folder: Path,
    *,
    only: str | None = None,
    say: Callable[[str], None],
    on_finding: Callable[[Finding], None] | None = None,
) -> Verification:
    """Try every answer of a course: one machine for each answer, its steps in order.

    The starter must not pass any step that has a check, the solution must pass all of them, and a
    wrong answer must fail exactly the tests that its ``expect.yml`` names, at the steps that it
    names. Conditions of hints must name tests that there are.

    Args:
        sandbox: Where the checks are run, and on its Docker the machines.
        folder: Of the course.
        only: Verify this one lesson.
        say: Takes lines about images that have to be built first, and runtimes that lack.
        on_finding: Is given each finding as soon as its lesson is done.

    Raises:
        CourseInvalid: The files break the format.
        LessonNotFound: There is no lesson ``only``.
        DockerUnavailable: Docker does not answer.
        ImageMissing: The image of a lesson is not there.
        SetupError: The image of a lesson cannot be built.
    """
    course = read_course(folder, only=only)
    lessons = [course.lesson(only)] if only is not None else list(course.lessons)
    findings: list[Finding] = []
    for lesson in lessons:
        prepare_image(folder, lesson, say)
        tried = weaken_trial(sandbox.engine, lesson, say)
        for finding in _verify_lesson(sandbox, folder, course, tried):
            findings.append(finding)
            if on_finding is not None:
                on_finding(finding)
    return Verification(course.name, tuple(findings))


def _verify_lesson(
    sandbox: Sandbox, folder: Path, course: Course, lesson: Lesson
) -> Iterator[Finding]:
    steps = [step for step in lesson.steps if step.check is not None]
    jobs = [(STARTER, steps), (SOLUTION, steps)]
    for declared in lesson.wrong:
        # The other steps of a wrong answer may do as they like; looking at them costs time.
        named = [step for step in steps if step.name in declared.fails]
        jobs.append((f"wrong/{declared.name}", named))
    with ThreadPoolExecutor(ANSWERS_AT_ONCE) as threads:
        tried = list(
            threads.map(lambda job: try_answer(sandbox, folder, course, lesson, *job), jobs)
        )
    starter, solution, *wrong = tried
    yield from _judge_starter(lesson, steps, starter)
    yield from _judge_solution(lesson, steps, solution)
    for declared, attempt in zip(lesson.wrong, wrong, strict=True):
        yield from _judge_wrong(lesson, declared, attempt)
    yield from _judge_hints(lesson, solution)


def try_answer(
    sandbox: Sandbox,
    folder: Path,
    course: Course,
    lesson: Lesson,
    answer: str,
    steps: Sequence[Step],
) -> _Tried:
    """Check some steps of a lesson on one answer, in one machine, in order."""
    tried = _Tried(answer)
    try:
        layers = answer_layers(folder, lesson, answer)
        with answered_machine(sandbox.engine, lesson, layers) as machine_id:
            for step in steps:
                tried.outcomes[step.name] = check_machine(
                    sandbox, folder, course, lesson, step, machine_id
                )
    except AnswerUnusable as exc:
        return _Tried(answer, tried.outcomes, str(exc))
    except CheckError as exc:
        if exc.code in ("docker_unavailable", "image_missing"):
            raise
        return _Tried(answer, tried.outcomes, str(exc))
    return tried


def solution_tests(
    sandbox: Sandbox, folder: Path, course: Course, lesson: Lesson
) -> tuple[dict[StepName, tuple[str, ...]], list[Finding]]:
    """Give the test ids that the solution produces at each step, and what is wrong with it."""
    steps = [step for step in lesson.steps if step.check is not None]
    if not steps:
        return {}, []
    tried = try_answer(sandbox, folder, course, lesson, SOLUTION, steps)
    ids = {name: tuple(test.id for test in o.tests) for name, o in tried.outcomes.items()}
    return ids, [f for f in _judge_solution(lesson, steps, tried) if not f.is_right]


def _judge_starter(lesson: Lesson, steps: Sequence[Step], tried: _Tried) -> Iterator[Finding]:
    for step in steps:
        outcome = tried.outcomes.get(step.name)
        problem = tried.trouble
        if outcome is not None:
            problem = (
                "The starter passes already, so that the step asks for nothing."
                if outcome.is_pass
                else None
            )
        yield Finding(lesson.name, STARTER, step.name, "must not pass", problem, outcome)


def _judge_solution(lesson: Lesson, steps: Sequence[Step], tried: _Tried) -> Iterator[Finding]:
    for step in steps:
        outcome = tried.outcomes.get(step.name)
        problem = tried.trouble
        if outcome is not None:
            problem = None if outcome.is_pass else f"It does not pass. {describe(outcome)}"
        yield Finding(lesson.name, SOLUTION, step.name, "must pass", problem, outcome)


def _judge_wrong(lesson: Lesson, declared: WrongAnswer, tried: _Tried) -> Iterator[Finding]:
    if not declared.fails:
        yield Finding(
            lesson.name, tried.answer, "", "must fail", "expect.yml names no step that fails."
        )
    for step, tests in declared.fails.items():
        outcome = tried.outcomes.get(step)
        wanted = f"must fail {', '.join(tests)}"
        problem = tried.trouble
        if outcome is not None:
            problem = _compare(set(tests), outcome)
        yield Finding(lesson.name, tried.answer, step, wanted, problem, outcome)


def _compare(wanted: set[str], outcome: Outcome) -> str | None:
    failing = set(outcome.failing_tests)
    if failing == wanted and not outcome.is_pass:
        return None
    parts: list[str] = []
    known = {test.id for test in outcome.tests}
    unknown = sorted(wanted - known)
    passing = sorted((wanted & known) - failing)
    extra = sorted(failing - wanted)
    if passing:
        parts.append(f"These tests pass and should fail: {', '.join(passing)}.")
    if unknown:
        parts.append(f"There are no such tests: {', '.join(unknown)}.")
    if extra:
        parts.append(f"These tests fail and should pass: {', '.join(extra)}.")
    if outcome.message:
        parts.append(outcome.message)
    return " ".join(parts) or f"The outcome is {outcome.kind.value}."


def _judge_hints(lesson: Lesson, solution: _Tried) -> Iterator[Finding]:
    for step in lesson.steps:
        outcome = solution.outcomes.get(step.name)
        if outcome is None or not outcome.tests:
            continue
        known = {test.id for test in outcome.tests}
        for hint in step.hints:
            if hint.after_test is not None and hint.after_test not in known:
                yield Finding(
                    lesson.name,
                    "hints",
                    step.name,
                    "must name tests that there are",
                    f"A hint waits for {hint.after_test}. There are: {', '.join(sorted(known))}.",
                )


def describe(outcome: Outcome) -> str:
    """Say in a few lines what went wrong: the outcome's message and the failing tests."""
    parts = [outcome.message] if outcome.message else []
    for test in outcome.tests:
        if test.id in outcome.failing_tests:
            said = f": {test.message}" if test.message else ""
            parts.append(f"{test.id} {test.outcome.value}{said}")
    if not outcome.tests and outcome.output:
        parts.append(f"It printed: {outcome.output[-1500:]}")
    return "\n".join(parts)
