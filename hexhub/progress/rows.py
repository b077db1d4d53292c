"""Rows ↔ models; and the few conditions by which rows are found.

What reads takes any session; nothing here begins or ends a transaction.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from hexhub.checks.model import Outcome, TestResult
from hexhub.errors import AttemptNotFound
from hexhub.events.model import Event, EventName
from hexhub.names import CourseName, LessonName, StepName, UserName, Version
from hexhub.progress.model import Attempt, AttemptState, Place, Progress
from hexhub.progress.tables import (
    AttemptRow,
    CancellationRow,
    EventRow,
    HintTakenRow,
    ProgressRow,
    RegradeRow,
    StepPassedRow,
    TestResultRow,
)


def place_columns(place: Place) -> dict[str, str]:
    """Give the columns that name a place, in every table that has one."""
    return {"user_name": place.user, "course": place.course, "lesson": place.lesson}


def is_at(
    row: type[ProgressRow | AttemptRow | StepPassedRow | HintTakenRow], place: Place
) -> ColumnElement[bool]:
    """Say which rows of a table are of this student in this lesson."""
    return and_(row.user_name == place.user, row.course == place.course, row.lesson == place.lesson)


def read_place(row: AttemptRow) -> Place:
    """Give whose attempt it is, and where."""
    return Place(UserName(row.user_name), CourseName(row.course), LessonName(row.lesson))


def find_attempt(session: Session, attempt_id: str) -> AttemptRow:
    """Give the row of an attempt.

    Raises:
        AttemptNotFound: There is none of that id.
    """
    row = session.scalars(select(AttemptRow).where(AttemptRow.id == attempt_id)).first()
    if row is None:
        raise AttemptNotFound(f"No attempt '{attempt_id}'. Press Check to make a new one.")
    return row


def read_progress(session: Session, place: Place) -> Progress:
    """Give how far a student has come in a lesson that they have started."""
    row = session.scalars(select(ProgressRow).where(is_at(ProgressRow, place))).one()
    passed = session.scalars(select(StepPassedRow).where(is_at(StepPassedRow, place))).all()
    hints = session.execute(
        select(HintTakenRow.step, func.count())
        .where(is_at(HintTakenRow, place))
        .group_by(HintTakenRow.step)
    ).all()
    return Progress(
        place=place,
        version=Version(row.version),
        started_at=row.started_at,
        passed_at={StepName(p.step): p.passed_at for p in passed},
        hints_taken={StepName(step): count for step, count in hints},
        finished_at=row.finished_at,
    )


def read_attempt(session: Session, row: AttemptRow) -> Attempt:
    """Give the model of one row, with its outcome where it is done."""
    return read_attempts(session, [row])[0]


def read_attempts(session: Session, rows: Sequence[AttemptRow]) -> list[Attempt]:
    """Give the models of these rows, in their order, with their outcomes."""
    done = [row.sequence for row in rows if row.state is AttemptState.DONE]
    tests: dict[int, list[TestResult]] = {}
    originals: dict[int, str] = {}
    cancelled: set[int] = set()
    # In pieces: SQLite takes 32,766 parameters at most.
    for start in range(0, len(done), 1000):
        some = done[start : start + 1000]
        query = (
            select(TestResultRow)
            .where(TestResultRow.attempt.in_(some))
            .order_by(TestResultRow.attempt, TestResultRow.position)
        )
        for test in session.scalars(query):
            tests.setdefault(test.attempt, []).append(_test(test))
        regraded = session.execute(
            select(RegradeRow.attempt, AttemptRow.id)
            .join(AttemptRow, AttemptRow.sequence == RegradeRow.original)
            .where(RegradeRow.attempt.in_(some))
        )
        originals.update({row.attempt: row.id for row in regraded})
        cancelled.update(
            session.scalars(
                select(CancellationRow.attempt).where(CancellationRow.attempt.in_(some))
            )
        )
    return [
        replace(
            _attempt_model(row, tuple(tests.get(row.sequence, ()))),
            regrade_of=originals.get(row.sequence),
            is_cancelled=row.sequence in cancelled,
        )
        for row in rows
    ]


def _attempt_model(row: AttemptRow, tests: tuple[TestResult, ...]) -> Attempt:
    attempt = Attempt(
        id=row.id,
        place=read_place(row),
        step=StepName(row.step),
        version=Version(row.version),
        state=row.state,
        requested_at=row.requested_at,
        tries=row.tries,
        finished_at=row.finished_at,
    )
    if row.outcome is None:
        return attempt
    return replace(
        attempt,
        outcome=Outcome(
            kind=row.outcome,
            message=row.message,
            tests=tests,
            output=row.output,
            duration_s=row.duration_s,
        ),
    )


def _test(row: TestResultRow) -> TestResult:
    return TestResult(
        id=row.test_id,
        name=row.name,
        outcome=row.outcome,
        message=row.message,
        expected=row.expected,
        actual=row.actual,
        output=row.output,
        points=row.points,
        max_points=row.max_points,
        duration_s=row.duration_s,
        names=row.names,
    )


def make_test_rows(attempt: int, tests: Sequence[TestResult]) -> list[TestResultRow]:
    """Give the rows of an attempt's tests.

    Args:
        attempt: Its sequence.
        tests: In the order of the report.
    """
    return [_make_test_row(attempt, position, test) for position, test in enumerate(tests)]


def _make_test_row(attempt: int, position: int, test: TestResult) -> TestResultRow:
    return TestResultRow(
        attempt=attempt,
        position=position,
        test_id=test.id,
        name=test.name,
        outcome=test.outcome,
        message=test.message,
        expected=test.expected,
        actual=test.actual,
        output=test.output,
        points=test.points,
        max_points=test.max_points,
        duration_s=test.duration_s,
        names=dict(test.names),
    )


def make_event_values(event: Event) -> dict[str, Any]:
    """Give the columns of an event that waits to be shipped."""
    return {
        "id": event.id,
        "name": event.name.value,
        "version": event.version,
        "at": event.at,
        "data": dict(event.data),
        "user_name": event.data.get("user"),
        "is_reported": event.is_reported,
    }


def read_event(row: EventRow) -> Event:
    """Give the model of one row of the outbox."""
    return Event(row.id, EventName(row.name), row.version, row.at, row.data, row.sequence)
