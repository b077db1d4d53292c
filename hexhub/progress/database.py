"""The database: its engines, its transactions, and the time by which it goes.

Design choices: SQLite and PostgreSQL by one code. On SQLite a transaction that writes begins with
``BEGIN IMMEDIATE``: beginning as a reader and writing later fails at once with "database is
locked" when somebody else wrote in between, whatever ``busy_timeout`` says. The sqlite3 module
begins transactions by itself, only before some statements and never as IMMEDIATE, so that this is
turned off (``isolation_level = None``) and SQLAlchemy's ``begin`` event does it
(https://docs.sqlalchemy.org/en/21/dialects/sqlite.html#pysqlite-serializable). On PostgreSQL
READ COMMITTED with row locks: ``SKIP LOCKED`` for the queue, and the progress row locked before
anything is passed, or two steps that pass at once would both miss that the lesson is finished.

Time is the database server's on PostgreSQL, where workers may stand on several machines, and this
computer's on SQLite.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Table, create_engine, event, func, inspect, make_url, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from hexhub.errors import SetupError, StoreError
from hexhub.progress.migrations import upgrade
from hexhub.progress.tables import Base
from hexhub.progress.waking import CHANNEL

_BUSY_TIMEOUT_S = 15
_WRITES = "hexhub_writes"

Clock = Callable[[], datetime]


class Database:
    """One database, its tables and its transactions. Safe to share between threads.

    Attributes:
        is_postgresql: It is PostgreSQL; else SQLite.
        clock: Gives aware UTC in place of the database's clock; None but in tests.
        reader: Begins transactions that only read.
        writer: Begins transactions that may write.
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
        self.is_postgresql = url.get_backend_name() == "postgresql"
        self.clock = clock
        self._url = url
        if self.is_postgresql:
            self.reader = create_engine(
                url, pool_pre_ping=True, pool_size=5, max_overflow=15, hide_parameters=True
            )
        else:
            self.reader = _open_sqlite(url)
        self.writer = self.reader.execution_options(**{_WRITES: True})

    def close(self) -> None:
        """Close all connections."""
        self.reader.dispose()

    def migrate(self) -> None:
        """Make or update the tables; processes that do so at once wait for each other.

        Raises:
            StoreError: The database was made by a newer HexHub, or refuses.
        """
        if not self.is_postgresql and self._url.database:
            Path(self._url.database).absolute().parent.mkdir(
                mode=0o700, parents=True, exist_ok=True
            )
        with _translated():
            if not self.is_postgresql:
                with self.reader.connect() as connection:
                    # Outside a transaction; it stays with the file.
                    driver = connection.connection.driver_connection
                    assert driver is not None  # noqa: S101 - a live connection has its driver's
                    _log_ahead(driver)
            with self.writer.begin() as connection:
                upgrade(connection)

    def now(self) -> datetime:
        """Give the time by which leases and hints go: aware UTC."""
        with self.reading() as session:
            return session.now()

    @contextmanager
    def reading(self) -> Iterator["Transaction"]:
        """Begin a transaction that only reads.

        Raises:
            StoreError: The database refuses, now or at any call inside.
        """
        with _translated(), Transaction(self, self.reader) as session, session.begin():
            yield session

    @contextmanager
    def writing(self) -> Iterator["Transaction"]:
        """Begin a transaction that may write; all of it is stored at its end, or nothing.

        Raises:
            StoreError: The database refuses, now, at any call inside or at the end.
        """
        with (
            _translated(),
            Transaction(self, self.writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session


class Transaction(Session):
    """A session that knows the time of its database, and how to insert what may be there already.

    Made by :meth:`Database.reading` and :meth:`Database.writing`.
    """

    def __init__(self, database: Database, engine: Engine, *, expire_on_commit: bool = True):
        super().__init__(engine, expire_on_commit=expire_on_commit)
        self._database = database

    def now(self) -> datetime:
        """Give the time by which leases and hints go: aware UTC."""
        if self._database.clock is not None:
            return self._database.clock()
        if not self._database.is_postgresql:
            return datetime.now(UTC)
        # Not now(): that is when the transaction began, before it waited for a lock.
        at: datetime = self.scalars(select(func.clock_timestamp())).one()
        return at.astimezone(UTC)

    def announce(self) -> None:
        """Wake the workers when this transaction is stored; see ``hexhub.progress.waking``."""
        if self._database.is_postgresql:
            self.execute(text(f"NOTIFY {CHANNEL}"))

    def insert_new(self, row: type[Base], values: Mapping[str, Any]) -> bool:
        """Insert unless something unique is in the way; True where it was inserted."""
        statement = _insert_new(row, self._database.is_postgresql)
        return self.execute(statement, dict(values)).first() is not None


@cache
def _insert_new(row: type[Base], is_postgresql: bool) -> ReturningInsert[Any]:
    """Give the statement, which takes SQLAlchemy longer to build than the database to carry out."""
    insert = postgresql.insert if is_postgresql else sqlite.insert
    table = inspect(row).local_table
    assert isinstance(table, Table)  # noqa: S101 - each of our rows is one table's
    # RETURNING, since PostgreSQL's count of rows is -1 where SQLAlchemy asks for a new key.
    return insert(table).on_conflict_do_nothing().returning(*table.primary_key)


def _log_ahead(driver: Any) -> None:
    """Give the file its write-ahead log; it is no fault that others do so at the same moment.

    SQLite tells one of them at once that the database is locked, whatever its ``busy_timeout``.
    """
    deadline = time.monotonic() + _BUSY_TIMEOUT_S
    while True:
        try:
            driver.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as exc:
            if "locked" not in str(exc) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


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
