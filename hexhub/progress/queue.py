"""The queue of attempts: the row is the job, held by a lease while a worker has it.

Whose attempt is next stands in ``hexhub.progress.turns``.
"""

import hashlib
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from hexhub.catalog.model import Lesson
from hexhub.checks.model import Outcome, OutcomeKind, TestOutcome
from hexhub.errors import AttemptNotFound, LeaseLost, StoreError
from hexhub.events.model import EventName
from hexhub.names import StepName, Version
from hexhub.progress.database import Database, Transaction
from hexhub.progress.milestones import (
    add_event,
    not_negative,
    note_pass,
    note_start,
    seconds_between,
)
from hexhub.progress.model import Attempt, AttemptState, Claim, Place
from hexhub.progress.rows import (
    find_attempt,
    is_at,
    make_test_rows,
    place_columns,
    read_attempt,
    read_place,
)
from hexhub.progress.tables import AttemptRow, CancellationRow
from hexhub.progress.turns import (
    MAX_DELAY_S,
    MAX_LEASE_S,
    any_query,
    is_open,
    next_query,
    place_query,
    times,
)

MAX_TRIES = 3
"""How often a worker may take an attempt before it is given up (DESIGN §3)."""
COULD_NOT_RUN = (
    "The check could not be run; it costs you nothing. "
    "Press Check again; if this stays, tell your teacher."
)
"""What a student reads when we gave up. The reason is for the author and stands in the row."""
CANCELLED = "The student cancelled it."

_FAILING_TESTS_IN_EVENT = 20


