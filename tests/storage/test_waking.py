"""The worker is woken by what is put into the queue, on both databases."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hexhub.names import CourseName, LessonName, StepName, UserName, Version
from hexhub.progress.model import Place
from hexhub.progress.store import Store
from hexhub.progress.waking import SqliteWaker, Waker, make_waker
from hexhub.progress.watching import FolderWatch

LONG_S = 60.0


@pytest.fixture
def waker(database_url: str) -> Iterator[Waker]:
    """Give what waits for news in the database of ``store``."""
    made = make_waker(database_url)
    yield made
    made.close()


def submit(store: Store, user: str) -> None:
    """Put an attempt into the queue."""
    place = Place(UserName(user), CourseName("tiny"), LessonName("first"))
    store.submit(place, StepName("one"), Version("v1"))


def test_news_end_the_waiting(store: Store, waker: Waker) -> None:
    """Who waits is woken by an attempt, long before the time is over."""
    waker.wait(0)
    waker.wait(0)
    woken = threading.Event()

    def wait() -> None:
        waker.wait(LONG_S)
        woken.set()

    thread = threading.Thread(target=wait)
    thread.start()
    submit(store, "ada")
    assert woken.wait(LONG_S / 2)
    thread.join()


def test_news_between_two_waits_are_not_missed(store: Store, waker: Waker) -> None:
    """What came while nobody waited ends the next wait at once."""
    waker.wait(0)
    submit(store, "ada")
    began_s = time.monotonic()
    waker.wait(LONG_S)
    assert time.monotonic() - began_s < LONG_S / 2


def test_without_news_the_time_passes(store: Store, waker: Waker) -> None:
    """Without news the wait takes its time, and reading is no news."""
    waker.wait(0)
    store.progress_of(UserName("ada"))
    waker.wait(0)
    began_s = time.monotonic()
    waker.wait(0.3)
    assert time.monotonic() - began_s >= 0.29


def test_a_database_that_is_away_only_costs_the_time(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Where there is no database, waiting is waiting; who reads the queue says what is wrong."""
    nowhere = tmp_path_factory.mktemp("none") / "missing" / "hexhub.sqlite"
    for url in (f"sqlite:///{nowhere}", "postgresql+psycopg://nobody@127.0.0.1:9/none"):
        waker = make_waker(url)
        began_s = time.monotonic()
        waker.wait(0.2)
        assert time.monotonic() - began_s >= 0.19
        waker.close()
    assert not nowhere.exists()


def test_sqlite_needs_nobody_to_tell(tmp_path: Path) -> None:
    """Where the kernel cannot tell of writing, news still end the waiting."""
    url = f"sqlite:///{tmp_path / 'hexhub.sqlite'}"
    store = Store(url)
    store.migrate()

    def refuse(*_: object) -> FolderWatch:
        raise OSError("no more watches")

    waker = SqliteWaker(str(tmp_path / "hexhub.sqlite"), watch=refuse)
    waker.wait(0)
    thread = threading.Timer(0.1, submit, (store, "ada"))
    thread.start()
    began_s = time.monotonic()
    waker.wait(LONG_S)
    assert time.monotonic() - began_s < LONG_S / 2
    thread.join()
    waker.close()
    store.close()
