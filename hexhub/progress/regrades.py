"""Attempts graded again: which of them count, and their new outcomes beside the old ones.

Which attempt of a student at a step counts: what a teacher means by "their answer". The newest one
that passed, since a later try that failed takes no pass away; where none passed, the newest whose
files are kept. Only that one is graded again, in its newest verdict's place. Weighed was every
attempt: a course of 30 students and 20 steps has 600 answers, but several thousand attempts.

Like :mod:`hexhub.progress.snapshots`, this is another door of the store's database.
"""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from hexhub.catalog.model import Lesson
from hexhub.checks.model import Outcome, OutcomeKind
from hexhub.events.model import EventName
from hexhub.names import CourseName, LessonName, StepName, Version
from hexhub.progress.database import Database
from hexhub.progress.milestones import add_event, note_pass
from hexhub.progress.model import Attempt, AttemptState, Place, Standing, is_finished
from hexhub.progress.rows import (
    find_attempt,
    is_at,
    make_test_rows,
    place_columns,
    read_attempt,
    read_attempts,
    read_place,
    read_progress,
)
from hexhub.progress.store import Store
from hexhub.progress.tables import (
    AttemptRow,
    AttemptSnapshotRow,
    ProgressRow,
    RegradeRow,
    StepPassedRow,
)

_BATCH = 500


@dataclass(frozen=True)
class Verdict:
    """What of a finished attempt decides whether it counts; pure.

    Attributes:
        sequence: Of the attempt; grows.
        original: Sequence of the attempt that the student asked for: itself, or another that was
            graded again.
        is_pass: It passed.
        has_snapshot: The files of the original are kept.
    """

    sequence: int
    original: int
    is_pass: bool
    has_snapshot: bool


def find_counting(verdicts: Iterable[Verdict]) -> Verdict:
    """Give the newest verdict on the attempt that counts, of one student at one step; pure.

    Args:
        verdicts: At least one, in any order.
    """
    latest: dict[int, Verdict] = {}
    for verdict in sorted(verdicts, key=lambda verdict: verdict.sequence):
        latest[verdict.original] = verdict
    return max(latest.values(), key=lambda v: (v.is_pass, v.has_snapshot, v.original))


