"""Rows ↔ models: one transaction for every call, and the queue of attempts.

Design choices: SQLite and PostgreSQL by one code. On SQLite a transaction that writes begins with
``BEGIN IMMEDIATE``: beginning as a reader and writing later fails at once with "database is
locked" when somebody else wrote in between, whatever ``busy_timeout`` says. The sqlite3 module
begins transactions by itself, only before some statements and never as IMMEDIATE, so that this is
turned off (``isolation_level = None``) and SQLAlchemy's ``begin`` event does it
(https://docs.sqlalchemy.org/en/21/dialects/sqlite.html#pysqlite-serializable). On PostgreSQL
READ COMMITTED with row locks: ``SKIP LOCKED`` for the queue, and the progress row locked before
anything is passed, or two steps that pass at once would both miss that the lesson is finished.

Whose attempt is next: the one of the lowest turn, and of those the oldest. The turn of an attempt
is how many checks of its student run or began in the last minute, plus how many of theirs wait
before it. So everybody's first comes before anybody's second, and who presses a hundred times
waits for themselves only. Weighed were: oldest first (a hundred presses are a hundred checks of
delay for everybody), least recently served first (whoever was served once waits behind all who
come later, for ever), and fewest running first, oldest then (with one slot nothing runs when the
next is chosen, so that this is oldest first again). Nobody waits for ever: what began longer than a
minute ago counts no more, checks end, and then only older attempts are before one's own. A free
slot is never kept free: a student who is alone has all of them.

Time is the database server's on PostgreSQL, where workers may stand on several machines, and this
computer's on SQLite. A lease that ends absurdly late was made before the clock stepped back, and
counts as over.
"""

import math
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Subquery,
    and_,
    create_engine,
    event,
    func,
    inspect,
    literal_column,
    make_url,
    not_,
    or_,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from hexhub.catalog.model import Lesson
from hexhub.checks.model import Outcome, OutcomeKind, TestOutcome, TestResult
from hexhub.errors import AttemptNotFound, LeaseLost, SetupError, StoreError
from hexhub.events.model import Event, EventName, EventValue
from hexhub.events.schemas import make_event
from hexhub.names import CourseName, LessonName, StepName, UserName, Version
from hexhub.progress.migrations import upgrade
from hexhub.progress.model import (
    Attempt,
    AttemptState,
    Claim,
    Place,
    Progress,
    is_finished,
)
from hexhub.progress.tables import (
    AttemptRow,
    Base,
    EventRow,
    HintTakenRow,
    ProgressRow,
    RegradeRow,
    SolutionViewedRow,
    StepPassedRow,
    TestResultRow,
)
from hexhub.progress.waking import CHANNEL

MAX_TRIES = 3
"""How often a worker may take an attempt before it is given up (DESIGN §3)."""
MAX_LEASE_S = 300.0
"""The longest lease; one that ends later than twice this was made by a clock that stepped back."""
MAX_DELAY_S = 60.0
"""The longest pause before another try."""
SHARE_S = 60.0
"""How long a check counts against the turn of its student's next ones, from its beginning."""
COULD_NOT_RUN = (
    "The check could not be run; it costs you nothing. "
    "Press Check again; if this stays, tell your teacher."
)
"""What a student reads when we gave up. The reason is for the author and stands in the row."""

_BUSY_TIMEOUT_S = 15
_FAILING_TESTS_IN_EVENT = 20
_WRITES = "hexhub_writes"

Clock = Callable[[], datetime]


