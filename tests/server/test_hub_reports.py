"""What JupyterHub's process tells the service of starts and stops becomes an event, once."""

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
STOP_PATH = f"{PREFIX}hub/server-stopped"
STOP_REPORT = {
    **{key: REPORT[key] for key in ("id", "at", "user", "server")},
    "reason": "memory",
}


SIGN_UP_PATH = f"{PREFIX}hub/student-registered"
SIGN_UP = {key: REPORT[key] for key in ("id", "at", "user")}


async def test_a_sign_up_becomes_one_event(service: Service) -> None:
    """The same report told twice is one event, which the student sees as theirs."""
    hub = service.client("service-token")

    answers = [await hub.post(SIGN_UP_PATH, json=SIGN_UP) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 200]
    (event,) = service.store.events(EventName.STUDENT_REGISTERED)
    assert (event.id, event.data) == (REPORT["id"], {"user": "ada"})


@pytest.mark.parametrize("change", [{"user": ""}, {"user": 3}, {"at": "soon"}, {"server": "x"}])
async def test_what_no_sign_up_is_is_refused(service: Service, change: dict[str, object]) -> None:
    """A report that the event's schema would not take stores nothing."""
    answer = await service.client("service-token").post(SIGN_UP_PATH, json={**SIGN_UP, **change})
    assert answer.status_code == 400
    assert service.store.events(EventName.STUDENT_REGISTERED) == []


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


@pytest.mark.parametrize("reason", ["student", "idle", "ended", "memory"])
async def test_a_stop_becomes_one_event(service: Service, reason: str) -> None:
    """Each of the reasons that the hub gives is one that the event knows."""
    hub = service.client("service-token")

    answers = [await hub.post(STOP_PATH, json={**STOP_REPORT, "reason": reason}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 200]
    (event,) = service.store.events(EventName.SERVER_STOPPED)
    assert event.data == {
        "user": "ada",
        "course": "tiny",
        "lesson": "first",
        "server": FIRST_SERVER,
        "reason": reason,
    }


@pytest.mark.parametrize("change", [{"reason": "whim"}, {"server": "nothing-01234567"}, {"id": ""}])
async def test_what_no_stop_is_is_refused(service: Service, change: dict[str, object]) -> None:
    """A stop that the event's schema would not take is refused, and stores nothing."""
    answer = await service.client("service-token").post(STOP_PATH, json={**STOP_REPORT, **change})
    assert answer.status_code == 400
    assert service.store.events(EventName.SERVER_STOPPED) == []


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
        assert (await speaker.post(STOP_PATH, json=STOP_REPORT)).status_code == 403
        assert (await speaker.post(SIGN_UP_PATH, json=SIGN_UP)).status_code == 403
    assert service.store.events() == []


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
