"""The warm pool on a real JupyterHub and a real Docker: nothing is given twice, nothing is left."""

import contextlib
import secrets
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker as docker_py
import httpx
import pytest

from hexhub.names import CourseName, is_nobodys, waiting_name
from tests.hub.trial_courses import publish_trial_course, server_of
from tests.hub.trial_hub import HEXHUB, Student, TrialHub, docker

pytestmark = pytest.mark.timeout(900)

PLAIN = server_of("plain")
CONFIG = """
c.MachinePool.memory = "2G"
c.MachinePool.least = 1
c.MachinePool.most = 2
c.MachinePool.quiet_s = 0.1
c.MachinePool.look_s = 0.5
c.MachinePool.busy_load = 1000
"""
OWN_IMAGE = "hexhub-trial/pool"


@pytest.fixture(scope="module")
def crash_at(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the file in which the hub reads where to die."""
    return tmp_path_factory.mktemp("crash") / "at"


@pytest.fixture(scope="module")
def pool_hub(tmp_path_factory: pytest.TempPathFactory, crash_at: Path) -> Iterator[TrialHub]:
    """Give a HexHub with a pool."""
    running = TrialHub(
        tmp_path_factory.mktemp("hexhub"),
        {"HEXHUB_CRASH_AT": str(crash_at)},
        config=CONFIG,
        lessons=["plain", "rooted"],  # two kinds, so that one could be taken for the other
    )
    try:
        running.start()
        yield running
    finally:
        running.remove()


@pytest.fixture
def hub(pool_hub: TrialHub) -> TrialHub:
    """Give the HexHub with a pool, started again where a test has stopped it."""
    if pool_hub.process is None:
        pool_hub.start()
    return pool_hub


def waiting(hub: TrialHub, image: str = "hexhub/base") -> dict[str, Any]:
    """Give the containers that wait for a lesson like the plain one: id → inspection."""
    found = {}
    with contextlib.closing(docker_py.APIClient(version="auto")) as client:
        mine = {"label": f"hexhub.hub={hub.hub_id}"}
        for listed in client.containers(filters=mine):
            if ".waiting." not in listed["Names"][0] or listed["Image"] != image:
                continue
            # It may just have been taken or removed.
            with contextlib.suppress(docker_py.errors.APIError):
                each = client.inspect_container(listed["Id"])
                is_like = each["Config"]["User"] == "student"
                is_like &= not each["HostConfig"]["NetworkMode"].endswith("-isolated")
                if is_like and b"waiting for a student" in client.logs(listed["Id"]):
                    found[each["Id"]] = each
    return found


def until(look: Callable[[], Any], what: str, hub: TrialHub) -> Any:
    """Give what ``look`` finds, as soon as it finds something."""
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.2)
    log = (hub.state / "logs" / "hub.log").read_text()[-4000:]
    raise AssertionError(f"{what}: not within 240 s; there are {hub.containers()}\n{log}")


def until_some(hub: TrialHub) -> dict[str, Any]:
    """Give the containers that wait for students of the plain lesson, one or two."""
    found: dict[str, Any] = until(lambda: waiting(hub), "one waits", hub)
    return found


def test_a_lesson_opens_in_a_container_that_waited(hub, student):
    """It was there before its student and knew of none; it has the lesson's files and limits."""
    there = until_some(hub)
    for container in there:
        environment = docker(
            *("exec", "--user", "0", container),
            *("sh", "-c", "cat /proc/[0-9]*/environ | tr '\\0' '\\n'"),
        )
        assert "JUPYTERHUB" not in environment + str(there[container]["Config"]["Env"])
        assert "HEXHUB_" not in environment
    assert hub.open(student, PLAIN).status_code == 201
    (machine,) = hub.machines(student)
    assert machine in there
    assert student.open_lab(PLAIN).status_code == 200
    assert docker("exec", machine, "cat", "/home/student/work/sub/hello.txt") == "Hello from plain"
    assert docker("exec", machine, "stat", "-c", "%U", "/home/student/work/sub") == "student"
    assert docker("inspect", "-f", "{{.HostConfig.Memory}}", machine) == str(512 * 1024**2)
    assert machine not in until_some(hub)
    hub.stop_server(student, PLAIN)
    assert hub.open(student, PLAIN).status_code in (201, 202)
    assert hub.machines(student) == [machine]
    assert student.open_lab(PLAIN).status_code == 200


def test_nobody_shares_a_container(hub):
    """Three who press at once have three machines, though fewer waited."""
    until_some(hub)
    students = [Student(hub, f"crowd-{number}") for number in range(3)]
    presses = [threading.Thread(target=hub.open, args=(each, PLAIN)) for each in students]
    for press in presses:
        press.start()
    for press in presses:
        press.join()
    machines = [hub.machines(each) for each in students]
    assert [len(of_one) for of_one in machines] == [1, 1, 1]
    assert len({container for (container,) in machines}) == 3
    for each in students:
        assert each.open_lab(PLAIN).status_code == 200
        each.client.close()
    assert not [name for name in hub.containers().values() if ".claimed." in name]


def test_one_that_died_is_replaced(hub, student):
    """A lesson opens although all that waited are dead; others take their place."""
    dead = until_some(hub)
    docker("kill", *dead)
    assert hub.open(student, PLAIN).status_code in (201, 202)
    assert student.open_lab(PLAIN).status_code == 200
    assert not set(until_some(hub)) & set(dead)
    until(lambda: not set(hub.containers()) & set(dead), "the dead ones are gone", hub)


def test_a_lesson_published_anew_and_an_image_made_anew(hub, tmp_path):
    """What waits follows the catalog, without a restart, and the images that its names mean."""
    docker("tag", "hexhub/base", OWN_IMAGE)
    try:
        publish_trial_course(
            tmp_path, hub.state / "catalog", CourseName("late"), {"own": f"image: {OWN_IMAGE}\n"}
        )
        old = until(lambda: waiting(hub, OWN_IMAGE), "the new lesson is waited for", hub)
        docker("tag", "hexhub/python", OWN_IMAGE)
        new_id = docker("inspect", "-f", "{{.Id}}", OWN_IMAGE)
        new = until(
            lambda: {i: c for i, c in waiting(hub, OWN_IMAGE).items() if c["Image"] == new_id},
            "the new image is waited with",
            hub,
        )
        assert not set(new) & set(old)
        until(lambda: not set(hub.containers()) & set(old), "the old ones are gone", hub)
        publish_trial_course(tmp_path, hub.state / "catalog", CourseName("late"), {"own": ""})
        until(lambda: not set(hub.containers()) & set(new), "nobody waits for what is gone", hub)
    finally:
        docker("rmi", OWN_IMAGE, is_checked=False)


def test_a_killed_hub_finds_its_pool_again(hub, student):
    """The next hub gives away what the killed one made."""
    until_some(hub)
    hub.kill("hub")
    made = set(hub.containers())
    hub.wait_until_answers()
    # A hub that is new knows of no demand, and may keep fewer than there were: the newest, be it
    # one that was not ready yet.
    until_some(hub)
    until(lambda: hub.open(student, PLAIN).status_code in (201, 202), "the lesson opens", hub)
    (machine,) = hub.machines(student)
    assert machine in made


def press_until_the_hub_dies(hub: TrialHub, crash_at: Path, point: str) -> Student:
    """Let new students open the lesson until the hub comes by that point; give the one who did.

    What waits may be replaced between our look and the press; then the start makes a machine, and
    does not come by.
    """
    crash_at.write_text(point)
    for number in range(10):
        until_some(hub)
        student = Student(hub, f"{point.replace('.', '-')}-{number}")
        with contextlib.suppress(httpx.HTTPError):
            path = f"users/{student.name}/servers/{PLAIN}"
            answer = hub.ask("POST", path, json={"display_name": ""})
            # 503 is of the proxy, which finds no hub.
            assert (answer.status_code == 503) == (not crash_at.exists())
        if not crash_at.exists():
            return student
        student.client.close()
        hub.forget(student)
    raise AssertionError(f"of ten starts none came by {point}")


LEFT = {
    "claim.begun": {0},
    "claim.renamed": {1},
    "claim.furnished": {1},
    # What is told and what is laid in go side by side: either may come first.
    "claim.told": {0, 1},
    "claim.named": {0},
}
"""Where the hub dies → how many half-claimed containers it leaves."""


@pytest.mark.parametrize("point", LEFT)
def test_a_hub_killed_in_the_middle_of_a_claim(hub, crash_at, point):
    """However far it came, the student has one whole machine afterwards, and nothing is left."""
    student = press_until_the_hub_dies(hub, crash_at, point)
    try:
        left = [i for i, name in hub.containers().items() if ".claimed." in name]
        assert len(left) in LEFT[point]
        hub.wait_until_answers()
        until(
            lambda: not set(hub.containers()) & set(left), "what was half-claimed is removed", hub
        )
        until(lambda: hub.open(student, PLAIN).status_code in (201, 202), "the lesson opens", hub)
        (machine,) = hub.machines(student)
        assert machine not in left
        assert student.open_lab(PLAIN).status_code == 200
        assert (
            docker("exec", machine, "cat", "/home/student/work/sub/hello.txt") == "Hello from plain"
        )
        assert not [name for name in hub.containers().values() if ".claimed." in name]
    finally:
        student.client.close()
        hub.forget(student)


def test_nobodys_machines_end_with_hexhub(hub, student):
    """Ctrl-C and ``hexhub down`` remove what waits, count no machine of it, and touch no other."""
    until_some(hub)
    hub.open(student, PLAIN)
    machines = hub.machines(student)
    other = docker("create", "--name", waiting_name(secrets.token_hex(6), "0a"), "hexhub/base")
    try:
        hub.stop()
        assert not [name for name in hub.containers().values() if is_nobodys(name)]
        assert hub.machines(student, "--filter", "status=running") == machines
        name = waiting_name(hub.hub_id, "0b")
        docker("create", "--name", name, "--label", f"hexhub.hub={hub.hub_id}", "hexhub/base")
        running = len(hub.containers("--filter", "status=running"))
        down = subprocess.run(
            [HEXHUB, "down", "--state", str(hub.state)], check=True, capture_output=True, text=True
        )
        assert f"{running} machine(s) stopped" in down.stdout
        assert name not in hub.containers().values()
        assert hub.machines(student) == machines
        assert docker("inspect", "-f", "{{.State.Status}}", other) == "created"
    finally:
        docker("rm", other)
