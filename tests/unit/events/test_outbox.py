"""Events leave the outbox at least once, in order, and are marked only when they are safe."""

import threading
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hexhub.errors import SinkRefused, SinkUnreachable, StoreError
from hexhub.events.model import Event, EventName
from hexhub.events.outbox import Outbox
from hexhub.events.schemas import make_event

AT = datetime(2026, 11, 24, 10, tzinfo=UTC)


class Queue:
    """The store's part of the outbox, in memory."""

    def __init__(self, count: int) -> None:
        made = [
            make_event(EventName.STUDENT_REGISTERED, AT, {"user": f"u{n}"}) for n in range(count)
        ]
        self.events = [replace(event, sequence=n) for n, event in enumerate(made)]
        self.shipped: list[str] = []
        self.is_broken = False

    def unshipped_events(self, limit: int, skipping: Collection[str] = ()) -> list[Event]:
        """Give what waits."""
        gone = set(self.shipped) | set(skipping)
        return [event for event in self.events if event.id not in gone][:limit]

    def mark_shipped(self, ids: Collection[str]) -> None:
        """Mark, or refuse."""
        if self.is_broken:
            raise StoreError("away")
        self.shipped.extend(ids)


class Sink:
    """A sink that can be away and has a taste."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.is_away = False
        self.dislikes: set[str] = set()
        self.calls = 0

    def write(self, events: Sequence[Event]) -> None:
        """Take all, or say why not."""
        self.calls += 1
        if self.is_away:
            raise SinkUnreachable("away")
        if any(event.id in self.dislikes for event in events):
            raise SinkRefused("400")
        self.seen.extend(event.id for event in events)


def ids(queue: Queue) -> list[str]:
    """Give the ids of all events."""
    return [event.id for event in queue.events]


def test_batches_in_order() -> None:
    """Events go oldest first, a batch at a time, until none waits."""
    queue, sink = Queue(5), Sink()
    outbox = Outbox(queue, sink, batch_size=2)
    assert [outbox.ship_batch() for _ in range(4)] == [2, 2, 1, 0]
    assert sink.seen == queue.shipped == ids(queue)


def test_nothing_is_marked_before_it_is_acknowledged() -> None:
    """A sink that is away marks nothing; when it is back, all goes."""
    queue, sink = Queue(3), Sink()
    outbox = Outbox(queue, sink)
    sink.is_away = True
    with pytest.raises(SinkUnreachable):
        outbox.ship_batch()
    assert queue.shipped == []
    sink.is_away = False
    assert outbox.ship_batch() == 3


def test_what_could_not_be_marked_is_sent_again() -> None:
    """Dying between acknowledgement and mark sends again, with the same ids."""
    queue, sink = Queue(2), Sink()
    outbox = Outbox(queue, sink)
    queue.is_broken = True
    with pytest.raises(StoreError):
        outbox.ship_batch()
    queue.is_broken = False
    outbox.ship_batch()
    assert sink.seen == ids(queue) * 2


def test_one_bad_event_holds_up_no_other() -> None:
    """An event that is refused is put aside, unmarked; the others go, and so do later ones."""
    queue, sink = Queue(4), Sink()
    bad = queue.events[1].id
    sink.dislikes = {bad}
    outbox = Outbox(queue, sink, batch_size=3)
    assert outbox.ship_batch() == 2
    assert outbox.ship_batch() == 1
    assert outbox.ship_batch() == 0
    assert set(sink.seen) == set(queue.shipped) == set(ids(queue)) - {bad}


def test_a_sink_that_refuses_everything_is_away() -> None:
    """Wrong settings refuse every event: nothing is put aside, all waits."""
    queue, sink = Queue(3), Sink()
    sink.dislikes = set(ids(queue))
    outbox = Outbox(queue, sink)
    with pytest.raises(SinkUnreachable, match="refuses everything"):
        outbox.ship_batch()
    sink.dislikes = set()
    assert outbox.ship_batch() == 3


def test_run_backs_off_and_catches_up() -> None:
    """While the sink is away it is asked ever less often; then everything is shipped."""
    queue, sink = Queue(3), Sink()
    sink.is_away = True
    outbox = Outbox(queue, sink, idle_s=0.01, first_pause_s=0.02, longest_pause_s=0.3)
    stop = threading.Event()
    thread = threading.Thread(target=outbox.run, args=(stop,))
    thread.start()
    stop.wait(0.6)
    assert 3 <= sink.calls <= 12
    sink.is_away = False
    for _ in range(500):
        if len(queue.shipped) == 3:
            break
        stop.wait(0.01)
    stop.set()
    thread.join(5)
    assert queue.shipped == ids(queue)
