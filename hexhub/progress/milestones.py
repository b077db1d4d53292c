"""What is noted of a student's way, each with its event: started, step passed, lesson finished.

Parts of a transaction that somebody else has begun: the queue's with a verdict, the store's where a
step has no check, that of a regrade.
"""

import math
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hexhub.catalog.model import Lesson
from hexhub.checks.model import OutcomeKind
from hexhub.events.model import EventName, EventValue
from hexhub.events.schemas import make_event
from hexhub.names import StepName, Version
from hexhub.progress.database import Transaction
from hexhub.progress.model import AttemptState, Place, is_finished
from hexhub.progress.rows import is_at, make_event_values, place_columns
from hexhub.progress.tables import (
    AttemptRow,
    EventRow,
    HintTakenRow,
    ProgressRow,
    RegradeRow,
    StepPassedRow,
)


def add_event(
    session: Transaction,
    name: EventName,
    at: datetime,
    place: Place,
    data: Mapping[str, EventValue],
) -> None:
    """Put an event about a student in a lesson into the outbox."""
    where = {"user": place.user, "course": place.course, "lesson": place.lesson}
    session.insert_new(EventRow, make_event_values(make_event(name, at, {**where, **data})))


def note_start(session: Transaction, place: Place, version: Version) -> None:
    """Store that a student has started a lesson, where that is new."""
    now = session.now()
    values = {**place_columns(place), "version": version, "started_at": now}
    if session.insert_new(ProgressRow, values):
        add_event(session, EventName.LESSON_STARTED, now, place, {"version": version})


def note_pass(
    session: Transaction,
    place: Place,
    step: StepName,
    version: Version,
    lesson: Lesson,
    attempt: int | None,
) -> None:
    """Store that a step is passed, and that the lesson is finished where it was the last.

    What is stored already stays as it is, and is told of once.

    Args:
        session: That writes.
        place: In a lesson that was started.
        step: Of ``lesson``.
        version: In which it is passed.
        lesson: As it is in ``version``: tells whether that was the last step.
        attempt: Sequence of the attempt that passed it; None for a step without a check.
    """
    now = session.now()
    progress = session.scalars(
        select(ProgressRow)
        .where(is_at(ProgressRow, place))
        # Not the stronger FOR UPDATE, which would wait for rows that refer to this one.
        .with_for_update(key_share=True)
    ).one()
    since_start_s = seconds_between(progress.started_at, now)
    values = {**place_columns(place), "step": step, "passed_at": now, "attempt": attempt}
    if session.insert_new(StepPassedRow, values):
        add_event(
            session,
            EventName.STEP_PASSED,
            now,
            place,
            {
                "step": step,
                "version": version,
                "is_checked": attempt is not None,
                "attempts": _count_attempts(session, place, step),
                "hints": _count_hints(session, place, step),
                "since_start_s": since_start_s,
            },
        )
    passed = session.scalars(select(StepPassedRow.step).where(is_at(StepPassedRow, place))).all()
    if progress.finished_at is None and is_finished(lesson, map(StepName, passed)):
        progress.finished_at = now
        session.flush()
        add_event(
            session,
            EventName.LESSON_FINISHED,
            now,
            place,
            {
                "version": version,
                "attempts": _count_attempts(session, place),
                "hints": _count_hints(session, place),
                "since_start_s": since_start_s,
            },
        )


def _count_attempts(session: Session, place: Place, step: StepName | None = None) -> int:
    query = (
        select(func.count())
        .select_from(AttemptRow)
        .where(
            is_at(AttemptRow, place),
            AttemptRow.state == AttemptState.DONE,
            AttemptRow.outcome != OutcomeKind.UNGRADABLE,
            AttemptRow.sequence.not_in(select(RegradeRow.attempt)),
        )
    )
    if step is not None:
        query = query.where(AttemptRow.step == step)
    return session.scalar(query) or 0


def _count_hints(session: Session, place: Place, step: StepName | None = None) -> int:
    query = select(func.count()).select_from(HintTakenRow).where(is_at(HintTakenRow, place))
    if step is not None:
        query = query.where(HintTakenRow.step == step)
    return session.scalar(query) or 0


def seconds_between(start: datetime, end: datetime) -> float:
    """Give the seconds between, 0 where the clock stepped back."""
    return not_negative((end - start).total_seconds())


def not_negative(number: float) -> float:
    """Give a number that JSON and every schema take."""
    return max(0.0, float(number)) if math.isfinite(number) else 0.0
