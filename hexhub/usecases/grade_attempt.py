"""A worker gives an attempt its outcome."""

import time
from collections.abc import Callable, Sequence

from hexhub.catalog.model import Course, Lesson, Step
from hexhub.catalog.published import PublishedCatalog
from hexhub.checks.model import Outcome
from hexhub.errors import (
    AttemptNotFound,
    CheckError,
    CourseError,
    LeaseLost,
    MachineNotRunning,
    StoreError,
    SubmissionUnusable,
)
from hexhub.progress.model import Attempt, Claim
from hexhub.progress.store import Store

Grader = Callable[[Claim, Course, Lesson, Step, Sequence[str] | None], Outcome]
"""Runs the check of a step: claim, course, lesson, step, expected test ids → outcome."""

RETRY_DELAY_S = 2.0
"""Pause before the second try; the third waits five times as long."""
STORE_PAUSES_S = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Pauses between tries to store a verdict: a database that restarts must not cost a check."""
MACHINE_NOT_RUNNING = (
    "Your machine is not running, so that there was nothing to check; it costs you nothing. "
    "Open the lesson again and press Check."
)
COURSE_CHANGED = (
    "The course has changed since you pressed Check; it costs you nothing. "
    "Reload the page and press Check again."
)


def grade_attempt(store: Store, catalog: PublishedCatalog, grader: Grader, claim: Claim) -> Attempt:
    """Run the check of a claimed attempt and store what came of it.

    What a further try cannot mend (the machine is stopped, what was handed in cannot be read, the
    course version is gone) ends the attempt as ``ungradable`` at once; other faults of ours put it
    back into the queue, and end it so after the third try.

    Args:
        claim: What ``Store.claim`` gave.

    Returns:
        The attempt: done, or queued again.

    Raises:
        LeaseLost: It was cancelled, or another worker has it by now; nothing is stored.
        StoreError: The database refuses; the attempt is taken again when its lease is over.
    """
    attempt, lease = claim.attempt, claim.lease
    place = attempt.place
    try:
        course = catalog.course(place.course, attempt.version)
        lesson = course.lesson(place.lesson)
        step = lesson.step(attempt.step)
        expected = catalog.expected_tests(course.name, course.version, lesson.name, step.name)
    except CourseError as exc:
        return store.give_up(attempt.id, lease, str(exc), COURSE_CHANGED)
    try:
        outcome = grader(claim, course, lesson, step, expected)
    except MachineNotRunning as exc:
        return store.give_up(attempt.id, lease, str(exc), MACHINE_NOT_RUNNING)
    except SubmissionUnusable as exc:
        return store.give_up(attempt.id, lease, str(exc), str(exc))
    except CheckError as exc:
        return put_back(store, attempt, lease, f"{exc.code}: {exc}")
    return _store_verdict(store, attempt, lease, outcome, lesson)


def put_back(store: Store, attempt: Attempt, lease: str, reason: str) -> Attempt:
    """Let an attempt be tried again a little later, or end it where that was the last try.

    Args:
        reason: For the author.

    Raises:
        LeaseLost: Another worker has the attempt by now.
        StoreError: The database refuses.
    """
    return store.retry_later(
        attempt.id, lease, reason, RETRY_DELAY_S * 5 ** (max(attempt.tries, 1) - 1)
    )


def _store_verdict(
    store: Store, attempt: Attempt, lease: str, outcome: Outcome, lesson: Lesson
) -> Attempt:
    for pause_s in STORE_PAUSES_S:
        try:
            return store.finish(attempt.id, lease, outcome, lesson)
        except (LeaseLost, AttemptNotFound):
            raise
        except StoreError:
            time.sleep(pause_s)
    return store.finish(attempt.id, lease, outcome, lesson)
