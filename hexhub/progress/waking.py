"""The worker learns at once that something was put into the queue.

Web and worker are processes of their own, perhaps on several computers; what both have is the
database. The worker looks into the queue every tenth of a second in any case, so that a lost
signal costs no more than that.

Design choices: on PostgreSQL ``LISTEN``/``NOTIFY``. On SQLite ``PRAGMA data_version``, asked every
few milliseconds: it changes with every commit of another connection, takes no lock that a writer
would wait for, and costs 10 µs or so, a fraction of a percent of a core. Weighed against it: a
socket or a pipe in the state folder (has to be made, found, cleared away and guarded, and every
process that writes must know of it) and inotify (not in Python's library, and not there on every
filesystem).
"""

import sqlite3
import threading
import time
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import make_url

CHANNEL = "hexhub_attempts"
LOOK_S = 0.005


class Waker(Protocol):
    """Waits for news in the queue."""

    def wait(self, timeout_s: float) -> None:
        """Return when there may be news since the last call, or after ``timeout_s``."""

    def close(self) -> None:
        """Give up the connection."""


def make_waker(database_url: str) -> Waker:
    """Give what waits for news in this database; it connects when it is first used."""
    url = make_url(database_url)
    if url.get_backend_name() == "postgresql":
        return PostgresWaker(url.set(drivername="postgresql").render_as_string(False))
    return SqliteWaker(url.database or "")


class SqliteWaker:
    """Looks at the number of the file's last change; for one thread at a time."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._seen: int | None = None
        self._lock = threading.Lock()

    def wait(self, timeout_s: float) -> None:
        """Return when somebody has written since the last call, or after ``timeout_s``."""
        until_s = time.monotonic() + timeout_s
        while not self._is_changed() and (left_s := until_s - time.monotonic()) > 0:
            time.sleep(min(LOOK_S, left_s))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _is_changed(self) -> bool:
        try:
            version = self._version()
        except sqlite3.Error:
            # Whoever looks into the queue next says what is wrong.
            self.close()
            return False
        is_changed = self._seen is not None and version != self._seen
        self._seen = version
        return is_changed

    def _version(self) -> int:
        with self._lock:
            if self._connection is None:
                # Numbers of two connections cannot be compared.
                self._seen = None
                # Not mode "rwc", which would make a file where there is none.
                self._connection = sqlite3.connect(
                    f"{Path(self._path).absolute().as_uri()}?mode=rw",
                    uri=True,
                    check_same_thread=False,
                )
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])


class PostgresWaker:
    """Listens to what the queue's writers announce; for one thread at a time."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: Any = None

    def wait(self, timeout_s: float) -> None:
        """Return when something was announced since the last call, or after ``timeout_s``."""
        import psycopg

        try:
            if self._connection is None:
                self._connection = psycopg.connect(
                    self._conninfo, autocommit=True, connect_timeout=2
                )
                self._connection.execute(f"LISTEN {CHANNEL}")
                return
            for _ in self._connection.notifies(timeout=timeout_s, stop_after=1):
                return
        except psycopg.Error:
            # The database is away; whoever looks into the queue next says so.
            self.close()
            time.sleep(timeout_s)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
