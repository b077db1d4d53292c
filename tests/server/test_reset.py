"""Reset of a machine and of its files, and their undo, through API v1."""

import asyncio
import base64

import httpx

from .conftest import API, LESSON, Service
from .small_courses import SECOND_SERVER
from .stub_hub import StartScript

LATER = "2126-11-24T10:00:00+00:00"


async def state_of(machine: httpx.AsyncClient, wanted: str) -> dict[str, object]:
    """Follow a start until it is in the wanted state."""
    answer: dict[str, object] = {}
    for _ in range(200):
        answer = (await machine.get(f"{LESSON}/server", params={"wait": "1"})).json()
        if answer["state"] == wanted:
            return answer
        await asyncio.sleep(0.01)
    raise AssertionError(answer)


async def test_a_reset_stops_replaces_and_starts(service: Service) -> None:
    """The answer comes at once; then the server is stopped, its machine changed, and started."""
    machine = service.machine()
    await machine.post(f"{LESSON}/open")
    await state_of(machine, "ready")
    service.pass_steps("one")

    answer = (await machine.post(f"{LESSON}/reset")).json()

    assert (answer["state"], "aside" in answer["message"]) == ("starting", True)
    await state_of(machine, "ready")
    assert service.hub.replacements == ["reset"]
    assert len(service.hub.starts) == 2
    assert (await machine.get(LESSON)).json()["steps"][0]["state"] == "passed"


async def test_two_presses_are_one_reset(service: Service) -> None:
    """A second press while a reset is under way joins it: the machine put aside stays there."""
    machine = service.machine()
    await machine.post(f"{LESSON}/open")
    service.hub.script = StartScript(pause_s=0.3)

    answers = [await machine.post(f"{LESSON}/reset") for _ in range(3)]

    assert {answer.json()["state"] for answer in answers} == {"starting"}
    await state_of(machine, "ready")
    assert service.hub.replacements == ["reset"]


async def test_undo_needs_something_to_undo(service: Service) -> None:
    """Without an earlier machine undo is refused and touches nothing; with one it starts that."""
    machine = service.machine()
    await machine.post(f"{LESSON}/open")
    await state_of(machine, "ready")

    refused = await machine.post(f"{LESSON}/reset/undo")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "nothing_to_undo")
    assert service.hub.replacements == []

    service.hub.facts["undo_until"] = LATER
    assert (await machine.get(f"{LESSON}/machine")).json()["undo_until"].startswith("2126")
    assert (await machine.post(f"{LESSON}/reset/undo")).json()["state"] == "starting"
    await state_of(machine, "ready")
    assert service.hub.replacements == ["undo"]


async def test_a_machine_resets_its_own_lesson_only(service: Service) -> None:
    """The token of another lesson's machine is refused by every new address."""
    other = service.machine(server=SECOND_SERVER)

    for method, path in (
        ("POST", "reset"),
        ("POST", "reset/undo"),
        ("GET", "machine"),
        ("GET", "starter"),
        ("GET", "starter/file?path=app.py"),
    ):
        answer = await other.request(method, f"{LESSON}/{path}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "access_denied"), path
    assert service.hub.replacements == []


async def test_a_lesson_without_a_machine_tells_nothing_and_resets_to_a_new_one(
    service: Service,
) -> None:
    """Facts of a machine that never was are empty; resetting it opens the lesson."""
    machine = service.machine()

    facts = (await machine.get(f"{LESSON}/machine")).json()
    assert {name: facts[name] for name in ("idle_stop_at", "undo_until", "ended")} == {
        "idle_stop_at": None,
        "undo_until": None,
        "ended": None,
    }
    await machine.post(f"{LESSON}/reset")
    await state_of(machine, "ready")
    assert service.hub.replacements == []


async def test_the_starter_is_listed_and_read(service: Service) -> None:
    """Each file of the starter has its steps; its content comes whole, other files do not."""
    machine = service.machine()

    listed = (await machine.get(f"{LESSON}/starter")).json()
    file = (await machine.get(f"{LESSON}/starter/file", params={"path": "app.py"})).json()
    secrets = [
        await machine.get(f"{LESSON}/starter/file", params={"path": path})
        for path in ("checks/test_one.py", "../checks/test_one.py", "/etc/passwd", "")
    ]

    assert listed["files"] == [{"path": "app.py", "size_bytes": 6, "steps": ["one"]}]
    assert base64.b64decode(file["data"]) == b"x = 1\n"
    assert {secret.status_code for secret in secrets} == {404}
    assert (await machine.get(f"{API}lessons/tiny/first/starter/file")).status_code == 400
