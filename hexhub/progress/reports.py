"""What students' machines report, and all that is recorded about one student.

Like :mod:`hexhub.progress.snapshots`, this is another door of the store's database, and uses its
transactions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from hexhub.events.model import Event, EventName
from hexhub.names import UserName
from hexhub.progress.database import Database
from hexhub.progress.rows import make_event_values, read_event
from hexhub.progress.store import Store
from hexhub.progress.tables import EventRow, RefusedReportRow

_BATCH = 500


@dataclass(frozen=True)
class RefusedReports:
    """How many events were refused for one reason, and when last (aware UTC)."""

    problem: str
    count: int
    last_at: datetime


class Reports:
    """The events of one database, seen by whoever they are about. Safe between threads."""

    def __init__(self, store: Store) -> None:
        self._database: Database = store.database

    def store(self, user: UserName, events: Sequence[Event], refused: Mapping[str, int]) -> int:
        """Store a batch and count what was refused, in one transaction; give how many are new.

        Args:
            events: All of this user; one that is there already (by its id) is passed over.
            refused: Problem → how many events.
        """
        insert = postgresql.insert if self._database.is_postgresql else sqlite.insert
        with self._database.writing() as session:
            is_new = [session.insert_new(EventRow, make_event_values(event)) for event in events]
            for problem, count in refused.items():
                now = session.now()
                statement = insert(RefusedReportRow).values(
                    user_name=user, problem=problem, count=count, last_at=now
                )
                session.execute(
                    statement.on_conflict_do_update(
                        index_elements=["user_name", "problem"],
                        set_={"count": RefusedReportRow.count + count, "last_at": now},
                    )
                )
            return sum(is_new)

    def refused(self, user: UserName) -> list[RefusedReports]:
        """Give what was refused of a student's machines, by reason."""
        with self._database.reading() as session:
            rows = session.scalars(
                select(RefusedReportRow)
                .where(RefusedReportRow.user_name == user)
                .order_by(RefusedReportRow.problem)
            )
            return [RefusedReports(row.problem, row.count, row.last_at) for row in rows]

    def recorded(self, user: UserName, limit: int, before: int | None = None) -> list[Event]:
        """Give what is recorded about a student, newest first.

        Args:
            limit: Events at most.
            before: Only events with a smaller sequence; None begins with the newest.
        """
        with self._database.reading() as session:
            query = select(EventRow).where(EventRow.user_name == user)
            if before is not None:
                query = query.where(EventRow.sequence < before)
            rows = session.scalars(query.order_by(EventRow.sequence.desc()).limit(limit))
            return [read_event(row) for row in rows]

    def forget_old(self, kept: timedelta, *, only_shipped: bool) -> int:
        """Delete claims that are older than they may be; give how many are gone.

        What our own processes tell stays. Batch by batch, so that nobody is kept out for long.

        Args:
            kept: Age from which an event goes; a day or more, after which no machine sends one
                again.
            only_shipped: Events that no sink has acknowledged stay, whatever their age.

        Raises:
            StoreError: The database refuses; what is done is done.
        """
        gone = 0
        while found := self._forget_some(kept, only_shipped=only_shipped):
            gone += found
        return gone

    def _forget_some(self, kept: timedelta, *, only_shipped: bool) -> int:
        with self._database.writing() as session:
            # No index helps: this runs once an hour, and reads the oldest rows first.
            old = select(EventRow.sequence).where(
                EventRow.is_reported, EventRow.at < session.now() - kept
            )
            if only_shipped:
                old = old.where(EventRow.shipped_at.is_not(None))
            found = session.scalars(old.order_by(EventRow.sequence).limit(_BATCH)).all()
            session.execute(delete(EventRow).where(EventRow.sequence.in_(found)))
            return len(found)

    def counts(self, user: UserName) -> Mapping[EventName, int]:
        """Give how many events of each kind are recorded about a student."""
        with self._database.reading() as session:
            rows = session.execute(
                select(EventRow.name, func.count())
                .where(EventRow.user_name == user)
                .group_by(EventRow.name)
            )
            return {EventName(name): count for name, count in rows}
