"""What a student's machine was yesterday: reset and undo, on a real JupyterHub and Docker."""

import contextlib
import sqlite3
import subprocess
import time
from datetime import UTC, datetime
from typing import Any

import httpx

from hexhub.archives import Archives
from hexhub.certificates import trusted_by
from hexhub.names import machine_name
from hexhub.set_aside import KEPT, aside_name
from tests.hub.trial_courses import server_of
from tests.hub.trial_hub import HEXHUB, Student, TrialHub, docker

PLAIN = server_of("plain")
MINE = "/home/student/work/mine.txt"


class Api:
    """HexHub's API as a student's own program uses it, for one lesson of the trial course."""

    def __init__(self, hub: TrialHub, student: Student, lesson: str) -> None:
        token = student.post(f"users/{student.name}/tokens", {}).json()["token"]
        self._client = httpx.Client(
            base_url=f"{hub.url}/services/hexhub/api/lessons/trial/{lesson}/",
            headers={"Authorization": f"token {token}"},
            timeout=60,
            verify=trusted_by(hub.url),
        )

    def ask(self, method: str, path: str) -> dict[str, Any]:
        """Give the JSON of an answer that is a success."""
        answer = self._client.request(method, path)
        assert answer.status_code == 200, answer.text
        content: dict[str, Any] = answer.json()
        return content

    def refusal(self, method: str, path: str) -> str:
        """Give the code of a refusal."""
        code: str = self._client.request(method, path).json()["error"]["code"]
        return code

    def follow(self) -> None:
        """Follow a start to its end, which must be a server that is ready."""
        deadline = time.monotonic() + 90
        server = self.ask("GET", "server?wait=2")
        while server["state"] == "starting" and time.monotonic() < deadline:
            server = self.ask("GET", "server?wait=2")
        assert server["state"] == "ready", server

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def test_a_reset_and_its_undo(hub, student):
    """A reset gives a new machine and keeps the old one; undo brings it back whole, and once."""
    api = Api(hub, student, "plain")
    api.ask("POST", "open")
    api.follow()
    (old,) = hub.machines(student)
    docker("exec", old, "sh", "-c", f"echo mine > {MINE}; rm -r work/sub")
    assert api.ask("GET", "machine")["undo_until"] is None
    assert api.refusal("POST", "reset/undo") == "nothing_to_undo"

    assert api.ask("POST", "reset")["state"] == "starting"
    api.follow()
    (new,) = hub.machines(student, "--filter", "status=running")
    assert set(hub.machines(student)) == {old, new}
    assert docker("exec", new, "ls", "work", "work/sub") == "work:\nsub\n\nwork/sub:\nhello.txt"
    assert api.ask("GET", "machine")["undo_until"] is not None
    assert student.open_lab(PLAIN).status_code == 200
    listed = subprocess.run(
        [HEXHUB, "machines", "list", "--state", str(hub.state)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    mine = [line for line in listed if f"  {student.name} trial/plain  " in line]
    assert sorted("put aside" in line for line in mine) == [False, True]

    assert api.ask("POST", "reset/undo")["state"] == "starting"
    api.follow()
    assert hub.machines(student) == [old]
    assert docker("exec", old, "cat", MINE) == "mine"
    assert student.open_lab(PLAIN).status_code == 200
    assert api.refusal("POST", "reset/undo") == "nothing_to_undo"
    api.close()


def put_aside(hub: TrialHub, student: Student, verb: str = "reset") -> httpx.Response:
    """Have the hub itself change the machine of a stopped server."""
    return hub.ask("POST", f"users/{student.name}/servers/{PLAIN}/machine/{verb}")


def test_what_is_put_aside_is_kept_once_and_for_a_week(hub, student):
    """The next reset replaces it, pressing without a machine does not, and a week ends it."""
    hub.open(student, PLAIN)
    assert put_aside(hub, student).status_code == 409
    (first,) = hub.machines(student)
    hub.stop_server(student, PLAIN)
    assert put_aside(hub, student).status_code == 204
    assert put_aside(hub, student).status_code == 204
    assert hub.machines(student) == [first]
    hub.open(student, PLAIN)
    (second,) = hub.machines(student, "--filter", "status=running")
    hub.stop_server(student, PLAIN)
    assert put_aside(hub, student).status_code == 204
    assert hub.machines(student) == [second]
    name, _, _ = docker("inspect", "--format", "{{.Name}}", second).partition(".")
    long_ago = aside_name(name.removeprefix("/"), datetime.now(UTC) - KEPT)
    docker("rename", second, long_ago)
    assert put_aside(hub, student, "undo").status_code == 410


def test_a_student_changes_no_machine_of_others(hub, student, other_student):
    """JupyterHub's own scopes guard facts, reset and undo."""
    hub.open(student, PLAIN)
    path = f"users/{student.name}/servers/{PLAIN}/machine"
    assert student.client.get(f"/hub/api/{path}").status_code in (200, 403)
    for verb in ("reset", "undo"):
        assert other_student.post(f"{path}/{verb}", {}).status_code in (403, 404)
    assert other_student.client.get(f"/hub/api/{path}").status_code in (403, 404)
    assert len(hub.machines(student, "--filter", "status=running")) == 1


def test_a_deleted_server_takes_all_that_is_kept_along(hub, student):
    """Removing the server for good leaves no container of it and no archive of an older machine."""
    machine = machine_name(hub.hub_id, student.name, PLAIN)
    archives = Archives(hub.state / "archives")
    archives.keep(machine, [b"files"], 5000)
    hub.open(student, PLAIN)
    hub.stop_server(student, PLAIN)
    put_aside(hub, student)
    hub.open(student, PLAIN)
    assert len(hub.machines(student)) == 2
    hub.stop_server(student, PLAIN, remove=True)
    deadline = time.monotonic() + 60
    while (hub.machines(student) or archives.find(machine)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert hub.machines(student) == []
    assert archives.find(machine) is None


def until_stopped(hub: TrialHub, student: Student, server: str) -> None:
    """Wait until JupyterHub knows that a server does not run."""
    deadline = time.monotonic() + 90
    path = f"users/{student.name}/servers/{server}"
    while hub.ask("GET", path).json()["ready"]:
        assert time.monotonic() < deadline
        time.sleep(0.3)


def until_told_of_stops(hub: TrialHub, student: Student, reasons: list[str]) -> None:
    """Wait until HexHub has stored that a student's servers stopped, for these reasons in order."""
    query = (
        "SELECT json_extract(data, '$.reason') FROM event"
        " WHERE name = 'server_stopped' AND user_name = ? ORDER BY sequence"
    )
    deadline = time.monotonic() + 60
    while True:
        with contextlib.closing(sqlite3.connect(hub.state / "hexhub.sqlite")) as database:
            found = [reason for (reason,) in database.execute(query, [student.name])]
        if found == reasons:
            return
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def test_a_tab_that_stands_open_is_no_use(hub, student):
    """An unused machine is stopped after its lesson's time, though a page asks again and again."""
    server = server_of("brief")
    api = Api(hub, student, "brief")
    hub.open(student, server)
    assert api.ask("GET", "machine")["idle_stop_at"] is not None
    assert student.open_lab(server).status_code == 200
    deadline = time.monotonic() + 120
    polled = [f"/user/{student.name}/{server}/api/{what}" for what in ("kernels", "terminals")]
    while hub.machines(student, "--filter", "status=running"):
        assert time.monotonic() < deadline
        for path in polled:
            # One that comes as the machine stops may never be answered.
            with contextlib.suppress(httpx.HTTPError):
                student.client.get(path, timeout=5)
        time.sleep(0.3)
    until_stopped(hub, student, server)
    facts = api.ask("GET", "machine")
    assert (facts["idle_stop_at"], facts["ended"]) == (None, None)
    page = student.client.get(f"/hub/user/{student.name}/{server}/")
    assert "This machine is stopped" in page.text
    until_told_of_stops(hub, student, ["idle"])
    api.close()


def test_a_machine_killed_for_memory_says_so_and_comes_back(hub, student):
    """The page of a server that is not running says what happened, and how to go on."""
    api = Api(hub, student, "narrow")
    server = server_of("narrow")
    hub.open(student, server)
    assert student.open_lab(server).status_code == 200
    path = f"/user/{student.name}/{server}/api/contents/work/big.txt"
    with contextlib.suppress(httpx.HTTPError):  # it dies while it reads this
        student.client.put(path, content=bytes(200 * 1024**2))
    until_stopped(hub, student, server)
    page = student.client.get(f"/hub/user/{student.name}/{server}/")
    assert page.status_code == 424
    assert "It ran out of memory: this lesson has 160 MB." in page.text
    assert "не хватило памяти: в этом уроке её 160 МБ" in page.text
    assert 'id="start"' in page.text
    ended = api.ask("GET", "machine")["ended"]
    assert (ended["reason"], ended["memory_bytes"]) == ("out_of_memory", 160 * 1024**2)
    api.ask("POST", "open")
    api.follow()
    assert api.ask("GET", "machine")["ended"] == ended
    hub.stop_server(student, server)
    assert api.ask("GET", "machine")["ended"] is None
    until_told_of_stops(hub, student, ["memory", "student"])
    api.close()


def in_shell(machine: str, command: str, *, is_checked: bool = True) -> str:
    """Give what a command prints in a log-in shell of the student."""
    return docker("exec", machine, "bash", "-lc", command, is_checked=is_checked)


def test_a_database_that_ran_is_up_again(hub, student):
    """A service of the lesson that the student had started answers after stop and start."""
    server = server_of("kept")
    hub.open(student, server)
    (machine,) = hub.machines(student)
    start = "initdb -D pgdata && pg_ctl -D pgdata -l postgres.log start && createdb library"
    in_shell(machine, f"cd work && ({start}) >/dev/null")
    in_shell(machine, "psql -q library -c 'CREATE TABLE book AS SELECT 7 AS shelf'")
    hub.stop_server(student, server)
    assert hub.open(student, server).status_code in (201, 202)
    deadline = time.monotonic() + 60
    ask = "psql -At library -c 'SELECT shelf FROM book'"
    while in_shell(machine, ask, is_checked=False) != "7":
        assert time.monotonic() < deadline, in_shell(machine, "cat .local/share/hexhub/* || true")
        time.sleep(0.2)
    # It was asked to end, and not killed outright; how long it then takes is the disk's affair.
    assert "shutdown request" in in_shell(machine, "cat work/postgres.log")
