"""Events wait for the hub, a bounded number of them, and arrive once."""

import asyncio
import json
from typing import Any

import pytest
from hexhub_lesson import reporter as reporting
from hexhub_lesson.hub_client import Answer, HubUnreachable
from hexhub_lesson.reporter import AT_ONCE, MAX_BATCH, MAX_KEPT, Reporter


class Hub:
    """Takes batches, answers with a status, or is away."""

    def __init__(self) -> None:
        self.status: int | None = 200
        self.batches: list[dict[str, Any]] = []

    async def take(self, body: bytes) -> Answer:
        """Be what sends."""
        if self.status is None:
            raise HubUnreachable("away")
        self.batches.append(json.loads(body))
        return Answer(self.status, b"{}")

    @property
    def ids(self) -> list[str]:
        """Give the ids of all events that came, in order."""
        return [event["id"] for batch in self.batches for event in batch["events"]]


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reporter(hub: Hub, clock: Clock) -> Reporter:
    return Reporter(hub.take, clock=clock)


def fill(reporter: Reporter, clock: Clock, count: int) -> None:
    for n in range(count):
        clock.now += 1
        reporter.add("file_saved", {"path": f"work/{n}"})


async def test_a_batch_says_how_long_ago_things_were(
    reporter: Reporter, hub: Hub, clock: Clock
) -> None:
    """Ages are counted when the batch is sent, not when the thing happened."""
    reporter.add("file_saved", {"path": "work/a"})
    clock.now = 12.5
    reporter.add("preview_opened", {"port": 8000})
    assert await reporter.send_batch()
    [batch] = hub.batches
    assert (batch["version"], batch["dropped"]) == (1, 0)
    assert [(e["name"], e["age_s"], e["data"]) for e in batch["events"]] == [
        ("file_saved", 12.5, {"path": "work/a"}),
        ("preview_opened", 0.0, {"port": 8000}),
    ]
    assert len(reporter) == 0


@pytest.mark.parametrize("status", [None, 500, 503, 429])
async def test_what_the_hub_does_not_take_is_sent_again_under_the_same_ids(
    reporter: Reporter, hub: Hub, clock: Clock, status: int | None
) -> None:
    """An answer that was lost must not make two events of one."""
    fill(reporter, clock, 3)
    hub.status = status
    assert not await reporter.send_batch()
    first, hub.batches[:] = hub.ids, []
    hub.status = 200
    assert await reporter.send_batch()
    assert len(hub.ids) == 3
    assert first in ([], hub.ids)
    assert len(reporter) == 0


@pytest.mark.parametrize("status", [400, 403, 404, 413])
async def test_what_the_hub_refuses_for_good_is_not_sent_again(
    reporter: Reporter, hub: Hub, clock: Clock, status: int
) -> None:
    """A batch that would be refused for ever must not stop all that come after it."""
    fill(reporter, clock, 3)
    hub.status = status
    assert await reporter.send_batch()
    assert len(reporter) == 0


async def test_the_oldest_are_dropped_and_counted(
    reporter: Reporter, hub: Hub, clock: Clock
) -> None:
    """While the hub is away memory is bounded; the hub is told how many are missing."""
    hub.status = None
    fill(reporter, clock, MAX_KEPT + 7)
    assert not await reporter.send_batch()
    assert (len(reporter), reporter.dropped) == (MAX_KEPT, 7)
    hub.status = 200
    while len(reporter):
        assert await reporter.send_batch()
    assert hub.batches[0]["events"][0]["data"]["path"] == "work/7"
    assert [batch["dropped"] for batch in hub.batches][:2] == [7, 0]
    assert max(len(batch["events"]) for batch in hub.batches) == MAX_BATCH
    assert len(set(hub.ids)) == MAX_KEPT


async def test_a_flood_of_one_kind_is_cut_and_the_others_pass(
    reporter: Reporter, hub: Hub, clock: Clock
) -> None:
    """A program that saves without end leaves room for what the student does."""
    for _ in range(AT_ONCE + 50):
        reporter.add("file_saved", {"path": "work/a"})
    reporter.add("preview_opened", {"port": 1})
    assert (len(reporter), reporter.dropped) == (AT_ONCE + 1, 50)
    clock.now += 10
    for _ in range(50):
        reporter.add("file_saved", {"path": "work/a"})
    assert len(reporter) == AT_ONCE + 1 + 10


async def test_a_batch_fits_the_hubs_limit(reporter: Reporter, hub: Hub, clock: Clock) -> None:
    """Big events make small batches; whole ones all the same."""
    for _ in range(60):
        clock.now += 1
        reporter.add("terminal_command_finished", {"text": "Ж" * 500})
    while len(reporter):
        assert await reporter.send_batch()
    assert len(hub.ids) == 60
    assert max(len(json.dumps(batch)) for batch in hub.batches) <= 48 * 1024


async def test_what_is_older_than_a_day_is_dropped(
    reporter: Reporter, hub: Hub, clock: Clock
) -> None:
    """The hub would refuse it."""
    fill(reporter, clock, 2)
    clock.now += 24 * 3600
    reporter.add("preview_opened", {"port": 1})
    assert await reporter.send_batch()
    assert [e["name"] for e in hub.batches[0]["events"]] == ["preview_opened"]
    assert hub.batches[0]["dropped"] == 2


async def test_it_sends_by_itself_and_waits_while_the_hub_is_away(
    reporter: Reporter, hub: Hub, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches come when there is something to tell, and go on when the hub is back."""
    pauses: list[float] = []
    real_sleep = asyncio.sleep

    async def sleep(pause_s: float) -> None:
        pauses.append(pause_s)
        if len(pauses) == 4:
            hub.status = 200
        await real_sleep(0)

    monkeypatch.setattr(reporting.asyncio, "sleep", sleep)
    hub.status = None
    task = asyncio.create_task(reporter.run())
    fill(reporter, clock, 2)
    while len(reporter):
        await real_sleep(0)
    task.cancel()
    assert len(hub.ids) == 2
    assert pauses[3] > pauses[0] * 2


async def test_the_end_of_the_server_sends_what_waits(
    reporter: Reporter, hub: Hub, clock: Clock
) -> None:
    """The last command before the machine stops is told; a hub that is away holds up nothing."""
    fill(reporter, clock, 2)
    await reporter.close()
    assert len(hub.ids) == 2
    hub.status = None
    fill(reporter, clock, 1)
    await reporter.close()
    assert len(reporter) == 1
