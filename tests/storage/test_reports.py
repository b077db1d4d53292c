"""What machines report is stored once, counted where it is refused, and found by its student."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

from hexhub.cli.worker import make_forgetting
from hexhub.events.model import Event, EventName
from hexhub.events.schemas import make_event
from hexhub.names import UserName
from hexhub.progress import migrations
from hexhub.progress.reports import Reports
from hexhub.progress.store import Store
from hexhub.settings import Settings

ADA, EVE = UserName("ada"), UserName("eve")
AT = datetime(2026, 11, 24, 10, tzinfo=UTC)


def saved(n: int, user: str = "ada", at: datetime = AT) -> Event:
    data = {"user": user, "course": "c", "lesson": "l", "path": f"work/{n}"}
    return make_event(EventName.FILE_SAVED, at, data, id=f"{n:032x}")


def test_a_batch_sent_twice_is_stored_once(store: Store) -> None:
    """An answer that was lost makes the machine send again."""
    reports = Reports(store)
    assert reports.store(ADA, [saved(1), saved(2)], {}) == 2
    assert reports.store(ADA, [saved(1), saved(2), saved(3)], {}) == 1
    assert [event.id for event in store.unshipped_events(10)] == [f"{n:032x}" for n in (1, 2, 3)]


def test_refusals_are_counted_by_reason(store: Store) -> None:
    """Counts grow; each student has their own."""
    reports = Reports(store)
    reports.store(ADA, [], {"event_invalid": 2, "event_too_many": 1})
    reports.store(ADA, [saved(1)], {"event_invalid": 3})
    assert [(r.problem, r.count) for r in reports.refused(ADA)] == [
        ("event_invalid", 5),
        ("event_too_many", 1),
    ]
    assert reports.refused(EVE) == []


def test_a_student_finds_all_that_is_recorded_about_them_and_nothing_else(store: Store) -> None:
    """Newest first, page by page, with what our own processes tell."""
    reports = Reports(store)
    store.add_event(make_event(EventName.STUDENT_REGISTERED, AT, {"user": "ada"}))
    reports.store(ADA, [saved(n) for n in range(1, 6)], {})
    reports.store(EVE, [saved(9, "eve")], {})
    first = reports.recorded(ADA, 4)
    assert [event.data["path"] for event in first] == [f"work/{n}" for n in (5, 4, 3, 2)]
    rest = reports.recorded(ADA, 4, before=first[-1].sequence)
    assert [event.name for event in rest] == [EventName.FILE_SAVED, EventName.STUDENT_REGISTERED]
    assert reports.counts(ADA) == {EventName.FILE_SAVED: 5, EventName.STUDENT_REGISTERED: 1}
    assert [event.data["user"] for event in reports.recorded(EVE, 10)] == ["eve"]


def test_claims_are_marked_and_the_rest_is_not(store: Store) -> None:
    """Whoever reads the table alone sees what nobody has checked."""
    store.add_event(make_event(EventName.STUDENT_REGISTERED, AT, {"user": "ada"}))
    Reports(store).store(ADA, [saved(1)], {})
    with store.database.reader.connect() as connection:
        rows = connection.execute(
            text("SELECT name, user_name, is_reported FROM event ORDER BY sequence")
        ).all()
    assert [(name, user, bool(mark)) for name, user, mark in rows] == [
        ("student_registered", "ada", False),
        ("file_saved", "ada", True),
    ]


def test_old_claims_go_and_the_rest_stays(store: Store) -> None:
    """In as many batches as it takes; what we saw happen ourselves is no claim."""
    reports, now = Reports(store), store.now()
    old = now - timedelta(days=31)
    store.add_event(make_event(EventName.STUDENT_REGISTERED, old, {"user": "ada"}))
    reports.store(ADA, [saved(n, at=old) for n in range(1, 602)], {"event_invalid": 2})
    reports.store(ADA, [saved(700, at=now - timedelta(days=29))], {})

    assert reports.forget_old(timedelta(days=30), only_shipped=False) == 601
    assert reports.forget_old(timedelta(days=30), only_shipped=False) == 0
    assert reports.counts(ADA) == {EventName.FILE_SAVED: 1, EventName.STUDENT_REGISTERED: 1}
    assert reports.recorded(ADA, 1)[0].data["path"] == "work/700"


def test_old_claims_that_no_sink_has_yet_stay(store: Store) -> None:
    """Where events go to InfluxDB, its being away loses nothing."""
    reports, old = Reports(store), store.now() - timedelta(days=31)
    reports.store(ADA, [saved(n, at=old) for n in (1, 2, 3)], {})
    store.mark_shipped([saved(2).id])

    assert reports.forget_old(timedelta(days=30), only_shipped=True) == 1
    assert [event.data["path"] for event in reports.recorded(ADA, 9)] == ["work/3", "work/1"]


def test_the_worker_forgets_once_an_hour(store: Store) -> None:
    """With the days of the settings; 0 keeps everything."""
    reports, now_s = Reports(store), [0.0]
    settings = Settings(state=Path("unused"), database_url="", reported_days=30)
    forget = make_forgetting(settings, reports, lambda: now_s[0])
    old = store.now() - timedelta(days=31)
    left: list[int] = []
    for now_s[0] in (0.0, 3599.0, 3600.0):
        reports.store(ADA, [saved(int(now_s[0]) + 1, at=old)], {})
        forget()
        left.append(reports.counts(ADA).get(EventName.FILE_SAVED, 0))
    assert left == [0, 1, 0]
    reports.store(ADA, [saved(9000, at=old)], {})
    make_forgetting(replace(settings, reported_days=0), reports, lambda: now_s[0])()
    assert reports.counts(ADA) == {EventName.FILE_SAVED: 1}


def test_older_events_are_given_their_student(make_url: Callable[[], str]) -> None:
    """The migration fills in whom the events before it are about."""
    url = make_url()
    engine = create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
        connection.execute(
            text(
                "INSERT INTO event (id, name, version, at, data) VALUES "
                "('1', 'student_registered', 1, '2026-11-24 10:00:00', :data)"
            ),
            {"data": '{"user": "ada"}'},
        )
    engine.dispose()
    store = Store(url)
    store.migrate()
    [event] = Reports(store).recorded(ADA, 10)
    assert (event.name, event.is_reported) == (EventName.STUDENT_REGISTERED, False)
    store.close()
