"""The database refuses, is full, or is gone for a while: attempts wait, and none is lost."""

import contextlib
import shutil
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from hexhub.catalog.published import PublishedCatalog
from hexhub.catalog.reader import read_course
from hexhub.checks.model import OutcomeKind
from hexhub.errors import StoreError
from hexhub.events.model import EventName
from hexhub.names import CourseName, LessonName, StepName, UserName
from hexhub.progress.model import Attempt, AttemptState, Place
from hexhub.progress.store import Store
from tests.faults.killable_worker import running_workers
from tests.storage.course_folder import make_course
from tests.storage.postgresql import running_postgresql

DISK_BYTES = 4 * 1024 * 1024


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """Give the folder of a catalog with the tiny course."""
    source = make_course(tmp_path / "source")
    PublishedCatalog(tmp_path / "catalog").publish(source, read_course(source), {})
    return tmp_path / "catalog"


class Presses:
    """Students who press Check, and what must have come of it."""

    def __init__(self, store: Store, catalog: Path) -> None:
        self.store = store
        self.accepted: list[Attempt] = []
        self._version = PublishedCatalog(catalog).course("tiny").version
        self._presses = 0

    def press(self) -> None:
        """Let another student press Check.

        Raises:
            StoreError: It was refused, which the student is told.
        """
        self._presses += 1
        place = Place(UserName(f"u{self._presses}"), CourseName("tiny"), LessonName("first"))
        self.accepted.append(self.store.submit(place, StepName("one"), self._version)[0])

    def press_often(self, number: int) -> None:
        """Let so many students press Check, one after the other.

        Raises:
            StoreError: One was refused.
        """
        for _ in range(number):
            self.press()

    def number_done(self) -> int:
        """Count the attempts that have an outcome."""
        return sum(map(self._is_done, self.accepted))

    def wait_until_done(self, number: int) -> None:
        """Wait until the first so many attempts have an outcome, asking for one at a time."""
        until_s = time.monotonic() + 200
        for attempt in self.accepted[:number]:
            while not self._is_done(attempt):
                assert time.monotonic() < until_s, "Attempts are stuck."
                time.sleep(0.05)

    def _is_done(self, attempt: Attempt) -> bool:
        return self.store.attempt(attempt.id).state is AttemptState.DONE

    def judge(self) -> None:
        """Every accepted attempt has one outcome, and passes only where that is stored whole."""
        self.wait_until_done(len(self.accepted))
        told = self.store.events(EventName.ATTEMPT_FINISHED)
        verdicts = Counter(event.data["attempt"] for event in told)
        assert verdicts == Counter(attempt.id for attempt in self.accepted)
        for attempt in self.accepted:
            outcome = self.store.attempt(attempt.id).outcome
            assert outcome is not None
            # The workers' check passes; a database that is away may cost tries, never the rest.
            assert outcome.kind in (OutcomeKind.PASSED, OutcomeKind.UNGRADABLE)
            progress = self.store.progress(attempt.place)
            assert progress is not None
            assert set(progress.passed_at) == ({"one"} if outcome.is_pass else set())


@contextlib.contextmanager
def opened(url: str) -> Iterator[Store]:
    """Open a store with all tables while the block lasts."""
    store = Store(url)
    store.migrate()
    try:
        yield store
    finally:
        store.close()


def test_sqlite_locked_for_long(tmp_path: Path, catalog: Path) -> None:
    """Another process holds the database longer than anybody waits; then all goes on."""
    path = tmp_path / "hexhub.sqlite"
    url = f"sqlite:///{path}"
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(opened(url))
        presses = Presses(store, catalog)
        presses.press_often(60)
        stack.enter_context(running_workers(2, url, catalog))
        presses.wait_until_done(2)
        other = sqlite3.connect(path, isolation_level=None, timeout=60)
        other.execute("BEGIN IMMEDIATE")
        # Reading goes on, so that pages and results are there; a press is refused and says so.
        before = presses.number_done()
        with pytest.raises(StoreError, match="locked"):
            presses.press()
        assert presses.number_done() == before < 60
        other.execute("ROLLBACK")
        other.close()
        presses.press()
        presses.judge()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of four megabytes; needs root, as the Docker of these tests does."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = f"size={DISK_BYTES},mode=700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Write until the disk is full, and give what is to be removed."""
    path = disk / "filling"
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    assert shutil.disk_usage(disk).free < 4096
    return path


def test_disk_full(small_disk: Path, catalog: Path) -> None:
    """No verdict is lost and none is made up while nothing can be written; then all goes on."""
    url = f"sqlite:///{small_disk / 'hexhub.sqlite'}"
    with opened(url) as store, running_workers(2, url, catalog):
        presses = Presses(store, catalog)
        presses.press_often(20)
        presses.wait_until_done(2)
        filling = fill(small_disk)
        with pytest.raises(StoreError, match="full"):
            # SQLite's log is used again from its beginning now and then, so that some still fit.
            presses.press_often(500)
        # What was accepted can be read, though nothing can be written.
        assert presses.number_done() <= len(presses.accepted)
        filling.unlink()
        presses.press()
        presses.judge()
        with contextlib.closing(sqlite3.connect(small_disk / "hexhub.sqlite")) as file:
            assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_postgresql_stops_and_starts(catalog: Path) -> None:
    """Workers outlive a PostgreSQL that crashes; a press meanwhile is refused and says so."""
    with running_postgresql() as server:
        url = server.make_empty()
        with opened(url) as store, running_workers(2, url, catalog, lease_s=2.0) as workers:
            presses = Presses(store, catalog)
            presses.press_often(20)
            presses.wait_until_done(2)
            server.crash()
            with pytest.raises(StoreError):
                presses.press()
            server.start()
            presses.press()
            presses.judge()
            assert all(process.is_alive() for process in workers.processes)
