"""What JupyterHub's process tells the service of a start becomes an event, once."""

import pytest

from hexhub.events.model import EventName

from .conftest import API, PREFIX, Service
from .small_courses import FIRST_SERVER

PATH = f"{PREFIX}hub/server-started"
REPORT = {
    "id": "0123456789abcdef" * 2,
    "at": "2026-11-24T12:00:00+00:00",
    "user": "ada",
    "server": FIRST_SERVER,
    "start": "warm",
    "duration_ms": 187,
}


async def test_a_start_becomes_one_event(service: Service) -> None:
    """The same report told twice is one event, with course and lesson of the server."""
    hub = service.client("service-token")

    answers = [await hub.post(PATH, json=REPORT) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 200]
    (event,) = service.store.events(EventName.SERVER_STARTED)
    assert event.id == REPORT["id"]
    assert event.at.isoformat() == REPORT["at"]
    assert event.data == {
        "user": "ada",
        "course": "tiny",
        "lesson": "first",
        "server": FIRST_SERVER,
        "start": "warm",
        "duration_ms": 187,
    }


async def test_only_the_hub_may_tell(service: Service) -> None:
    """Neither a person, nor a machine, nor a stranger makes such an event."""
    speakers = (
        service.client(service.hub.person("ada")),
        service.machine(),
        service.client(),
        await service.browser("ada"),
    )
    for speaker in speakers:
        assert (await speaker.post(PATH, json=REPORT)).status_code == 403
    assert service.store.events(EventName.SERVER_STARTED) == []


@pytest.mark.parametrize(
    "change",
    [
        {"start": "lukewarm"},
        {"server": "nothing-01234567"},
        {"duration_ms": -1},
        {"duration_ms": True},
        {"id": "x" * 32},
        {"at": "yesterday"},
        {"at": "2026-11-24T12:00:00"},
        {"more": 1},
    ],
)
async def test_what_no_start_is_is_refused(service: Service, change: dict[str, object]) -> None:
    """A report that the event's schema would not take is refused, and stores nothing."""
    answer = await service.client("service-token").post(PATH, json={**REPORT, **change})
    assert answer.status_code == 400
    assert service.store.events(EventName.SERVER_STARTED) == []


async def test_machines_have_no_such_address(service: Service) -> None:
    """It is no part of the API."""
    answer = await service.client("service-token").post(f"{API}hub/server-started", json=REPORT)
    assert answer.status_code == 404
