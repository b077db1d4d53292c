"""Real databases: every test that asks for ``store`` runs on SQLite and on PostgreSQL."""

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

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


@pytest.fixture(params=["sqlite", "postgresql"])
def make_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Give a function that makes an empty database and gives its URL."""
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgresql")
        return server.make_database
    numbers = itertools.count()
    return lambda: f"sqlite:///{tmp_path / f'hexhub-{next(numbers)}.sqlite'}"


@pytest.fixture
def database_url(make_url: Callable[[], str]) -> str:
    """Give the URL of an empty database."""
    return make_url()


@pytest.fixture
def clock() -> Clock:
    """Give the clock of ``store``."""
    return Clock()


@pytest.fixture
def store(database_url: str, clock: Clock) -> Iterator[Store]:
    """Give a store with all tables, whose time is ``clock``."""
    made = Store(database_url, clock=clock)
    made.migrate()
    yield made
    made.close()