class Store:
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
        url = make_url(database_url)
        self._is_postgresql = url.get_backend_name() == "postgresql"
        self._clock = clock
        self._url = url
        if self._is_postgresql:
            self._reader = create_engine(
                url, pool_pre_ping=True, pool_size=5, max_overflow=15, hide_parameters=True
            )
        else:
            self._reader = _open_sqlite(url)
        self._writer = self._reader.execution_options(**{_WRITES: True})

    def close(self) -> None:
        """Close all connections."""
        self._reader.dispose()

    def migrate(self) -> None:
        """Make or update the tables; processes that do so at once wait for each other.

        Raises:
            StoreError: The database was made by a newer HexHub, or refuses.
        """
        if not self._is_postgresql and self._url.database:
            Path(self._url.database).absolute().parent.mkdir(
                mode=0o700, parents=True, exist_ok=True
            )
        with _translated():
            if not self._is_postgresql:
                with self._reader.connect() as connection:
                    # Outside a transaction; it stays with the file.
                    driver = connection.connection.driver_connection
                    assert driver is not None  # noqa: S101 - a live connection has its driver's
                    driver.execute("PRAGMA journal_mode = WAL")
            with self._writer.begin() as connection:
                upgrade(connection)

    def now(self) -> datetime:
        """Give the time by which leases and hints go: aware UTC."""
        with self._reading() as session:
            return self._now(session)

    # --- progress -------------------------------------------------------------------------------

    def start_lesson(self, place: Place, version: Version) -> Progress:
        """Give the student's progress in a lesson, making it (and its event) the first time."""
        with self._writing() as session:
            self._start(session, place, version)
            return _progress(session, place)

    def progress(self, place: Place) -> Progress | None:
        """Give the student's progress in a lesson; None before it was started."""
        with self._reading() as session:
            if session.get(ProgressRow, (place.user, place.course, place.lesson)) is None:
                return None
            return _progress(session, place)

    def progress_of(self, user: UserName) -> Mapping[tuple[CourseName, LessonName], Progress]:
        """Give all that a student has started."""
        with self._reading() as session:
            rows = session.scalars(select(ProgressRow).where(ProgressRow.user_name == user)).all()
            places = [Place(user, CourseName(row.course), LessonName(row.lesson)) for row in rows]
            return {(p.course, p.lesson): _progress(session, p) for p in places}

    def pass_step(self, place: Place, step: StepName, version: Version, lesson: Lesson) -> Progress:
        """Store that a step without a check is done, and give the progress after it.

        Args:
            lesson: As it is in ``version``: tells whether that was the last step.
        """
        with self._writing() as session:
            self._start(session, place, version)
            self._pass(session, place, step, version, lesson, attempt=None)
            return _progress(session, place)

    def take_hint(self, place: Place, step: StepName, number: int, version: Version) -> bool:
        """Store that a hint was shown; True where it is new.

        Args:
            number: Counted from 1.
        """
        with self._writing() as session:
            self._start(session, place, version)
            now = self._now(session)
            is_new = self._insert_new(
                session,
                HintTakenRow,
                {**_keys(place), "step": step, "number": number, "taken_at": now},
            )
            if is_new:
                self._add_event(
                    session,
                    EventName.HINT_TAKEN,
                    now,
                    place,
                    {"step": step, "version": version, "number": number},
                )
            return is_new

    def view_solution(self, place: Place, version: Version) -> bool:
        """Store that the solution was shown; True the first time."""
        with self._writing() as session:
            self._start(session, place, version)
            now = self._now(session)
            is_new = self._insert_new(
                session, SolutionViewedRow, {**_keys(place), "viewed_at": now}
            )
            if is_new:
                progress = _progress(session, place)
                self._add_event(
                    session,
                    EventName.SOLUTION_VIEWED,
                    now,
                    place,
                    {"version": version, "is_finished": progress.finished_at is not None},
                )
            return is_new

    # --- attempts as the student sees them ------------------------------------------------------

    def submit(self, place: Place, step: StepName, version: Version) -> tuple[Attempt, bool]:
        """Queue an attempt, or join the one that is queued or running at this step.

        Returns:
            The attempt, and True where it is new.
        """
        with self._writing() as session:
            self._start(session, place, version)
            while True:
                is_new = self._insert_new(
                    session,
                    AttemptRow,
                    {
                        **_keys(place),
                        "id": uuid.uuid4().hex,
                        "step": step,
                        "version": version,
                        "state": AttemptState.QUEUED,
                        "requested_at": self._now(session),
                    },
                )
                row = session.scalars(
                    select(AttemptRow).where(
                        _at(AttemptRow, place),
                        AttemptRow.step == step,
                        AttemptRow.state != AttemptState.DONE,
                    )
                ).first()
                if row is not None:
                    self._announce(session)
                    return _attempt(session, row), is_new
                # PostgreSQL: the one that was in the way has finished in between. Once more.

    def attempt(self, attempt_id: str) -> Attempt:
        """Give an attempt, with its outcome once it is done.

        Raises:
            AttemptNotFound: There is none of that id.
        """
        with self._reading() as session:
            return _attempt(session, _find(session, attempt_id))

    def queue_position(self, attempt_id: str) -> int | None:
        """Give the place in the order of :meth:`claim`: 1 is next; None for what does not wait.

        An attempt that pauses before another try is told the place that it would have now.

        Raises:
            AttemptNotFound: There is none of that id.
        """
        with self._reading() as session:
            row = _find(session, attempt_id)
            if row.state is not AttemptState.QUEUED:
                return None
            now = self._now(session)
            turns = _turns(now, or_(_is_free(now), AttemptRow.sequence == row.sequence))
            places = select(
                turns.c.sequence,
                func.row_number().over(order_by=(turns.c.turn, turns.c.sequence)).label("place"),
            ).subquery()
            return session.scalar(select(places.c.place).where(places.c.sequence == row.sequence))

    def attempts(self, place: Place, step: StepName | None = None) -> list[Attempt]:
        """Give the finished attempts of a student in a lesson (at one step), oldest first."""
        with self._reading() as session:
            query = select(AttemptRow).where(
                _at(AttemptRow, place), AttemptRow.state == AttemptState.DONE
            )
            if step is not None:
                query = query.where(AttemptRow.step == step)
            return _attempts(session, session.scalars(query.order_by(AttemptRow.sequence)).all())

    def last_attempts(self, place: Place) -> Mapping[StepName, Attempt]:
        """Give the newest attempt at each step, whatever its state.

        One that was graded again stands in the place of the old one, not before newer ones.
        """
        with self._reading() as session:
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
                .where(_at(AttemptRow, place))
                .subquery()
            )
            newest = select(newest_first.c.sequence).where(newest_first.c.number == 1)
            rows = session.scalars(select(AttemptRow).where(AttemptRow.sequence.in_(newest))).all()
            return {attempt.step: attempt for attempt in _attempts(session, rows)}

    def ungradable(self, course: CourseName, limit: int = 100) -> list[tuple[Attempt, str]]:
        """Give the newest attempts of a course that could not be run, each with the reason."""
        with self._reading() as session:
            rows = session.scalars(
                select(AttemptRow)
                .where(AttemptRow.course == course, AttemptRow.outcome == OutcomeKind.UNGRADABLE)
                .order_by(AttemptRow.sequence.desc())
                .limit(limit)
            ).all()
            reasons = [row.reason or "" for row in rows]
            return list(zip(_attempts(session, rows), reasons, strict=True))

    # --- attempts as the worker sees them -------------------------------------------------------

    def claim(self, worker: str, lease_s: float) -> Claim | None:
        """Take the next attempt that waits, or whose worker has not been heard of; None: none.

        Next is what has the lowest turn, then the oldest (see the module). Attempts that were taken
        three times already are given up on the way.

        Args:
            worker: Who takes it; for people who look into the table.
            lease_s: Seconds that it is held without a heartbeat; at most ``MAX_LEASE_S``.
        """
        if not 0 < lease_s <= MAX_LEASE_S:
            raise StoreError(f"A lease of {lease_s} s; it may have 0 to {MAX_LEASE_S:.0f}.")
        with self._reading() as session:
            # Most times there is nothing to do, and then no write lock is taken.
            free = _is_free(self._now(session))
            if session.scalar(select(AttemptRow.sequence).where(free).limit(1)) is None:
                return None
        with self._writing() as session:
            while True:
                now = self._now(session)
                turns = _turns(now, _is_free(now))
                row = session.scalars(
                    select(AttemptRow)
                    .join(turns, turns.c.sequence == AttemptRow.sequence)
                    # Said of this row too: PostgreSQL looks at it once more when it has the lock,
                    # and would take what somebody else has taken since the turns were made.
                    .where(_is_free(now))
                    .order_by(turns.c.turn, AttemptRow.sequence)
                    .limit(1)
                    .with_for_update(of=AttemptRow, skip_locked=True)
                ).first()
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
                return Claim(_attempt(session, row), row.lease)

    def heartbeat(self, attempt_id: str, lease: str, lease_s: float) -> None:
        """Hold an attempt for another ``lease_s`` seconds.

        Raises:
            LeaseLost: Somebody else has it by now, or it is done.
        """
        with self._writing() as session:
            until = self._now(session) + timedelta(seconds=lease_s)
            done = session.execute(
                update(AttemptRow)
                .where(AttemptRow.id == attempt_id, AttemptRow.lease == lease)
                .values(leased_until=until)
            )
            if not _changed(done):
                raise LeaseLost(f"Attempt {attempt_id} is not held by this lease any more.")

    def finish(self, attempt_id: str, lease: str, outcome: Outcome, lesson: Lesson) -> Attempt:
        """Store the verdict, what it passes and finishes, and the events of it, all or nothing.

        Args:
            lesson: As it is in the attempt's version: tells whether that was the last step.

        Raises:
            LeaseLost: Somebody else has the attempt by now, or it is done; nothing is stored.
            AttemptNotFound: There is none of that id.
        """
        with self._writing() as session:
            row = _held(session, attempt_id, lease)
            self._finish(session, row, outcome)
            if outcome.is_pass:
                place = _place(row)
                step, version = StepName(row.step), Version(row.version)
                self._pass(session, place, step, version, lesson, attempt=row.sequence)
            return _attempt(session, row)

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
        with self._writing() as session:
            row = _held(session, attempt_id, lease)
            self._give_up(session, row, reason, message)
            return _attempt(session, row)

    def retry_later(self, attempt_id: str, lease: str, reason: str, delay_s: float) -> Attempt:
        """Put an attempt back into the queue, or give it up where that was the last try.

        Args:
            reason: Why this try failed; for the author.
            delay_s: Seconds to wait before; at most ``MAX_DELAY_S``.

        Raises:
            LeaseLost: Somebody else has the attempt by now, or it is done.
            AttemptNotFound: There is none of that id.
        """
        with self._writing() as session:
            row = _held(session, attempt_id, lease)
            if row.tries >= MAX_TRIES:
                self._give_up(session, row, reason, COULD_NOT_RUN)
            else:
                _put_back(row)
                row.reason = reason
                pause = timedelta(seconds=min(max(delay_s, 0.0), MAX_DELAY_S))
                row.not_before = self._now(session) + pause
            session.flush()
            return _attempt(session, row)

    def release(self, attempt_id: str, lease: str) -> None:
        """Put an attempt back into the queue as if it had not been taken.

        Raises:
            LeaseLost: Somebody else has the attempt by now, or it is done.
            AttemptNotFound: There is none of that id.
        """
        with self._writing() as session:
            row = _held(session, attempt_id, lease)
            _put_back(row)
            row.tries -= 1

    # --- events ---------------------------------------------------------------------------------

    def add_event(self, event: Event) -> bool:
        """Put an event into the outbox; False where it (by its id) is there already."""
        with self._writing() as session:
            return self._insert_new(session, EventRow, _event_values(event))

    def unshipped_events(self, limit: int, skipping: Collection[str] = ()) -> list[Event]:
        """Give the oldest events that no sink has acknowledged, in order.

        Args:
            skipping: Ids to leave out.
        """
        with self._reading() as session:
            query = select(EventRow).where(EventRow.shipped_at.is_(None))
            if skipping:
                query = query.where(EventRow.id.not_in(list(skipping)))
            rows = session.scalars(query.order_by(EventRow.sequence).limit(limit)).all()
            return [_event(row) for row in rows]

    def mark_shipped(self, ids: Collection[str]) -> None:
        """Store that a sink has acknowledged these events."""
        if not ids:
            return
        with self._writing() as session:
            session.execute(
                update(EventRow)
                .where(EventRow.id.in_(list(ids)), EventRow.shipped_at.is_(None))
                .values(shipped_at=self._now(session))
            )

    def events(self, name: EventName | None = None) -> list[Event]:
        """Give all events (of one name), shipped or not, in order."""
        with self._reading() as session:
            query = select(EventRow).order_by(EventRow.sequence)
            if name is not None:
                query = query.where(EventRow.name == name.value)
            return [_event(row) for row in session.scalars(query)]

    # --- inside ---------------------------------------------------------------------------------

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with _translated(), Session(self._reader) as session, session.begin():
            yield session

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with (
            _translated(),
            Session(self._writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    def _now(self, session: Session) -> datetime:
        if self._clock is not None:
            return self._clock()
        if not self._is_postgresql:
            return datetime.now(UTC)
        # Not now(): that is when the transaction began, before it waited for a lock.
        at: datetime = session.scalars(select(func.clock_timestamp())).one()
        return at.astimezone(UTC)

    def _announce(self, session: Session) -> None:
        """Wake the workers when this transaction is stored; see ``hexhub.progress.waking``."""
        if self._is_postgresql:
            session.execute(text(f"NOTIFY {CHANNEL}"))

    def _insert_new(self, session: Session, row: type[Base], values: Mapping[str, Any]) -> bool:
        """Insert unless something unique is in the way; True where it was inserted."""
        insert = postgresql.insert if self._is_postgresql else sqlite.insert
        # RETURNING, since PostgreSQL's count of rows is -1 where SQLAlchemy asks for a new key.
        statement = insert(row).values(**values).on_conflict_do_nothing()
        keys = inspect(row).primary_key
        return session.execute(statement.returning(*keys)).first() is not None

    def _add_event(
        self,
        session: Session,
        name: EventName,
        at: datetime,
        place: Place,
        data: Mapping[str, EventValue],
    ) -> None:
        where = {"user": place.user, "course": place.course, "lesson": place.lesson}
        self._insert_new(session, EventRow, _event_values(make_event(name, at, {**where, **data})))

    def _start(self, session: Session, place: Place, version: Version) -> None:
        now = self._now(session)
        values = {**_keys(place), "version": version, "started_at": now}
        if self._insert_new(session, ProgressRow, values):
            self._add_event(session, EventName.LESSON_STARTED, now, place, {"version": version})

    def _finish(
        self, session: Session, row: AttemptRow, outcome: Outcome, reason: str | None = None
    ) -> None:
        now = self._now(session)
        row.state = AttemptState.DONE
        row.lease = row.leased_until = row.not_before = None
        row.finished_at = now
        row.outcome = outcome.kind
        row.message = outcome.message
        row.output = outcome.output
        row.duration_s = outcome.duration_s
        row.reason = reason or row.reason
        session.add_all(_test_row(row.sequence, n, test) for n, test in enumerate(outcome.tests))
        session.flush()
        passed = sum(test.outcome is TestOutcome.PASSED for test in outcome.tests)
        self._add_event(
            session,
            EventName.ATTEMPT_FINISHED,
            now,
            _place(row),
            {
                "step": row.step,
                "version": row.version,
                "attempt": row.id,
                "outcome": outcome.kind.value,
                "tries": row.tries,
                "waited_s": _seconds(row.requested_at, row.started_at or now),
                "duration_s": _not_negative(outcome.duration_s),
                "tests": len(outcome.tests),
                "tests_passed": passed,
                "failing_tests": list(outcome.failing_tests[:_FAILING_TESTS_IN_EVENT]),
            },
        )

    def _give_up(self, session: Session, row: AttemptRow, reason: str, message: str) -> None:
        self._finish(session, row, Outcome(OutcomeKind.UNGRADABLE, message=message), reason)

    def _pass(
        self,
        session: Session,
        place: Place,
        step: StepName,
        version: Version,
        lesson: Lesson,
        attempt: int | None,
    ) -> None:
        """Store that a step is passed, and that the lesson is finished where it was the last."""
        now = self._now(session)
        progress = session.scalars(
            select(ProgressRow)
            .where(_at(ProgressRow, place))
            # Not the stronger FOR UPDATE, which would wait for rows that refer to this one.
            .with_for_update(key_share=True)
        ).one()
        since_start_s = _seconds(progress.started_at, now)
        values = {**_keys(place), "step": step, "passed_at": now, "attempt": attempt}
        if self._insert_new(session, StepPassedRow, values):
            self._add_event(
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
        passed = session.scalars(select(StepPassedRow.step).where(_at(StepPassedRow, place))).all()
        if progress.finished_at is None and is_finished(lesson, map(StepName, passed)):
            progress.finished_at = now
            session.flush()
            self._add_event(
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


def _open_sqlite(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        raise SetupError(
            f"HexHub stores in SQLite or PostgreSQL, not in '{url.get_backend_name()}'. "
            "Set HEXHUB_DATABASE_URL to sqlite:////path/to/file or postgresql+psycopg://…"
        )
    if url.database in (None, "", ":memory:"):
        raise SetupError(
            "An SQLite database in memory is another one for each process. "
            "Set HEXHUB_DATABASE_URL to sqlite:////path/to/file."
        )
    engine = create_engine(
        url,
        connect_args={"timeout": _BUSY_TIMEOUT_S},
        pool_size=10,
        max_overflow=30,
        # Values are students' texts and authors' tests; a traceback in a log must not have them.
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        # An accepted attempt survives a power cut; WAL's default (NORMAL) may lose the last ones.
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what SQLAlchemy raises into StoreError, without the values, which are students' data."""
    try:
        yield
    except DBAPIError as exc:
        # Further lines of PostgreSQL's message tell the row.
        what = (str(exc.orig).splitlines() or [type(exc.orig).__name__])[0]
        raise StoreError(f"The database refuses ({what}); nothing was stored.") from exc
    except SQLAlchemyError as exc:
        raise StoreError(f"The database cannot be used: {type(exc).__name__}.") from exc


def _changed(result: Any) -> bool:
    return isinstance(result, CursorResult) and result.rowcount > 0


def _keys(place: Place) -> dict[str, str]:
    return {"user_name": place.user, "course": place.course, "lesson": place.lesson}


def _at(
    row: type[ProgressRow | AttemptRow | StepPassedRow | HintTakenRow], place: Place
) -> ColumnElement[bool]:
    return and_(row.user_name == place.user, row.course == place.course, row.lesson == place.lesson)


def _place(row: AttemptRow) -> Place:
    return Place(UserName(row.user_name), CourseName(row.course), LessonName(row.lesson))


def _seconds(start: datetime, end: datetime) -> float:
    """Give the seconds between, 0 where the clock stepped back."""
    return _not_negative((end - start).total_seconds())


def _not_negative(number: float) -> float:
    """Give a number that JSON and every schema take."""
    return max(0.0, float(number)) if math.isfinite(number) else 0.0


def _is_free(now: datetime) -> ColumnElement[bool]:
    """Say which attempts may be taken; times too far ahead are of a clock that stepped back."""
    absurd_pause = now + timedelta(seconds=2 * MAX_DELAY_S)
    return and_(
        _is_open(),
        or_(
            and_(
                AttemptRow.state == AttemptState.QUEUED,
                or_(
                    AttemptRow.not_before.is_(None),
                    AttemptRow.not_before <= now,
                    AttemptRow.not_before > absurd_pause,
                ),
            ),
            and_(AttemptRow.state == AttemptState.RUNNING, not_(_is_held(now))),
        ),
    )


def _is_open() -> ColumnElement[bool]:
    """Say the condition of the index ``ix_attempt_queue`` in its own words.

    SQLite uses a partial index only where the query says the same, without a parameter; without
    it each look for work would read all attempts that ever were.
    """
    return AttemptRow.state != literal_column(f"'{AttemptState.DONE}'")


def _is_held(now: datetime) -> ColumnElement[bool]:
    """Say which running attempts are a live worker's."""
    absurd_lease = now + timedelta(seconds=2 * MAX_LEASE_S)
    return and_(AttemptRow.leased_until > now, AttemptRow.leased_until <= absurd_lease)


def _turns(now: datetime, is_waiting: ColumnElement[bool]) -> Subquery:
    """Give the turn of each attempt that waits: columns ``sequence`` and ``turn``, from 0.

    Args:
        now: Aware UTC.
        is_waiting: Which attempts wait.
    """
    share = timedelta(seconds=SHARE_S)
    users = select(AttemptRow.user_name).where(_is_open(), is_waiting)
    served = union_all(
        select(AttemptRow.user_name).where(
            _is_open(), AttemptRow.state == AttemptState.RUNNING, _is_held(now)
        ),
        select(AttemptRow.user_name).where(
            AttemptRow.user_name.in_(users),
            AttemptRow.state == AttemptState.DONE,
            AttemptRow.started_at > now - share,
            # What began in the future began before the clock stepped back.
            AttemptRow.started_at <= now + share,
        ),
    ).subquery()
    shares = (
        select(served.c.user_name, func.count().label("number"))
        .group_by(served.c.user_name)
        .subquery()
    )
    waiting = (
        select(
            AttemptRow.sequence,
            AttemptRow.user_name,
            func.row_number()
            .over(partition_by=AttemptRow.user_name, order_by=AttemptRow.sequence)
            .label("number"),
        )
        .where(_is_open(), is_waiting)
        .subquery()
    )
    turn = waiting.c.number - 1 + func.coalesce(shares.c.number, 0)
    return (
        select(waiting.c.sequence, turn.label("turn"))
        .outerjoin(shares, shares.c.user_name == waiting.c.user_name)
        .subquery()
    )


def _find(session: Session, attempt_id: str) -> AttemptRow:
    row = session.scalars(select(AttemptRow).where(AttemptRow.id == attempt_id)).first()
    if row is None:
        raise AttemptNotFound(f"No attempt '{attempt_id}'. Press Check to make a new one.")
    return row


def _held(session: Session, attempt_id: str, lease: str) -> AttemptRow:
    """Give the row, locked, if ``lease`` still holds it."""
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


def _count_attempts(session: Session, place: Place, step: StepName | None = None) -> int:
    query = (
        select(func.count())
        .select_from(AttemptRow)
        .where(
            _at(AttemptRow, place),
            AttemptRow.state == AttemptState.DONE,
            AttemptRow.outcome != OutcomeKind.UNGRADABLE,
            AttemptRow.sequence.not_in(select(RegradeRow.attempt)),
        )
    )
    if step is not None:
        query = query.where(AttemptRow.step == step)
    return session.scalar(query) or 0


def _count_hints(session: Session, place: Place, step: StepName | None = None) -> int:
    query = select(func.count()).select_from(HintTakenRow).where(_at(HintTakenRow, place))
    if step is not None:
        query = query.where(HintTakenRow.step == step)
    return session.scalar(query) or 0


def _progress(session: Session, place: Place) -> Progress:
    row = session.scalars(select(ProgressRow).where(_at(ProgressRow, place))).one()
    passed = session.scalars(select(StepPassedRow).where(_at(StepPassedRow, place))).all()
    hints = session.execute(
        select(HintTakenRow.step, func.count())
        .where(_at(HintTakenRow, place))
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


def _attempt(session: Session, row: AttemptRow) -> Attempt:
    return _attempts(session, [row])[0]


def _attempts(session: Session, rows: Sequence[AttemptRow]) -> list[Attempt]:
    """Give the models of these rows, in their order, with their outcomes."""
    done = [row.sequence for row in rows if row.state is AttemptState.DONE]
    tests: dict[int, list[TestResult]] = {}
    originals: dict[int, str] = {}
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
    return [
        replace(
            _attempt_model(row, tuple(tests.get(row.sequence, ()))),
            regrade_of=originals.get(row.sequence),
        )
        for row in rows
    ]


def _attempt_model(row: AttemptRow, tests: tuple[TestResult, ...]) -> Attempt:
    attempt = Attempt(
        id=row.id,
        place=_place(row),
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


def _test_row(attempt: int, position: int, test: TestResult) -> TestResultRow:
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


def _event_values(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "name": event.name.value,
        "version": event.version,
        "at": event.at,
        "data": dict(event.data),
    }


def _event(row: EventRow) -> Event:
    return Event(row.id, EventName(row.name), row.version, row.at, row.data, row.sequence)
