"""The worker learns at once that something was put into the queue.

Web and worker are processes of their own, perhaps on several computers; what both have is the
database. The worker looks into the queue every tenth of a second in any case, so that a lost
signal costs no more than that.

Design choices: on PostgreSQL ``LISTEN``/``NOTIFY``. On SQLite ``PRAGMA data_version``: it changes
with every commit of another connection, takes no lock that a writer would wait for, and costs 10 µs
or so. Asked every few milliseconds it would be 3 % of a core for ever, so that the kernel tells
first when the database's files are written to (inotify); where it does not (other systems, some
network filesystems), the number is asked for often enough all the same. Weighed against it: a
socket or a pipe in the state folder (has to be made, found, cleared away and guarded, and every
process that writes must know of it).
"""

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import make_url

from hexhub.progress.watching import FolderWatch

CHANNEL = "hexhub_attempts"
LOOK_S = 0.05
"""Between two looks at the number where the kernel tells of writing."""
LOOK_UNTOLD_S = 0.02
"""And where it does not."""
SOON_S = 0.3
"""After a write, the commit that it belongs to is looked for: SQLite first writes and waits for the
disk, and then lets others see it."""
SOON_LOOK_S = 0.003


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

    def __init__(
        self, path: str, watch: Callable[[Path, frozenset[str]], FolderWatch] = FolderWatch
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            path: Of the database file.
            watch: Watches files of a folder, or raises OSError.
        """
        self._path = path
        self._make_watch = watch
        self._connection: sqlite3.Connection | None = None
        self._seen: int | None = None
        self._watch: FolderWatch | None = None
        self._soon_until_s = 0.0
        self._lock = threading.Lock()

    def wait(self, timeout_s: float) -> None:
        """Return when somebody has written since the last call, or after ``timeout_s``."""
        until_s = time.monotonic() + timeout_s
        while not self._is_changed() and (left_s := until_s - time.monotonic()) > 0:
            self._wait_for_a_write(left_s)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            if self._watch is not None:
                self._watch.close()
                self._watch = None

    def _wait_for_a_write(self, left_s: float) -> None:
        """Return when it is worth to look at the number again."""
        if time.monotonic() < self._soon_until_s:
            time.sleep(min(SOON_LOOK_S, left_s))
        elif self._watch is None:
            time.sleep(min(LOOK_UNTOLD_S, left_s))
        elif self._watch.wait(min(LOOK_S, left_s)):
            self._soon_until_s = time.monotonic() + SOON_S

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
                path = Path(self._path).absolute()
                # Not mode "rwc", which would make a file where there is none.
                self._connection = sqlite3.connect(
                    f"{path.as_uri()}?mode=rw",
                    uri=True,
                    check_same_thread=False,
                )
                self._watch = self._watch_files(path)
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def _watch_files(self, database: Path) -> FolderWatch | None:
        """Watch the files of a database; the log (WAL) is the one that commits are written to."""
        names = frozenset({database.name, f"{database.name}-wal"})
        try:
            return self._make_watch(database.parent, names)
        except OSError:
            return None


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
