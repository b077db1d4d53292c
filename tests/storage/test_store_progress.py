"""Progress, hints, the solution and the outbox in a real database."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import create_engine, text

from hexhub.errors import StoreError
from hexhub.events.model import EventName
from hexhub.events.schemas import make_event
from hexhub.names import Version
from hexhub.progress.model import Progress
from hexhub.progress.store import Store

from .conftest import Clock
from .lessons import LESSON, ONE, OTHER, PLACE, TWO, V1


def test_start_is_once(store: Store, clock: Clock) -> None:
    """Opening a lesson again changes nothing: the first version, time and event stay."""
    assert store.progress(PLACE) is None
    first = store.start_lesson(PLACE, V1)
    assert first == Progress(PLACE, V1, clock.now)
    clock.pass_s(60)
    assert store.start_lesson(PLACE, Version("v2")) == first
    assert store.progress(PLACE) == first
    [event] = store.events()
    assert event.name is EventName.LESSON_STARTED
    assert event.data == {"user": "ada", "course": "tiny", "lesson": "first", "version": "v1"}


def test_times_are_aware_utc(database_url: str) -> None:
    """Times come back as aware UTC, whatever zone they went in with; naive ones are refused."""
    at = datetime(2026, 3, 29, 2, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5)))
    store = Store(database_url, clock=lambda: at)
    progress = store.start_lesson(PLACE, V1)
    assert progress.started_at == at
    assert progress.started_at.tzinfo is UTC
    store.close()
    naive = Store(database_url, clock=lambda: datetime(2026, 1, 1))
    with pytest.raises(StoreError):
        naive.start_lesson(OTHER, V1)
    naive.close()


def test_the_database_has_a_clock(database_url: str) -> None:
    """Without a clock of its own the store gives the time of the database, in UTC."""
    store = Store(database_url)
    before = datetime.now(UTC)
    now = store.now()
    assert now.tzinfo is UTC
    assert abs(now - before) < timedelta(seconds=5)
    store.close()


def test_pass_step_is_once(store: Store, clock: Clock) -> None:
    """A step without a check is passed by the student's word, which the event says."""
    first = store.pass_step(PLACE, ONE, V1, LESSON)
    clock.pass_s(10)
    assert store.pass_step(PLACE, ONE, V1, LESSON) == first
    [event] = store.events(EventName.STEP_PASSED)
    assert event.data["is_checked"] is False
    assert store.pass_step(PLACE, TWO, V1, LESSON).finished_at == clock.now


def test_progress_of_a_student(store: Store) -> None:
    """The catalogue gets all that a student has started, and nothing of others."""
    mine = store.pass_step(PLACE, ONE, V1, LESSON)
    store.start_lesson(OTHER, V1)
    assert store.progress_of(PLACE.user) == {(PLACE.course, PLACE.lesson): mine}


def test_a_hint_is_taken_once(store: Store) -> None:
    """Two tabs that take the same hint make one row and one event."""
    store.start_lesson(PLACE, V1)
    with ThreadPoolExecutor(4) as pool:
        news = list(pool.map(lambda _: store.take_hint(PLACE, ONE, 1, V1), range(8)))
    assert sum(news) == 1
    store.take_hint(PLACE, ONE, 2, V1)
    store.take_hint(PLACE, TWO, 1, V1)
    progress = store.progress(PLACE)
    assert progress is not None
    assert progress.hints_taken == {ONE: 2, TWO: 1}
    events = store.events(EventName.HINT_TAKEN)
    assert [(e.data["step"], e.data["number"]) for e in events] == [
        ("one", 1),
        ("one", 2),
        ("two", 1),
    ]
    store.pass_step(PLACE, ONE, V1, LESSON)
    assert store.events(EventName.STEP_PASSED)[0].data["hints"] == 2


def test_the_solution_is_viewed_once(store: Store) -> None:
    """Only the first look at the solution makes an event."""
    assert store.view_solution(PLACE, V1)
    assert not store.view_solution(PLACE, V1)
    [event] = store.events(EventName.SOLUTION_VIEWED)
    assert event.data["is_finished"] is False


def test_outbox_keeps_order_and_marks(store: Store) -> None:
    """Events come oldest first, those that are shipped never again."""
    for number in range(1, 6):
        store.take_hint(PLACE, ONE, number, V1)
    events = store.unshipped_events(100)
    assert [e.sequence for e in events] == sorted(e.sequence or 0 for e in events)
    assert len(events) == 6
    assert store.unshipped_events(2) == events[:2]
    assert store.unshipped_events(2, skipping=[events[0].id]) == events[1:3]
    store.mark_shipped([e.id for e in events[:3]])
    store.mark_shipped([])
    assert store.unshipped_events(100) == events[3:]
    assert store.events() == events


def test_an_event_told_twice_is_one(store: Store) -> None:
    """The same event id makes one row, as when a request is sent again."""
    event = make_event(EventName.STUDENT_REGISTERED, datetime.now(UTC), {"user": "ada"})
    assert store.add_event(event)
    assert not store.add_event(event)
    [stored] = store.events()
    assert (stored.id, stored.at, stored.data) == (event.id, event.at, event.data)


def test_rows_of_a_student_go_together(store: Store, database_url: str) -> None:
    """Foreign keys are on: no row without its progress, and none is left when that goes."""
    store.submit(PLACE, ONE, V1)
    store.take_hint(PLACE, ONE, 1, V1)
    with store.database.writer.begin() as connection:
        connection.execute(text("DELETE FROM progress"))
    assert store.last_attempts(PLACE) == {}
    engine = create_engine(database_url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM hint_taken")).scalar_one() == 0
    engine.dispose()