class Queue:
    """The attempts of one database that wait or run. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self.database = database

    # --- as the student sees it -----------------------------------------------------------------

    def submit(
        self, place: Place, step: StepName, version: Version, key: str | None = None
    ) -> tuple[Attempt, bool]:
        """Queue an attempt, or join the one that is queued or running at this step.

        Args:
            key: What the student's side chose for this one press. Asked again with it, as after a
                broken connection, it is the attempt of the first time, also where that is done.

        Returns:
            The attempt, and True where it is new.
        """
        with self.database.writing() as session:
            note_start(session, place, version)
            while True:
                attempt_id = uuid.uuid4().hex if key is None else _keyed_id(place, step, key)
                known = session.scalars(
                    select(AttemptRow).where(AttemptRow.id == attempt_id)
                ).first()
                if known is not None:
                    return read_attempt(session, known), False
                is_new = session.insert_new(
                    AttemptRow,
                    {
                        **place_columns(place),
                        "id": attempt_id,
                        "step": step,
                        "version": version,
                        "state": AttemptState.QUEUED,
                        "requested_at": session.now(),
                    },
                )
                row = session.scalars(
                    select(AttemptRow).where(
                        is_at(AttemptRow, place),
                        AttemptRow.step == step,
                        AttemptRow.state != AttemptState.DONE,
                    )
                ).first()
                if row is not None:
                    session.announce()
                    return read_attempt(session, row), is_new
                # PostgreSQL: the one that was in the way has finished in between. Once more.

    def cancel(self, attempt_id: str) -> Attempt:
        """End an attempt that waits or runs because its student does not want it any more.

        It counts for nothing. The worker sees that its lease holds no more, and ends a check that
        runs; a verdict finds no lease. An attempt that is done stays as it is.

        Raises:
            AttemptNotFound: There is none of that id.
        """
        with self.database.writing() as session:
            row = session.scalars(
                select(AttemptRow).where(AttemptRow.id == attempt_id).with_for_update()
            ).first()
            if row is None:
                raise AttemptNotFound(f"No attempt '{attempt_id}'. Press Check to make a new one.")
            if row.state is not AttemptState.DONE:
                self._give_up(session, row, CANCELLED, "")
                session.add(CancellationRow(attempt=row.sequence, cancelled_at=session.now()))
                session.flush()
            return read_attempt(session, row)

    def queue_position(self, attempt_id: str) -> int | None:
        """Give the place in the order of :meth:`claim`: 1 is next; None for what does not wait.

        An attempt that pauses before another try is told the place that it would have now.

        Raises:
            AttemptNotFound: There is none of that id.
        """
        with self.database.reading() as session:
            row = find_attempt(session, attempt_id)
            if row.state is not AttemptState.QUEUED:
                return None
            known = {"sequence": row.sequence}
            return session.scalar(place_query(), known | times(session.now()))

    # --- as the worker sees it ------------------------------------------------------------------

    def claim(self, worker: str, lease_s: float, *, most_of_one: int | None = None) -> Claim | None:
        """Take the next attempt that waits, or whose worker has not been heard of; None: none.

        Next is what has the lowest turn, then the oldest (see the module). Attempts that were taken
        three times already are given up on the way.

        Args:
            worker: Who takes it; for people who look into the table.
            lease_s: Seconds that it is held without a heartbeat; at most ``MAX_LEASE_S``.
            most_of_one: How many of one student this worker may hold at a time; None: any number.
        """
        if not 0 < lease_s <= MAX_LEASE_S:
            raise StoreError(f"A lease of {lease_s} s; it may have 0 to {MAX_LEASE_S:.0f}.")
        known = {"worker": worker, "most_of_one": most_of_one}
        is_bounded = most_of_one is not None
        with self.database.reading() as session:
            # Most times there is nothing to do, and then no write lock is taken.
            if session.scalar(any_query(is_bounded), known | times(session.now())) is None:
                return None
        with self.database.writing() as session:
            while True:
                now = session.now()
                row = session.scalars(next_query(is_bounded), known | times(now)).first()
                if row is None:
                    return None
                if row.tries >= MAX_TRIES:
                    died = f"The worker ended or hung in each of {row.tries} tries."
                    reason = f"{row.reason} {died}" if row.reason else died
                    self._give_up(session, row, reason, COULD_NOT_RUN)
                    continue
                row.state = AttemptState.RUNNING
                row.tries += 1
                row.lease = uuid.uuid4().hex
                row.leased_until = now + timedelta(seconds=lease_s)
                row.worker = worker
                row.started_at = now
                row.not_before = None
                session.flush()
                return Claim(read_attempt(session, row), row.lease)

    def heartbeat(self, attempt_id: str, lease: str, lease_s: float) -> None:
        """Hold an attempt for another ``lease_s`` seconds.

        Raises:
            LeaseLost: Somebody else has it by now, or it is done.
        """
        with self.database.writing() as session:
            until = session.now() + timedelta(seconds=lease_s)
            done = session.execute(
                update(AttemptRow)
                .where(AttemptRow.id == attempt_id, AttemptRow.lease == lease)
                .values(leased_until=until)
            )
            if not _changed(done):
                raise LeaseLost(f"Attempt {attempt_id} is not held by this lease any more.")

    def held(self, leases: Sequence[str]) -> frozenset[str]:
        """Give those of some leases that still hold their attempts."""
        with self.database.reading() as session:
            query = select(AttemptRow.lease).where(is_open(), AttemptRow.lease.in_(leases))
            return frozenset(lease for lease in session.scalars(query) if lease is not None)

    def finish(self, attempt_id: str, lease: str, outcome: Outcome, lesson: Lesson) -> Attempt:
        """Store the verdict, what it passes and finishes, and the events of it, all or nothing.

        Args:
            lesson: As it is in the attempt's version: tells whether that was the last step.

        Raises:
            LeaseLost: Somebody else has the attempt by now, or it is done; nothing is stored.
            AttemptNotFound: There is none of that id.
        """
        with self.database.writing() as session:
            row = find_held(session, attempt_id, lease)
            self._finish(session, row, outcome)
            if outcome.is_pass:
                place = read_place(row)
                step, version = StepName(row.step), Version(row.version)
                note_pass(session, place, step, version, lesson, attempt=row.sequence)
            return read_attempt(session, row)

    def give_up(
        self, attempt_id: str, lease: str, reason: str, message: str = COULD_NOT_RUN
    ) -> Attempt:
        """End an attempt as ``ungradable``; it costs the student nothing.

        Args:
            reason: For the author.
            message: For the student.

        Raises:
            LeaseLost: Somebody else has the attempt by now, or it is done.
            AttemptNotFound: There is none of that id.
        """
        with self.database.writing() as session:
            row = find_held(session, attempt_id, lease)
            self._give_up(session, row, reason, message)
            return read_attempt(session, row)

    def retry_later(self, attempt_id: str, lease: str, reason: str, delay_s: float) -> Attempt:
        """Put an attempt back into the queue, or give it up where that was the last try.

        Args:
            reason: Why this try failed; for the author.
            delay_s: Seconds to wait before; at most ``MAX_DELAY_S``.

        Raises:
            LeaseLost: Somebody else has the attempt by now, or it is done.
            AttemptNotFound: There is none of that id.
        """
        with self.database.writing() as session:
            row = find_held(session, attempt_id, lease)
            if row.tries >= MAX_TRIES:
                self._give_up(session, row, reason, COULD_NOT_RUN)
            else:
                _put_back(row)
                row.reason = reason
                pause = timedelta(seconds=min(max(delay_s, 0.0), MAX_DELAY_S))
                row.not_before = session.now() + pause
            session.flush()
            return read_attempt(session, row)

    def release(self, attempt_id: str, lease: str) -> None:
        """Put an attempt back into the queue as if it had not been taken.

        Raises:
            LeaseLost: Somebody else has the attempt by now, or it is done.
            AttemptNotFound: There is none of that id.
        """
        with self.database.writing() as session:
            row = find_held(session, attempt_id, lease)
            _put_back(row)
            row.tries -= 1

    # --- inside ---

    def _finish(
        self, session: Transaction, row: AttemptRow, outcome: Outcome, reason: str | None = None
    ) -> None:
        now = session.now()
        row.state = AttemptState.DONE
        row.lease = row.leased_until = row.not_before = None
        row.finished_at = now
        row.outcome = outcome.kind
        row.message = outcome.message
        row.output = outcome.output
        row.duration_s = outcome.duration_s
        row.reason = reason or row.reason
        session.add_all(make_test_rows(row.sequence, outcome.tests))
        session.flush()
        passed = sum(test.outcome is TestOutcome.PASSED for test in outcome.tests)
        add_event(
            session,
            EventName.ATTEMPT_FINISHED,
            now,
            read_place(row),
            {
                "step": row.step,
                "version": row.version,
                "attempt": row.id,
                "outcome": outcome.kind.value,
                "tries": row.tries,
                "waited_s": seconds_between(row.requested_at, row.started_at or now),
                "duration_s": not_negative(outcome.duration_s),
                "tests": len(outcome.tests),
                "tests_passed": passed,
                "failing_tests": list(outcome.failing_tests[:_FAILING_TESTS_IN_EVENT]),
            },
        )

    def _give_up(self, session: Transaction, row: AttemptRow, reason: str, message: str) -> None:
        self._finish(session, row, Outcome(OutcomeKind.UNGRADABLE, message=message), reason)


def _keyed_id(place: Place, step: StepName, key: str) -> str:
    """Give the id that a student's own key makes; another student's key never makes the same."""
    parts = "\n".join((place.user, place.course, place.lesson, step, key))
    return hashlib.sha256(parts.encode()).hexdigest()[:32]


def _changed(result: Any) -> bool:
    return isinstance(result, CursorResult) and result.rowcount > 0


def find_held(session: Session, attempt_id: str, lease: str) -> AttemptRow:
    """Give the row of an attempt, locked, if ``lease`` still holds it.

    Raises:
        LeaseLost: Somebody else has the attempt by now, or it is done.
        AttemptNotFound: There is none of that id.
    """
    row = session.scalars(
        select(AttemptRow).where(AttemptRow.id == attempt_id).with_for_update()
    ).first()
    if row is None:
        raise AttemptNotFound(f"No attempt '{attempt_id}'.")
    if row.state is not AttemptState.RUNNING or row.lease != lease:
        raise LeaseLost(f"Attempt {attempt_id} is not held by this lease any more.")
    return row


def _put_back(row: AttemptRow) -> None:
    row.state = AttemptState.QUEUED
    row.lease = row.leased_until = None
