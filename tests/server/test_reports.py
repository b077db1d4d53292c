"""A machine reports over real HTTP; what is not in order is refused with a reason, and counted."""

import json
from pathlib import Path
from typing import Any

import pytest

from hexhub.events.model import EventName
from hexhub.events.reports import RateLimit
from hexhub.names import UserName
from hexhub.progress.reports import Reports

from .conftest import LESSON, Service
from .small_courses import SECOND_SERVER

ADA = UserName("ada")
EVENTS = f"{LESSON}/events"
GOLDEN = Path(__file__).parents[1] / "contract/events/report.json"


def report(*events: dict[str, Any], dropped: int = 0) -> dict[str, Any]:
    return {"version": 1, "dropped": dropped, "events": list(events)}


def saved(n: int = 0, **change: Any) -> dict[str, Any]:
    data = {"path": f"work/{n}"}
    return {"id": f"{n:032x}", "name": "file_saved", "age_s": 1, "data": data, **change}


def counted(service: Service, user: str = "ada") -> dict[str, int]:
    return {row.problem: row.count for row in Reports(service.store).refused(UserName(user))}


async def test_a_batch_is_stored_as_claims_of_the_tokens_student(
    container_side: Service,
) -> None:
    """User and lesson come from the token; all is in the outbox, once, however often sent."""
    machine = container_side.machine()
    batch = json.loads(GOLDEN.read_text(encoding="utf-8"))
    batch["events"][4]["data"]["step"] = "one"
    for _ in range(2):
        answer = await machine.post(EVENTS, json=batch)
        assert (answer.status_code, answer.json()) == (
            200,
            {"version": 1, "stored": 6, "refused": []},
        )
    events = container_side.store.unshipped_events(10)
    assert len(events) == 6
    assert all(event.is_reported for event in events)
    assert {event.data["user"] for event in events} == {"ada"}
    assert {event.data["lesson"] for event in events} == {"first"}
    assert counted(container_side) == {"dropped_by_machine": 4}


async def test_what_is_refused_is_named_and_counted(service: Service) -> None:
    """The good event between the bad ones is stored."""
    answer = await service.machine().post(
        EVENTS,
        json=report(
            saved(1, name="step_passed"),
            saved(2),
            saved(3, data={"path": "a", "user": "bob"}),
            saved(4, data={"path": "a" * 9000}),
            {"nonsense": True},
        ),
    )
    assert answer.json()["stored"] == 1
    assert [(r["index"], r["code"]) for r in answer.json()["refused"]] == [
        (0, "event_not_yours"),
        (2, "event_not_yours"),
        (3, "event_too_large"),
        (4, "event_invalid"),
    ]
    assert counted(service) == {"event_not_yours": 2, "event_too_large": 1, "event_invalid": 1}
    [stored] = Reports(service.store).recorded(ADA, 10)
    assert stored.name is EventName.FILE_SAVED


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"[" * 20000,
        b'{"version": 1}',
        b'{"version": 2, "dropped": 0, "events": []}',
        b'{"version": true, "dropped": 0, "events": []}',
        b'{"version": 1, "dropped": -1, "events": []}',
        b'{"version": 1, "dropped": 0, "events": {}}',
        b'{"version": 1, "dropped": 0, "events": [' + b"0," * 100 + b"0]}",
        b'{"version": 1, "dropped": 0, "events": ["' + b"x" * 50_000 + b'"]}',
    ],
    ids=lambda body: body[:40].decode(),
)
async def test_a_batch_that_is_none_is_refused_as_a_whole(service: Service, body: bytes) -> None:
    """With 400 and a sentence, and counted for the student whose machine sent it."""
    answer = await service.machine().post(EVENTS, content=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "request_invalid")
    assert counted(service) == {"request_invalid": 1}


async def test_only_the_lessons_own_machine_reports(service: Service) -> None:
    """Neither another lesson's machine nor a person can; nothing is stored."""
    others = (
        service.machine(server=SECOND_SERVER),
        service.client(service.hub.person("ada")),
    )
    for client in others:
        answer = await client.post(EVENTS, json=report(saved()))
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "access_denied")
    assert counted(service) == {"access_denied": 2}
    nobody = await service.client().post(EVENTS, json=report(saved()))
    assert nobody.status_code == 403
    assert service.store.unshipped_events(10) == []


async def test_too_much_is_refused_whatever_the_machine_thinks(service: Service) -> None:
    """The server's own limit, for each student; another student is not touched."""
    service.context.reports = RateLimit(3, 0.0, lambda: 0.0)
    machine = service.machine()
    batch = report(*(saved(n) for n in range(5)))
    answer = (await machine.post(EVENTS, json=batch)).json()
    assert answer["stored"] == 3
    assert {refused["code"] for refused in answer["refused"]} == {"event_too_many"}
    assert counted(service) == {"event_too_many": 2}
    other = await service.machine(user="bob").post(EVENTS, json=report(saved(9)))
    assert other.json()["stored"] == 1


async def test_ids_of_others_change_nothing(service: Service) -> None:
    """Who sends an event under the id of somebody else's overwrites nothing."""
    await service.machine().post(EVENTS, json=report(saved(1)))
    await service.machine(user="bob").post(
        EVENTS, json=report(saved(1, data={"path": "work/forged"}))
    )
    [stored] = Reports(service.store).recorded(ADA, 10)
    assert stored.data["path"] == "work/1"
