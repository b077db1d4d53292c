"""What processes ask of the database: one transaction for every call.

The queue is ``hexhub.progress.queue``, which the store carries on; snapshots and regrades are other
doors of the same database, in modules of their own.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import func, select, update

from hexhub.catalog.model import Lesson
from hexhub.checks.model import OutcomeKind
from hexhub.events.model import Event, EventName
from hexhub.names import CourseName, LessonName, StepName, UserName, Version
from hexhub.progress.database import Clock, Database
from hexhub.progress.milestones import add_event, note_pass, note_start
from hexhub.progress.model import Attempt, AttemptState, Place, Progress
from hexhub.progress.queue import Queue
from hexhub.progress.rows import (
    find_attempt,
    is_at,
    make_event_values,
    place_columns,
    read_attempt,
    read_attempts,
    read_event,
    read_progress,
)
from hexhub.progress.tables import (
    AttemptRow,
    CancellationRow,
    EventRow,
    HintTakenRow,
    ProgressRow,
    RegradeRow,
    SolutionViewedRow,
)


class Store(Queue):
    """Progress, attempts and the outbox in a database. Safe to share between threads.

    Calls wait for the database: call them from threads, never on an event loop.
    """

    def __init__(self, database_url: str, *, clock: Clock | None = None) -> None:
        """Open the database; nothing is read or written yet.

        Args:
            database_url: SQLAlchemy URL of an SQLite file or a PostgreSQL database.
            clock: Gives aware UTC; None means the database's clock.

        Raises:
            SetupError: It is some other database, or SQLite without a file.
        """
        super().__init__(Database(database_url, clock=clock))

    def close(self) -> None:
        """Close all connections."""
        self.database.close()

    def migrate(self) -> None:
        """Make or update the tables; processes that do so at once wait for each other.

        Raises:
            StoreError: The database was made by a newer HexHub, or refuses.
        """
        self.database.migrate()

    def now(self) -> datetime:
        """Give the time by which leases and hints go: aware UTC."""
        return self.database.now()

    # --- progress -------------------------------------------------------------------------------

    def start_lesson(self, place: Place, version: Version) -> Progress:
        """Give the student's progress in a lesson, making it (and its event) the first time."""
        with self.database.writing() as session:
            note_start(session, place, version)
            return read_progress(session, place)

    def progress(self, place: Place) -> Progress | None:
        """Give the student's progress in a lesson; None before it was started."""
        with self.database.reading() as session:
            if session.get(ProgressRow, (place.user, place.course, place.lesson)) is None:
                return None
            return read_progress(session, place)

    def progress_of(self, user: UserName) -> Mapping[tuple[CourseName, LessonName], Progress]:
        """Give all that a student has started."""
        with self.database.reading() as session:
            rows = session.scalars(select(ProgressRow).where(ProgressRow.user_name == user)).all()
            places = [Place(user, CourseName(row.course), LessonName(row.lesson)) for row in rows]
            return {(p.course, p.lesson): read_progress(session, p) for p in places}

    def places(self) -> list[Place]:
        """Give every lesson that any student has started."""
        with self.database.reading() as session:
            keys = session.execute(
                select(ProgressRow.user_name, ProgressRow.course, ProgressRow.lesson)
            )
            return [
                Place(UserName(user), CourseName(course), LessonName(lesson))
                for user, course, lesson in keys
            ]

    def pass_step(self, place: Place, step: StepName, version: Version, lesson: Lesson) -> Progress:
        """Store that a step without a check is done, and give the progress after it.

        Args:
            lesson: As it is in ``version``: tells whether that was the last step.
        """
        with self.database.writing() as session:
            note_start(session, place, version)
            note_pass(session, place, step, version, lesson, attempt=None)
            return read_progress(session, place)

    def take_hint(self, place: Place, step: StepName, number: int, version: Version) -> bool:
        """Store that a hint was shown; True where it is new.

        Args:
            number: Counted from 1.
        """
        with self.database.writing() as session:
            note_start(session, place, version)
            now = session.now()
            is_new = session.insert_new(
                HintTakenRow,
                {**place_columns(place), "step": step, "number": number, "taken_at": now},
            )
            if is_new:
                add_event(
                    session,
                    EventName.HINT_TAKEN,
                    now,
                    place,
                    {"step": step, "version": version, "number": number},
                )
            return is_new

    def view_solution(self, place: Place, version: Version) -> bool:
        """Store that the solution was shown; True the first time."""
        with self.database.writing() as session:
            note_start(session, place, version)
            now = session.now()
            is_new = session.insert_new(
                SolutionViewedRow, {**place_columns(place), "viewed_at": now}
            )
            if is_new:
                progress = read_progress(session, place)
                add_event(
                    session,
                    EventName.SOLUTION_VIEWED,
                    now,
                    place,
                    {"version": version, "is_finished": progress.finished_at is not None},
                )
            return is_new

    # --- attempts -------------------------------------------------------------------------------

    def attempt(self, attempt_id: str) -> Attempt:
        """Give an attempt, with its outcome once it is done.

        Raises:
            AttemptNotFound: There is none of that id.
        """
        with self.database.reading() as session:
            return read_attempt(session, find_attempt(session, attempt_id))

    def attempts(self, place: Place, step: StepName | None = None) -> list[Attempt]:
        """Give the finished attempts of a student in a lesson (at one step), oldest first."""
        with self.database.reading() as session:
            query = select(AttemptRow).where(
                is_at(AttemptRow, place), AttemptRow.state == AttemptState.DONE
            )
            if step is not None:
                query = query.where(AttemptRow.step == step)
            return read_attempts(
                session, session.scalars(query.order_by(AttemptRow.sequence)).all()
            )

    def last_attempts(self, place: Place) -> Mapping[StepName, Attempt]:
        """Give the newest attempt at each step, whatever its state.

        One that was graded again stands in the place of the old one, not before newer ones.
        """
        with self.database.reading() as session:
            asked_for = func.coalesce(RegradeRow.original, AttemptRow.sequence)
            newest_first = (
                select(
                    AttemptRow.sequence,
                    func.row_number()
                    .over(
                        partition_by=AttemptRow.step,
                        order_by=(asked_for.desc(), AttemptRow.sequence.desc()),
                    )
                    .label("number"),
                )
                .outerjoin(RegradeRow, RegradeRow.attempt == AttemptRow.sequence)
                .where(is_at(AttemptRow, place))
                .subquery()
            )
            newest = select(newest_first.c.sequence).where(newest_first.c.number == 1)
            rows = session.scalars(select(AttemptRow).where(AttemptRow.sequence.in_(newest))).all()
            return {attempt.step: attempt for attempt in read_attempts(session, rows)}

    def ungradable(self, course: CourseName, limit: int = 100) -> list[tuple[Attempt, str]]:
        """Give the newest attempts of a course that could not be run, each with the reason."""
        with self.database.reading() as session:
            rows = session.scalars(
                select(AttemptRow)
                .where(
                    AttemptRow.course == course,
                    AttemptRow.outcome == OutcomeKind.UNGRADABLE,
                    AttemptRow.sequence.not_in(select(CancellationRow.attempt)),
                )
                .order_by(AttemptRow.sequence.desc())
                .limit(limit)
            ).all()
            reasons = [row.reason or "" for row in rows]
            return list(zip(read_attempts(session, rows), reasons, strict=True))

    # --- events ---------------------------------------------------------------------------------

    def add_event(self, event: Event) -> bool:
        """Put an event into the outbox; False where it (by its id) is there already."""
        with self.database.writing() as session:
            return session.insert_new(EventRow, make_event_values(event))

    def unshipped_events(self, limit: int, skipping: Collection[str] = ()) -> list[Event]:
        """Give the oldest events that no sink has acknowledged, in order.

        Args:
            skipping: Ids to leave out.
        """
        with self.database.reading() as session:
            query = select(EventRow).where(EventRow.shipped_at.is_(None))
            if skipping:
                query = query.where(EventRow.id.not_in(list(skipping)))
            rows = session.scalars(query.order_by(EventRow.sequence).limit(limit)).all()
            return [read_event(row) for row in rows]

    def mark_shipped(self, ids: Collection[str]) -> None:
        """Store that a sink has acknowledged these events."""
        if not ids:
            return
        with self.database.writing() as session:
            session.execute(
                update(EventRow)
                .where(EventRow.id.in_(list(ids)), EventRow.shipped_at.is_(None))
                .values(shipped_at=session.now())
            )

    def events(self, name: EventName | None = None) -> list[Event]:
        """Give all events (of one name), shipped or not, in order."""
        with self.database.reading() as session:
            query = select(EventRow).order_by(EventRow.sequence)
            if name is not None:
                query = query.where(EventRow.name == name.value)
            return [read_event(row) for row in session.scalars(query)]
