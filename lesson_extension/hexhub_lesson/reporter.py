"""Events on their way to the hub: kept, limited, sent in batches, and sent again.

Nothing here is worth a student's time or memory: what does not fit is thrown away, oldest first,
and counted; the count goes along with the next batch. The hub has limits of its own.
"""

import asyncio
import json
import logging
import random
import time
import uuid
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from hexhub_lesson.hub_client import Answer, HubUnreachable

log = logging.getLogger("hexhub_lesson")

VERSION = 1
MAX_KEPT = 1000
"""Events that wait for the hub at most."""
MAX_AGE_S = 23 * 3600.0
"""The hub takes nothing that is older than a day."""
MAX_BATCH = 100
MAX_BATCH_BYTES = 40 * 1024
"""The hub takes 48 KiB; the frame around the events needs some."""
BATCH_S = 5.0
"""Seconds that events are gathered before they are sent."""
FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 300.0
AT_ONCE = 60
"""Events of one kind at once; more than that comes from a program, not from a person."""
PER_S = 1.0
"""Events of one kind in a second, in the long run."""
LAST_WORDS_S = 1.0
"""Seconds that the end of the server waits for a last batch."""

Send = Callable[[bytes], Awaitable[Answer]]


@dataclass(frozen=True)
class _Kept:
    id: str
    name: str
    at: float  # of the monotonic clock
    data: dict[str, Any]
    size: int


class Reporter:
    """Keeps events and sends them. Used on the event loop of the server.

    Attributes:
        dropped: Events that were thrown away since the last batch that arrived.
    """

    def __init__(self, send: Send, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Prepare; nothing is sent before :meth:`run`.

        Args:
            send: Posts a batch and gives the answer; raises HubUnreachable.
            clock: Seconds that never step back.
        """
        self._send = send
        self._clock = clock
        self._kept: deque[_Kept] = deque()
        self._buckets: dict[str, tuple[float, float]] = {}
        self._wake = asyncio.Event()
        self.dropped = 0

    def __len__(self) -> int:
        """Give how many events wait."""
        return len(self._kept)

    def add(self, name: str, data: dict[str, Any]) -> None:
        """Keep an event for the next batch."""
        if not self._has_room(name):
            self.dropped += 1
            return
        if len(self._kept) >= MAX_KEPT:
            self._kept.popleft()
            self.dropped += 1
        size = len(json.dumps(data)) + 120
        self._kept.append(_Kept(uuid.uuid4().hex, name, self._clock(), data, size))
        self._wake.set()

    def _has_room(self, name: str) -> bool:
        now = self._clock()
        left, at = self._buckets.get(name, (float(AT_ONCE), now))
        left = min(float(AT_ONCE), left + (now - at) * PER_S)
        self._buckets[name] = (left - 1 if left >= 1 else left, now)
        return left >= 1

    async def run(self) -> None:
        """Send for ever; wait longer and longer while the hub is away."""
        pause_s = 0.0
        while True:
            await self._wake.wait()
            # Not all machines at the same instant when the hub comes back.
            await asyncio.sleep(max(BATCH_S, pause_s) * random.uniform(0.8, 1.2))  # noqa: S311
            while self._kept:
                if not await self.send_batch():
                    pause_s = min(max(FIRST_PAUSE_S, pause_s * 2), LONGEST_PAUSE_S)
                    break
                pause_s = 0.0
            else:
                self._wake.clear()

    async def send_batch(self) -> bool:
        """Send the oldest events; False where the hub did not take them and they are kept."""
        now = self._clock()
        while self._kept and now - self._kept[0].at > MAX_AGE_S:
            self._kept.popleft()
            self.dropped += 1
        batch: list[_Kept] = []
        size = 0
        for event in self._kept:
            size += event.size
            if len(batch) == MAX_BATCH or (batch and size > MAX_BATCH_BYTES):
                break
            batch.append(event)
        dropped = self.dropped
        if not batch and not dropped:
            return True
        try:
            answer = await self._send(_write_batch(batch, dropped, now))
        except HubUnreachable:
            return False
        if answer.status >= 500 or answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            return False
        # Other refusals are for good: the hub has counted them, and would not take it next time.
        if answer.status != HTTPStatus.OK:
            log.info("The hub refuses %d events: status %d", len(batch), answer.status)
        self.dropped -= dropped
        sent = {event.id for event in batch}
        self._kept = deque(event for event in self._kept if event.id not in sent)
        return True

    async def close(self) -> None:
        """Send what waits, if that is quick; the machine is about to stop."""
        try:
            async with asyncio.timeout(LAST_WORDS_S):
                while self._kept and await self.send_batch():
                    pass
        except TimeoutError:
            log.info("%d events could not be told any more", len(self._kept))


def _write_batch(batch: list[_Kept], dropped: int, now: float) -> bytes:
    events = [
        {
            "id": event.id,
            "name": event.name,
            "age_s": round(max(0.0, now - event.at), 3),
            "data": event.data,
        }
        for event in batch
    ]
    return json.dumps({"version": VERSION, "dropped": dropped, "events": events}).encode()
