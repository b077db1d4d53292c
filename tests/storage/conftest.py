"""Real databases: every test that asks for ``store`` runs on SQLite and on PostgreSQL."""

import itertools
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest

from hexhub.progress.store import Store

from .postgresql import PostgresServer, running_postgresql


class Clock:
    """A clock that stands until it is moved; starts at the real time."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_s(self, seconds: float) -> None:
        """Move the clock."""
        self.now += timedelta(seconds=seconds)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresServer]:
    """Run one PostgreSQL for all tests."""
    with running_postgresql() as server:
        yield server


class Databases(Protocol):
    """Makes databases of one kind."""

    def make_empty(self) -> str:
        """Make one without tables and give its URL."""

    def make_migrated(self) -> str:
        """Make one with all tables and give its URL."""


class SqliteFiles:
    """SQLite databases in one folder."""

    def __init__(self, folder: Path, migrated: Path) -> None:
        self._folder = folder
        self._migrated = migrated
        self._numbers = itertools.count()

    def make_empty(self) -> str:
        """Give the URL of a file that the first connection makes."""
        return f"sqlite:///{self._new_path()}"

    def make_migrated(self) -> str:
        """Copy the file that was migrated, and give the copy's URL."""
        path = self._new_path()
        shutil.copyfile(self._migrated, path)
        return f"sqlite:///{path}"

    def _new_path(self) -> Path:
        return self._folder / f"hexhub-{next(self._numbers)}.sqlite"


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an SQLite file with all tables, to be copied: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("migrated") / "hexhub.sqlite"
    migrate(f"sqlite:///{path}")
    return path


def migrate(database_url: str) -> None:
    """Make all tables, and leave no connection open."""
    store = Store(database_url)
    store.migrate()
    store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Databases:
    """Give what makes databases, of each of the two kinds."""
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgresql")
        return server
    return SqliteFiles(tmp_path, request.getfixturevalue("migrated_file"))


@pytest.fixture
def make_url(databases: Databases) -> Callable[[], str]:
    """Give a function that makes an empty database and gives its URL."""
    return databases.make_empty


@pytest.fixture
def database_url(databases: Databases) -> str:
    """Give the URL of a database with all tables."""
    return databases.make_migrated()


@pytest.fixture
def clock() -> Clock:
    """Give the clock of ``store``."""
    return Clock()


@pytest.fixture
def store(database_url: str, clock: Clock) -> Iterator[Store]:
    """Give a store with all tables, whose time is ``clock``."""
    made = Store(database_url, clock=clock)
    yield made
    made.close()
