"""Lessons and outcomes, made small, for the tests of the store."""

from dataclasses import replace

from hexhub.catalog.model import (
    CheckKind,
    CheckSpec,
    Lesson,
    Limits,
    MachineUser,
    Network,
    ReportFormat,
    Step,
    Text,
)
from hexhub.checks.model import Outcome, OutcomeKind, TestOutcome, TestResult
from hexhub.names import CourseName, LessonName, StepName, UserName, Version
from hexhub.progress.model import Place

PLACE = Place(UserName("ada"), CourseName("tiny"), LessonName("first"))
OTHER = replace(PLACE, user=UserName("grace"))
ONE, TWO = StepName("one"), StepName("two")
V1 = Version("v1")
CHECK = CheckSpec(CheckKind.MACHINE, "true", ReportFormat.EXIT, 10.0)


def make_lesson(*steps: StepName) -> Lesson:
    """Give a lesson of these steps, each needing the one before."""
    text = Text({"en": "x"})
    return Lesson(
        course=PLACE.course,
        name=PLACE.lesson,
        title=text,
        image="hexhub/base",
        user=MachineUser.STUDENT,
        limits=Limits(1, 1.0, 1, 1, 1),
        network=Network.NONE,
        steps=tuple(
            Step(name, text, text, CHECK, needs=steps[:place][-1:])
            for place, name in enumerate(steps)
        ),
        theory=text,
    )


LESSON = make_lesson(ONE, TWO)
PASSED = Outcome(
    OutcomeKind.PASSED,
    tests=(TestResult("t::a", "A", TestOutcome.PASSED, points=1.0, duration_s=0.5),),
    duration_s=1.5,
)
FAILED = Outcome(
    OutcomeKind.FAILED,
    message="Look again.",
    tests=(
        TestResult(
            "t::b",
            "Бета",
            TestOutcome.PASSED,
            points=2.0,
            max_points=2.0,
            names={"en": "Beta"},
        ),
        TestResult(
            "t::a",
            "A",
            TestOutcome.FAILED,
            message="It is 3.",
            expected="4",
            actual="3",
            output="printed",
            duration_s=0.25,
        ),
    ),
    output="the end",
    duration_s=2.5,
)
