"""Events reach a real time series database, whatever happens to it on the way."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hexhub.catalog.published import PublishedCatalog
from hexhub.catalog.reader import read_course
from hexhub.errors import SinkRefused, SinkUnreachable
from hexhub.events.outbox import Outbox
from hexhub.events.sink import InfluxSink
from hexhub.names import StepName, UserName
from hexhub.progress.store import Store
from hexhub.worker import Worker

from .course_folder import make_course
from .lessons import ONE, PASSED, PLACE, V1
from .victoria import VictoriaMetrics


@pytest.fixture
def victoria(tmp_path: Path) -> Iterator[VictoriaMetrics]:
    """Give a running VictoriaMetrics."""
    server = VictoriaMetrics(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def sink(victoria: VictoriaMetrics) -> Iterator[InfluxSink]:
    """Give a sink that writes there, and does not wait long."""
    made = InfluxSink(
        victoria.url, token="t", org="o", bucket="b", pseudonym_key=b"k" * 24, timeout_s=1.0
    )
    yield made
    made.close()


@pytest.fixture
def filled(database_url: str) -> Iterator[Store]:
    """Give a store with the events of ten students, on the real clock.

    No two of the same millisecond: VictoriaMetrics counts no finer, and takes them for one.
    """
    store = Store(database_url)
    for number in range(10):
        store.take_hint(replace(PLACE, user=UserName(f"u{number}")), ONE, 1, V1)
        time.sleep(0.002)
    yield store
    store.close()


def sequences(victoria: VictoriaMetrics) -> list[int]:
    """Give the sequence numbers of all events that are there."""
    return sorted(
        int(value)
        for metric in ("lesson_started_sequence", "hint_taken_sequence")
        for _, values in victoria.read(metric)
        for value in values
    )


def wait_for(is_so: Callable[[], bool], timeout_s: float = 30) -> None:
    """Return when something is so."""
    until_s = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < until_s, "It did not come about in time."
        time.sleep(0.05)


def expect_each_once(victoria: VictoriaMetrics, store: Store) -> None:
    """Hold that every event of the store is there exactly once; what is new shows after a while."""
    wanted = [event.sequence for event in store.events()]
    wait_for(lambda: len(sequences(victoria)) >= len(wanted))
    assert sequences(victoria) == wanted


def test_events_are_shipped(filled: Store, victoria: VictoriaMetrics, sink: InfluxSink) -> None:
    """All events arrive with their tags; then none waits."""
    assert Outbox(filled, sink).ship_batch() == 20
    assert filled.unshipped_events(100) == []
    expect_each_once(victoria, filled)
    [(labels, values)] = victoria.read("hint_taken_number")
    assert {key: labels[key] for key in ("course", "lesson", "step")} == {
        "course": "tiny",
        "lesson": "first",
        "step": "one",
    }
    assert values == [1.0] * 10
    assert "u1" not in str(victoria.read('{__name__=~".+"}'))


def test_events_wait_while_it_is_down(
    filled: Store, victoria: VictoriaMetrics, sink: InfluxSink
) -> None:
    """While the server is down nothing is marked; when it is back each event is there once."""
    victoria.stop()
    outbox = Outbox(
        filled, sink, batch_size=7, idle_s=0.02, first_pause_s=0.05, longest_pause_s=0.2
    )
    with pytest.raises(SinkUnreachable):
        outbox.ship_batch()
    stop = threading.Event()
    thread = threading.Thread(target=outbox.run, args=(stop,))
    thread.start()
    stop.wait(0.5)
    assert len(filled.unshipped_events(100)) == 20
    victoria.start()
    wait_for(lambda: filled.unshipped_events(100) == [])
    stop.set()
    thread.join(10)
    expect_each_once(victoria, filled)


def test_sending_twice_is_harmless(
    filled: Store, victoria: VictoriaMetrics, sink: InfluxSink
) -> None:
    """A worker that dies between acknowledgement and mark doubles nothing."""
    sink.write(filled.unshipped_events(100))
    Outbox(filled, sink).ship_batch()
    expect_each_once(victoria, filled)


def test_a_server_that_hangs_is_away(
    filled: Store, victoria: VictoriaMetrics, sink: InfluxSink
) -> None:
    """A server that takes the request and says nothing is given up after the time-out."""
    victoria.hang()
    with pytest.raises(SinkUnreachable, match="does not answer"):
        Outbox(filled, sink).ship_batch()
    victoria.go_on()
    assert Outbox(filled, sink).ship_batch() == 20


def test_refusals_are_told_apart(filled: Store, victoria: VictoriaMetrics) -> None:
    """An address where nothing takes writes is away; events stay."""
    elsewhere = InfluxSink(
        f"{victoria.url}/nothing-here", token="t", org="o", bucket="b", pseudonym_key=b"k"
    )
    with pytest.raises((SinkUnreachable, SinkRefused)):
        elsewhere.write(filled.unshipped_events(1))
    with pytest.raises(SinkUnreachable):
        Outbox(filled, elsewhere).ship_batch()
    elsewhere.close()
    assert len(filled.unshipped_events(100)) == 20


def test_a_server_that_hangs_does_not_hold_up_grading(
    database_url: str, victoria: VictoriaMetrics, tmp_path: Path
) -> None:
    """Attempts get their outcomes and the worker ends in time while the sink is stuck."""
    store = Store(database_url)
    source = make_course(tmp_path / "source")
    catalog = PublishedCatalog(tmp_path / "catalog")
    catalog.publish(source, read_course(source), {})
    stuck = InfluxSink(victoria.url, token="t", org="o", bucket="b", pseudonym_key=b"k")
    worker = Worker(store, catalog, lambda *_: PASSED, outbox=Outbox(store, stuck), grace_s=1)
    store.start_lesson(PLACE, catalog.course("tiny").version)
    victoria.hang()
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        time.sleep(0.3)
        for _ in range(5):
            attempt, _ = store.submit(PLACE, StepName("one"), catalog.course("tiny").version)
            wait_for(lambda attempt=attempt: store.attempt(attempt.id).outcome is not None, 10)
        assert len(store.unshipped_events(100)) == len(store.events())
        worker.stop()
        thread.join(60)
        assert not thread.is_alive()
    finally:
        worker.stop()
        victoria.go_on()
        thread.join(10)
    wait_for(lambda: all(t.name != "outbox" for t in threading.enumerate()))
    stuck.close()
    store.close()
