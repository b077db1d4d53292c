"""Attempts and progress, and the rules of "done", hints and the solution; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from threading import Event

from hexhub.catalog.model import Hint, Lesson, Reveal, RevealWhen, Step
from hexhub.checks.model import Outcome
from hexhub.names import CourseName, LessonName, StepName, UserName, Version


class AttemptState(StrEnum):
    """Where an attempt is in the queue."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"


@dataclass(frozen=True)
class Place:
    """One student in one lesson: the key of progress, attempts and the machine."""

    user: UserName
    course: CourseName
    lesson: LessonName


@dataclass(frozen=True)
class Attempt:
    """One run of a check for one student.

    Attributes:
        id: 32 hex digits.
        outcome: Set exactly when ``state`` is ``done``.
        tries: How often a worker has taken it.
        regrade_of: Id of the attempt that was graded again and gave this one; None where the
            student asked for it.
        is_cancelled: The student did not want it any more; its outcome is ``ungradable``.
    """

    id: str
    place: Place
    step: StepName
    version: Version
    state: AttemptState
    requested_at: datetime
    tries: int = 0
    finished_at: datetime | None = None
    outcome: Outcome | None = None
    regrade_of: str | None = None
    is_cancelled: bool = False


@dataclass(frozen=True)
class Claim:
    """An attempt that a worker holds, and the secret that proves it.

    Attributes:
        lease: 32 hex digits; a verdict is stored only with the lease that is valid then.
        lost: Set by whoever holds the attempt when the lease is not valid any more (cancelled, or
            taken over): a check that runs then is of no use to anybody.
    """

    attempt: Attempt
    lease: str
    lost: Event = field(default_factory=Event, repr=False, compare=False)


@dataclass(frozen=True)
class Progress:
    """A student's state in one lesson.

    Attributes:
        version: Course version the student started with.
        passed_at: Step → when it was passed first.
        hints_taken: Step → how many hints were taken.
        finished_at: When the last step was passed; stays.
    """

    place: Place
    version: Version
    started_at: datetime
    passed_at: Mapping[StepName, datetime] = field(default_factory=dict)
    hints_taken: Mapping[StepName, int] = field(default_factory=dict)
    finished_at: datetime | None = None


@dataclass(frozen=True)
class Standing:
    """The attempt of one student at one step that counts, and how it stands.

    Attributes:
        original: What the student asked for.
        latest: The newest verdict on it: itself, or the last time that it was graded again.
        has_snapshot: What was handed in is kept.
        progress: The student's in the lesson.
    """

    original: Attempt
    latest: Attempt
    has_snapshot: bool
    progress: Progress

    @property
    def is_passed(self) -> bool:
        """Tell whether the step is passed."""
        return self.original.step in self.progress.passed_at


class StepState(StrEnum):
    """What the student sees at a step."""

    LOCKED = "locked"
    OPEN = "open"
    PASSED = "passed"


def step_state(step: Step, passed: Iterable[StepName]) -> StepState:
    """Tell whether a step is passed, open, or waits for the steps it needs."""
    done = set(passed)
    if step.name in done:
        return StepState.PASSED
    return StepState.OPEN if done.issuperset(step.needs) else StepState.LOCKED


def current_step(lesson: Lesson, passed: Iterable[StepName]) -> Step:
    """Give the first step that is open, or the last step when all are passed."""
    done = set(passed)
    for step in lesson.steps:
        if step_state(step, done) is StepState.OPEN:
            return step
    return lesson.steps[-1]


def is_finished(lesson: Lesson, passed: Iterable[StepName]) -> bool:
    """Tell whether every step of the lesson is passed."""
    return set(passed).issuperset(step.name for step in lesson.steps)


def hint_refusal(
    hint: Hint, *, attempts: Sequence[Attempt], started_at: datetime, now: datetime
) -> str | None:
    """Say why a hint may not be had yet; None when it may.

    Args:
        attempts: Finished attempts of this student at this step; those that were graded again
            count as none, but their failing tests have failed.
        started_at: When the student started the lesson.
        now: Aware UTC.
    """
    finished = [a for a in attempts if a.outcome is not None]
    asked_for = [a for a in finished if a.regrade_of is None and not a.is_cancelled]
    if hint.after_attempts is not None and len(asked_for) < hint.after_attempts:
        missing = hint.after_attempts - len(asked_for)
        return f"This hint opens after {missing} more check{'s' if missing > 1 else ''}."
    if hint.after_test is not None and not any(
        hint.after_test in a.outcome.failing_tests for a in finished if a.outcome
    ):
        return "This hint belongs to a test that has not failed yet."
    if hint.after_s is not None:
        opens_at = started_at + timedelta(seconds=hint.after_s)
        if now < opens_at:
            minutes = max(1, round((opens_at - now).total_seconds() / 60))
            return f"This hint opens in {minutes} min."
    return None


def solution_refusal(reveal: Reveal, progress: Progress, now: datetime) -> str | None:
    """Say why the author's solution may not be seen yet; None when it may."""
    if reveal.when is RevealWhen.NEVER:
        return "The author keeps the solution of this lesson."
    if reveal.when is RevealWhen.AFTER and reveal.after_s is not None:
        opens_at = progress.started_at + timedelta(seconds=reveal.after_s)
        if progress.finished_at is None and now < opens_at:
            minutes = max(1, round((opens_at - now).total_seconds() / 60))
            return f"The solution opens in {minutes} min, or when all steps are passed."
        return None
    if progress.finished_at is None:
        return "The solution opens when all steps are passed."
    return None
