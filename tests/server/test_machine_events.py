"""What happens in a machine reaches the hub: real server, real shell, stub of the hub."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from .lesson_machine import LESSON_COMMAND, TOKEN, LessonHub, Machine, Reply, golden

LESSON = "lessons/real-machine/web-server"
HOOK = LESSON_COMMAND.parent / "hexhub.sh"


@pytest.fixture(scope="module")
def hub() -> Iterator[LessonHub]:
    hub = LessonHub()
    hub.answer("GET", LESSON, Reply(golden("lesson")))
    yield hub
    hub.close()


def make_machine(folder: Path, hub: LessonHub, **changes: str) -> Machine:
    home = folder / "home"
    (home / "work").mkdir(parents=True)
    # What /etc/bash.bashrc does in the images.
    (home / ".bash_profile").write_text(f"PATH={LESSON_COMMAND.parent}:$PATH\n. {HOOK}\n")
    machine = Machine(home, hub.url)
    machine.start(**changes)
    return machine


async def open_terminal(machine: Machine) -> WebSocketClientConnection:
    with machine.client() as client:
        name = client.post("api/terminals").json()["name"]
    url = f"{machine.base.replace('http', 'ws')}terminals/websocket/{name}"
    return await websocket_connect(HTTPRequest(url, headers={"Authorization": f"token {TOKEN}"}))


async def type_and_see(terminal: WebSocketClientConnection, keys: str, until: str) -> str:
    """Type, and give what the terminal shows until ``until`` stands there."""
    await terminal.write_message(json.dumps(["stdin", keys]))
    shown = ""
    async with asyncio.timeout(90):
        while until not in shown:
            message = await terminal.read_message()
            assert message is not None, shown
            kind, *rest = json.loads(message)
            if kind == "stdout":
                shown += rest[0]
    return shown


async def hang_up(terminal: WebSocketClientConnection) -> None:
    """Close the connection and wait for the other side to have done so."""
    terminal.close()
    async with asyncio.timeout(90):
        while await terminal.read_message() is not None:
            pass


def told(hub: LessonHub) -> list[dict[str, Any]]:
    """Give all events that the hub was told."""
    return [
        event
        for target, body in hub.bodies
        if target == f"{LESSON}/events"
        for event in json.loads(body)["events"]
    ]


def answers_on_the_bus(client: httpx.Client, name: str, data: dict[str, Any]) -> int:
    event = {"schema_id": f"urn:hexhub:lesson-event:{name}:v1", "version": "1", "data": data}
    return client.post("api/events", json=event).status_code


async def test_what_happens_in_the_machine_is_told(hub: LessonHub, tmp_path: Path) -> None:
    """Commands, saved files and the browser's events, in order; without text, and at the latest
    when the machine stops."""
    hub.bodies.clear()
    hub.answer("POST", f"{LESSON}/events", Reply({"version": 1, "stored": 1, "refused": []}))
    machine = make_machine(tmp_path, hub)
    try:
        terminal = await open_terminal(machine)
        shown = await type_and_see(terminal, "(exit 3)\necho d''one\n", "done")
        await type_and_see(terminal, "\necho a''gain\n", "again")
        assert "633" not in shown.replace("\x1b]633;HX;", "")
        with machine.client() as client:
            file = {"type": "file", "format": "text", "content": "x"}
            assert client.put("api/contents/work/a.txt", json=file).status_code == 201
            assert answers_on_the_bus(client, "preview_opened", {"port": 8000}) == 204
            # The server's own schemas hold for the browser, too.
            assert answers_on_the_bus(client, "preview_opened", {"port": "x"}) >= 400
        # The prompt after the last command tells of it.
        await type_and_see(terminal, "echo l''ast\n", "last")
        await type_and_see(terminal, "echo o''ver\n", "over")
        await hang_up(terminal)
    finally:
        machine.stop()
    events = told(hub)
    commands = [e["data"] for e in events if e["name"] == "terminal_command_finished"]
    assert [command["exit_status"] for command in commands][:4] == [3, 0, 0, 0]
    assert {command["text"] for command in commands} == {""}
    assert all(0 <= command["duration_ms"] < 90_000 for command in commands)
    others = {e["name"]: e["data"] for e in events}
    assert others["file_saved"] == {"path": "work/a.txt"}
    assert others["preview_opened"] == {"port": 8000}
    assert len({event["id"] for event in events}) == len(events)


async def test_the_text_of_commands_is_told_where_the_lesson_says_so(
    hub: LessonHub, tmp_path: Path
) -> None:
    """The student is told in the terminal, and a space before a command keeps it out."""
    hub.bodies.clear()
    hub.answer("POST", f"{LESSON}/events", Reply({"version": 1, "stored": 1, "refused": []}))
    machine = make_machine(tmp_path, hub, HEXHUB_RECORDS="command_text")
    try:
        terminal = await open_terminal(machine)
        shown = await type_and_see(terminal, "echo 'a;b'  c\n", "a;b c")
        assert "records the commands" in shown
        await type_and_see(terminal, " echo se''cret\n", "secret")
        await type_and_see(terminal, "for i in 1 2; do\n  echo l$i\ndone\n", "l2\r\n")
        await type_and_see(terminal, "echo o''ver\n", "over")
        await hang_up(terminal)
    finally:
        machine.stop()
    texts = [e["data"]["text"] for e in told(hub) if e["name"] == "terminal_command_finished"]
    assert texts[:3] == ["echo 'a;b'  c", "", "for i in 1 2; do   echo l$i; done"]


async def test_a_hub_that_is_away_costs_the_student_nothing(hub: LessonHub, tmp_path: Path) -> None:
    """The terminal goes on, the machine stops at once; the events were kept for it in vain."""
    hub.bodies.clear()
    hub.answer("POST", f"{LESSON}/events", Reply({"version": 1}, status=503))
    machine = make_machine(tmp_path, hub)
    try:
        terminal = await open_terminal(machine)
        for word in ("one", "two", "three"):
            await type_and_see(terminal, f"echo {word[0]}''{word[1:]}\n", word)
        await hang_up(terminal)
    finally:
        began = time.monotonic()
        machine.stop()
    assert time.monotonic() - began < 60
    assert len(told(hub)) >= 2
