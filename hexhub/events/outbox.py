"""Events leave the outbox: oldest first, in batches, at least once, however long the sink is away.

Design choices: no transaction is open while the sink is written to, so that a sink that hangs holds
nothing up. An event is marked only after the sink has acknowledged it; when we die in between it
is sent again, with the same id and time, which InfluxDB stores as the same point. There is no
memory of what waits but the table.
"""

import logging
import random
import threading
from collections.abc import Collection, Sequence
from typing import Protocol

from hexhub.errors import SinkRefused, SinkUnreachable, StoreError
from hexhub.events.model import Event

log = logging.getLogger(__name__)

BATCH_SIZE = 500
MOST_PUT_ASIDE = 1_000
"""Events that may be refused one by one before we take it that the sink refuses everything."""


class EventQueue(Protocol):
    """What the outbox needs of the store."""

    def unshipped_events(self, limit: int, skipping: Collection[str] = ()) -> list[Event]:
        """Give the oldest events that no sink has acknowledged, in order."""
        ...

    def mark_shipped(self, ids: Collection[str]) -> None:
        """Store that a sink has acknowledged these events."""
        ...


class Sink(Protocol):
    """Where events go."""

    def write(self, events: Sequence[Event]) -> None:
        """Return when all events are safe there.

        Raises:
            SinkUnreachable: It takes nothing now.
            SinkRefused: It takes events, but not (all of) these.
        """
        ...


class Outbox:
    """Ships the events of one queue to one sink; used by one thread."""

    def __init__(
        self,
        queue: EventQueue,
        sink: Sink,
        *,
        batch_size: int = BATCH_SIZE,
        idle_s: float = 1.0,
        first_pause_s: float = 1.0,
        longest_pause_s: float = 60.0,
    ) -> None:
        self._queue = queue
        self._sink = sink
        self._batch_size = batch_size
        self._idle_s = idle_s
        self._first_pause_s = first_pause_s
        self._longest_pause_s = longest_pause_s
        self._put_aside: set[str] = set()

    def ship_batch(self) -> int:
        """Ship the oldest events, and give how many the sink has acknowledged; 0: none waits.

        An event that the sink refuses while it takes others stays in the table and is put aside
        until the process starts anew, so that it does not hold up the rest.

        Raises:
            SinkUnreachable: The sink takes nothing now; nothing was marked.
            StoreError: The database refuses; what was sent may be sent again.
        """
        events = self._queue.unshipped_events(self._batch_size, self._put_aside)
        if not events:
            return 0
        try:
            self._sink.write(events)
        except SinkRefused as exc:
            return self._ship_one_by_one(events, exc)
        self._queue.mark_shipped([event.id for event in events])
        return len(events)

    def run(self, stop: threading.Event) -> None:
        """Ship until ``stop`` is set; back off while the sink or the database is away."""
        pause_s = 0.0
        while not stop.is_set():
            try:
                shipped = self.ship_batch()
            except (SinkUnreachable, StoreError) as exc:
                if not pause_s:
                    log.warning("Events wait in the outbox; nothing is lost. %s", exc)
                pause_s = min(max(self._first_pause_s, pause_s * 2), self._longest_pause_s)
                # Not all workers at the same instant when the sink comes back.
                stop.wait(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
                continue
            if pause_s:
                log.info("Events are shipped again.")
                pause_s = 0.0
            if shipped < self._batch_size:
                stop.wait(self._idle_s)

    def _ship_one_by_one(self, events: Sequence[Event], refusal: SinkRefused) -> int:
        refused: list[tuple[Event, SinkRefused]] = []
        shipped = 0
        if len(events) > 1:
            for event in events:
                try:
                    self._sink.write([event])
                except SinkRefused as exc:
                    refused.append((event, exc))
                else:
                    self._queue.mark_shipped([event.id])
                    shipped += 1
        if not shipped or len(self._put_aside) > MOST_PUT_ASIDE:
            # The settings are wrong rather than the events.
            raise SinkUnreachable(f"It refuses everything: {refusal}")
        for event, reason in refused:
            log.error(
                "Event %s (%s) is refused and stays in the outbox: %s", event.id, event.name, reason
            )
            self._put_aside.add(event.id)
        return shipped