class Regrades:
    """The attempts of one database, seen by whoever grades them again. Safe between threads."""

    def __init__(self, store: Store) -> None:
        self._database: Database = store.database

    def standings(self, course: CourseName, lesson: LessonName | None = None) -> list[Standing]:
        """Give the attempt that counts of every student at every step, by student and lesson.

        Attempts that wait or run are left alone.
        """
        with self._database.reading() as session:
            chosen = list(self._choose(session, course, lesson))
            sequences = {v.sequence for v in chosen} | {v.original for v in chosen}
            attempts = _read(session, sorted(sequences))
            progress = {
                place: read_progress(session, place)
                for place in {attempt.place for attempt in attempts.values()}
            }
            return [
                Standing(
                    original=attempts[verdict.original],
                    latest=attempts[verdict.sequence],
                    has_snapshot=verdict.has_snapshot,
                    progress=progress[attempts[verdict.original].place],
                )
                for verdict in chosen
            ]

    def _choose(
        self, session: Session, course: CourseName, lesson: LessonName | None
    ) -> Iterator[Verdict]:
        query = (
            select(
                AttemptRow.user_name,
                AttemptRow.lesson,
                AttemptRow.step,
                AttemptRow.sequence,
                AttemptRow.outcome,
                RegradeRow.original,
            )
            .outerjoin(RegradeRow, RegradeRow.attempt == AttemptRow.sequence)
            .where(AttemptRow.course == course, AttemptRow.state == AttemptState.DONE)
            .order_by(AttemptRow.user_name, AttemptRow.lesson, AttemptRow.step, AttemptRow.sequence)
        )
        kept = select(AttemptSnapshotRow.attempt).join(
            AttemptRow, AttemptRow.sequence == AttemptSnapshotRow.attempt
        )
        kept = kept.where(AttemptRow.course == course)
        if lesson is not None:
            query = query.where(AttemptRow.lesson == lesson)
            kept = kept.where(AttemptRow.lesson == lesson)
        has_snapshot = set(session.scalars(kept))
        rows = session.execute(query).all()
        for _, group in groupby(rows, key=lambda row: (row.user_name, row.lesson, row.step)):
            yield find_counting(
                Verdict(
                    sequence=row.sequence,
                    original=(original := row.original or row.sequence),
                    is_pass=row.outcome is OutcomeKind.PASSED,
                    has_snapshot=original in has_snapshot,
                )
                for row in group
            )

    def finish(
        self,
        original_id: str,
        version: Version,
        outcome: Outcome,
        lesson: Lesson,
        *,
        take_away: bool = False,
    ) -> Attempt | None:
        """Store the new outcome of an attempt beside the old one, and what it passes, with events.

        Args:
            original_id: Of the attempt that the student asked for.
            version: In which it was graded again.
            outcome: Not ``ungradable``: what could not be run says nothing.
            lesson: As it is in ``version``.
            take_away: Where it did not pass, the step is passed no more, and the lesson finished
                no more. Without it neither is ever taken away.

        Returns:
            The new attempt; None where the newest verdict on it is of this version already.

        Raises:
            AttemptNotFound: There is none of that id.
            StoreError: The database refuses; nothing is stored.
        """
        with self._database.writing() as session:
            original = find_attempt(session, original_id)
            place, step = read_place(original), StepName(original.step)
            progress = _lock_progress(session, place)
            before = _newest_verdict(session, original)
            if before.version == version and before.outcome is not OutcomeKind.UNGRADABLE:
                return None
            now = session.now()
            # Not ``started_at``: by that the queue counts what a student's checks take of it.
            row = AttemptRow(
                **place_columns(place),
                id=uuid.uuid4().hex,
                step=step,
                version=version,
                state=AttemptState.DONE,
                requested_at=original.requested_at,
                finished_at=now,
                outcome=outcome.kind,
                message=outcome.message,
                output=outcome.output,
                duration_s=outcome.duration_s,
            )
            session.add(row)
            session.flush()
            session.add_all(make_test_rows(row.sequence, outcome.tests))
            session.add(
                RegradeRow(attempt=row.sequence, original=original.sequence, regraded_at=now)
            )
            session.flush()
            is_taken_away = False
            if outcome.is_pass:
                note_pass(session, place, step, version, lesson, attempt=row.sequence)
            elif take_away:
                is_taken_away = _take_away(session, progress, place, step, version, lesson)
            add_event(
                session,
                EventName.ATTEMPT_REGRADED,
                now,
                place,
                {
                    "step": step,
                    "version": version,
                    "attempt": row.id,
                    "original": original.id,
                    "outcome": outcome.kind.value,
                    "outcome_before": (before.outcome or outcome.kind).value,
                    "is_pass_taken_away": is_taken_away,
                },
            )
            return read_attempt(session, row)

    def take_away(self, place: Place, step: StepName, version: Version, lesson: Lesson) -> bool:
        """Take away the pass of a step whose attempts do not pass in ``version``.

        For what was graded again before, without taking away.

        Returns:
            False where nothing was passed, or an attempt passed in ``version``.
        """
        with self._database.writing() as session:
            progress = _lock_progress(session, place)
            return _take_away(session, progress, place, step, version, lesson)


def _lock_progress(session: Session, place: Place) -> ProgressRow:
    """Give the student's progress; whoever passes a step or grades again here waits for us."""
    return session.scalars(
        select(ProgressRow).where(is_at(ProgressRow, place)).with_for_update(key_share=True)
    ).one()


def _newest_verdict(session: Session, original: AttemptRow) -> AttemptRow:
    """Give the attempt, or the last time that it was graded again."""
    newest = session.scalars(
        select(AttemptRow)
        .join(RegradeRow, RegradeRow.attempt == AttemptRow.sequence)
        .where(RegradeRow.original == original.sequence)
        .order_by(AttemptRow.sequence.desc())
        .limit(1)
    ).first()
    return newest or original


def _take_away(
    session: Session,
    progress: ProgressRow,
    place: Place,
    step: StepName,
    version: Version,
    lesson: Lesson,
) -> bool:
    """Let a step be passed no more, unless another attempt passed in this version meanwhile."""
    passes = exists().where(
        is_at(AttemptRow, place),
        AttemptRow.step == step,
        AttemptRow.version == version,
        AttemptRow.outcome == OutcomeKind.PASSED,
    )
    gone = session.scalars(
        delete(StepPassedRow)
        .where(is_at(StepPassedRow, place), StepPassedRow.step == step, ~passes)
        .returning(StepPassedRow.step)
    ).all()
    if not gone:
        return False
    left = session.scalars(select(StepPassedRow.step).where(is_at(StepPassedRow, place))).all()
    if not is_finished(lesson, map(StepName, left)):
        progress.finished_at = None
        session.flush()
    return True


def _read(session: Session, sequences: Sequence[int]) -> dict[int, Attempt]:
    """Give attempts by their sequence."""
    found: dict[int, Attempt] = {}
    for start in range(0, len(sequences), _BATCH):
        rows = session.scalars(
            select(AttemptRow).where(AttemptRow.sequence.in_(sequences[start : start + _BATCH]))
        ).all()
        models = read_attempts(session, rows)
        found.update(zip((row.sequence for row in rows), models, strict=True))
        session.expunge_all()
    return found
