"""Hub, proxy or the supervisor itself killed with -9: nothing is lost, and nothing is left over."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.hub.left_over import left_over
from tests.hub.trial_courses import server_of
from tests.hub.trial_hub import WAIT_S, Student, TrialHub, docker

PLAIN = server_of("plain")


@pytest.fixture(scope="module")
def crash_at(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the file in which the hub reads where to die."""
    return tmp_path_factory.mktemp("crash") / "at"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, crash_at: Path) -> Iterator[TrialHub]:
    """Give a HexHub of this module's own, to be ill-treated."""
    running = TrialHub(tmp_path_factory.mktemp("hexhub"), {"HEXHUB_CRASH_AT": str(crash_at)})
    try:
        running.start()
        yield running
    finally:
        running.remove()


def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_student_notices_nothing_of_a_killed_hub(hub):
    """While the hub is away the machine answers; the next hub knows it, and there is no second."""
    student = Student(hub, "ada")
    hub.open(student, PLAIN)
    assert student.open_lab(PLAIN).status_code == 200
    machines = hub.machines(student)
    started_at = docker("inspect", "--format", "{{.State.StartedAt}}", machines[0])
    old_hub = hub.child("hub")
    hub.kill("hub")
    assert student.client.get(f"/user/{student.name}/{PLAIN}/api").status_code == 200
    hub.wait_until_answers()
    assert hub.child("hub") != old_hub
    # A hub that is new looks at each machine beside its first answers, where that takes long.
    until(lambda: hub.ask("GET", f"users/{student.name}/servers/{PLAIN}").json()["ready"])
    assert student.open_lab(PLAIN).status_code == 200
    assert hub.machines(student) == machines
    assert docker("inspect", "--format", "{{.State.StartedAt}}", machines[0]) == started_at
    hub.stop_server(student, PLAIN)
    assert hub.open(student, PLAIN).status_code in (201, 202)
    assert hub.machines(student) == machines
    student.client.close()


POINTS = (
    *("start.created", "start.running", "start.told", "start.listens"),
    *("stop.asked", "stop.done"),
)


@pytest.mark.parametrize("point", POINTS)
def test_a_hub_killed_at_a_point_of_start_or_stop(hub, crash_at, point):
    """Soon after, each server has one machine, nothing else is left, and the lesson opens whole."""
    student = Student(hub, point.replace(".", "-"))
    path = f"users/{student.name}/servers/{PLAIN}"
    if point.startswith("stop"):
        hub.open(student, PLAIN)
    crash_at.write_text(point)
    with contextlib.suppress(httpx.HTTPError):
        if point.startswith("stop"):
            hub.ask("DELETE", path)
        else:
            hub.ask("POST", path, json={"display_name": "Trial"})
    # JupyterHub answers a start or stop that takes long before it has ended.
    until(lambda: not crash_at.exists())
    hub.wait_until_answers()
    deadline = time.monotonic() + WAIT_S
    while (found := left_over(hub)) and time.monotonic() < deadline:
        time.sleep(0.3)
    assert not found, hub.log("hub")[-4000:]
    deadline = time.monotonic() + WAIT_S
    answer = hub.open(student, PLAIN)
    while answer.status_code not in (201, 202) and time.monotonic() < deadline:
        time.sleep(0.5)
        answer = hub.open(student, PLAIN)
    assert answer.status_code in (201, 202), answer.text
    machines = hub.machines(student)
    assert len(machines) == 1
    assert student.open_lab(PLAIN).status_code == 200
    content = docker("exec", machines[0], "cat", "/home/student/work/sub/hello.txt")
    assert content == "Hello from plain"
    student.client.close()


def test_a_new_proxy_has_its_routes(hub):
    """After the proxy was killed, machines and pages answer again.

    Sooner than JupyterHub by itself would see to it, which is after 300 s.
    """
    student = Student(hub, "grace")
    hub.open(student, PLAIN)
    hub.kill("proxy")
    path = f"/user/{student.name}/{PLAIN}/api"
    hub.wait_until_answers(path)
    hub.wait_until_answers("/hub/api/")
    student.client.close()


@pytest.mark.parametrize("name", ["web", "worker"])
def test_the_others_come_back_too(hub, name):
    """Web service and worker are started again when they die."""
    old = hub.child(name)
    hub.kill(name)
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        time.sleep(0.2)
        try:
            if hub.child(name) != old:
                hub.wait_until_answers("/services/hexhub/")
                return
        except AssertionError:
            continue
    raise AssertionError(f"{name} did not come back:\n{hub.output}")


def test_nothing_outlives_the_supervisor(hub):
    """A killed supervisor leaves no process behind; the next one finds the machines and serves."""
    student = Student(hub, "hedy")
    hub.open(student, PLAIN)
    machines = hub.machines(student)
    children = [hub.child(name) for name in ("hub", "proxy", "web", "worker")]
    hub.process.send_signal(signal.SIGKILL)
    hub.process.wait()
    until(lambda: not any(is_alive(child) for child in children))
    hub.start()
    hub.wait_until_answers(f"/user/{student.name}/{PLAIN}/api")
    assert hub.machines(student) == machines
    student.client.close()


def test_stop_and_start(hub):
    """Ctrl-C ends everything, machines stay, and are there after the next start."""
    student = Student(hub, "joan")
    hub.open(student, PLAIN)
    running = hub.machines(student, "--filter", "status=running")
    hub.stop()
    assert hub.machines(student, "--filter", "status=running") == running
    hub.start()
    assert student.open_lab(PLAIN).status_code == 200
    student.client.close()


def is_alive(process_id: int) -> bool:
    """Tell whether a process is there, zombies not counted."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(process_id)], capture_output=True, text=True
    ).stdout
    return not state.strip().startswith("Z") and bool(state.strip())
