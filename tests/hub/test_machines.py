"""A student's machine, from the open door to the end, on a real JupyterHub and a real Docker."""

import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hexhub.names import machine_name
from tests.hub.trial_courses import CLOSED_COURSE, server_of
from tests.hub.trial_hub import WAIT_S, Student, TrialHub, docker

PLAIN = server_of("plain")
ROOTED = server_of("rooted")


def only_machine(hub: TrialHub, student: Student) -> str:
    """Give the id of the student's one container."""
    machines = hub.machines(student)
    assert len(machines) == 1
    return machines[0]


def open_for_all(hub: TrialHub, server: str) -> Iterator[str]:
    """Give a machine of somebody's, for tests that only look at it."""
    student = Student(hub, f"looked-at-{server}")
    assert hub.open(student, server).status_code in (201, 202)
    yield only_machine(hub, student)
    student.client.close()
    hub.forget(student)


@pytest.fixture(scope="module")
def plain_machine(hub: TrialHub) -> Iterator[str]:
    """Give the id of a machine of the plain lesson, to be looked at."""
    yield from open_for_all(hub, PLAIN)


@pytest.fixture(scope="module")
def rooted_machine(hub: TrialHub) -> Iterator[str]:
    """Give the id of another student's machine, who is root in it, to be looked at."""
    yield from open_for_all(hub, ROOTED)


def test_a_lesson_opens(hub, student):
    """Opening a lesson ends in JupyterLab, in a container with the starter in it."""
    assert hub.open(student, PLAIN).status_code in (201, 202)
    page = student.open_lab(PLAIN)
    assert page.status_code == 200
    assert "jupyter-config-data" in page.text
    machine = only_machine(hub, student)
    assert docker("exec", machine, "cat", "/home/student/work/sub/hello.txt") == "Hello from plain"
    assert docker("exec", machine, "stat", "-c", "%U", "/home/student/work/sub") == "student"


def test_commits_of_the_hub_are_quick(hub):
    """JupyterHub's own database has a write-ahead log: each start commits about ten times."""
    with contextlib.closing(sqlite3.connect(hub.state / "jupyterhub.sqlite")) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_start_is_no_change_of_the_hosts_network(hub, plain_machine):
    """The host's end of a machine's network gets no address: browsers here would drop requests."""
    assert docker("inspect", "--format", "{{.State.Running}}", plain_machine) == "true"
    bridge = f"hx{(hub.state / 'secrets' / 'hub-id').read_text()[:6]}"
    ports = [port.name for port in Path(f"/sys/class/net/{bridge}/brif").iterdir()]
    assert ports
    for name in (bridge, *ports):
        assert Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").read_text() == "1\n"


def test_the_phases_are_told(hub, student):
    """The stream of progress tells the phases of a start in plain words."""
    asked = hub.ask("POST", f"users/{student.name}/servers/{PLAIN}", json={"display_name": "x"})
    assert asked.status_code in (201, 202)
    hub.stop_server(student, PLAIN)
    hub.ask("PUT", f"users/{student.name}/servers/{PLAIN}")
    started = hub.ask("POST", f"users/{student.name}/servers/{PLAIN}", json={"display_name": "x"})
    assert started.status_code in (201, 202)
    stream = hub.ask("GET", f"users/{student.name}/servers/{PLAIN}/progress").text
    last = json.loads(stream.strip().splitlines()[-1].removeprefix("data: "))
    assert last["ready"]


STUDENTS_OPTIONS = (
    {"image": "debian:trixie-slim"},
    {"mounts": [{"source": "/", "target": "/host", "type": "bind"}]},
    {"extra_host_config": {"privileged": True}},
)


def test_students_choose_no_image_and_no_mounts(hub, student):
    """What a student puts into user_options is refused, makes no container and does not stay."""
    path = f"users/{student.name}/servers/{PLAIN}"
    for options in STUDENTS_OPTIONS:
        answer = student.post(path, {"user_options": options})
        assert answer.status_code == 400
        assert next(iter(options)) in answer.json()["message"]
        assert hub.machines(student) == []
    assert hub.open(student, PLAIN).status_code in (201, 202)
    inspected = json.loads(docker("inspect", only_machine(hub, student)))[0]
    assert inspected["Config"]["Image"] == "hexhub/base"
    assert inspected["Mounts"] == []
    assert inspected["HostConfig"]["Privileged"] is False


@pytest.mark.parametrize(
    ("path", "status", "word"),
    [
        ("servers/nothing-01234567", 404, "nothing-01234567"),
        ("server", 400, "lesson"),
        (f"servers/{server_of('secret', CLOSED_COURSE)}", 403, "groups"),
        (f"servers/{server_of('imageless')}", 503, "make images"),
        (f"servers/{server_of('walled')}", 503, "stronger walls"),
    ],
)
def test_what_cannot_be_opened_is_refused_with_a_reason(hub, student, path, status, word):
    """No such lesson, not for these groups, no image, no runtime: each has its plain sentence."""
    answer = student.post(f"users/{student.name}/{path}", {"user_options": {}})
    assert answer.status_code == status
    assert word in answer.json()["message"]
    assert hub.machines(student) == []


def test_members_of_the_group_open_its_course(hub):
    """A course that is closed to others opens for its group."""
    grace = Student(hub, "grace")
    assert hub.open(grace, server_of("secret", CLOSED_COURSE)).status_code in (201, 202)
    grace.client.close()


@pytest.mark.parametrize("name", ["ада лавлейс", "o'brien+1@example.org", "a" * 120])
def test_any_user_name_has_a_machine(hub, name):
    """Whatever JupyterHub accepts as a user name opens a lesson."""
    person = Student(hub, name)
    assert hub.open(person, PLAIN).status_code in (201, 202)
    only_machine(hub, person)
    hub.stop_server(person, PLAIN)
    person.client.close()


INSTALL = """
mkdir -p /tmp/hello/DEBIAN /tmp/hello/usr/bin
printf '#!/bin/sh\\necho Hello, world!\\n' >/tmp/hello/usr/bin/hello-trial
chmod 755 /tmp/hello/usr/bin/hello-trial
cat >/tmp/hello/DEBIAN/control <<'END'
Package: hello-trial
Version: 1
Architecture: all
Maintainer: Nobody <nobody@localhost>
Description: a trial
END
dpkg-deb --build --root-owner-group /tmp/hello /tmp/hello.deb >/dev/null
apt-get install -y -qq /tmp/hello.deb >/dev/null 2>&1
hello-trial
"""
"""Installs a package with apt, one that is made on the spot: no mirror is asked."""


def test_a_machine_stays_as_it_was(hub, student):
    """After stop and start it is the same container, with what apt and the student put there."""
    hub.open(student, ROOTED)
    machine = only_machine(hub, student)
    docker("exec", machine, "sh", "-ec", INSTALL)
    docker("exec", machine, "sh", "-c", "echo mine > /root/work/mine.txt")
    hub.stop_server(student, ROOTED)
    assert hub.open(student, ROOTED).status_code in (201, 202)
    assert only_machine(hub, student) == machine
    assert docker("exec", machine, "hello-trial") == "Hello, world!"
    assert docker("exec", machine, "dpkg-query", "-W", "-f", "${Status}", "hello-trial") == (
        "install ok installed"
    )
    assert docker("exec", machine, "cat", "/root/work/mine.txt") == "mine"
    assert student.open_lab(ROOTED).status_code == 200


def test_no_token_in_what_docker_knows(plain_machine):
    """Neither inspection, nor the first process's environment, nor the log has the token."""
    inspected = docker("inspect", plain_machine)
    environment = docker("exec", plain_machine, "cat", "/proc/1/environ")
    logs = docker("logs", plain_machine)
    for place in (inspected, environment, logs):
        assert "API_TOKEN" not in place
        assert "JUPYTERHUB_" not in place


def test_a_root_that_can_do_little(rooted_machine):
    """Root in a machine has the stated capabilities only, gains none, and mounts nothing."""
    status = docker("exec", rooted_machine, "cat", "/proc/self/status")
    found = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    capabilities = (0, 1, 3, 5, 6, 7, 10)  # linux/capability.h
    assert int(found["CapEff"], 16) == sum(1 << number for number in capabilities)
    assert found["CapBnd"] == found["CapEff"]
    assert found["NoNewPrivs"] == "1"
    for command in ("mount -t tmpfs none /mnt", "unshare -m true", "unshare -U true"):
        refused = docker("exec", rooted_machine, "sh", "-c", f"{command} 2>/dev/null || echo no")
        assert refused == "no"


CONNECT = (
    "import socket,sys\n"
    "try: socket.create_connection((sys.argv[1], int(sys.argv[2])), 3); print('open')\n"
    "except OSError: print('closed')"
)


def can_connect(machine: str, address: str, port: int) -> bool:
    """Tell whether a program in the machine reaches a TCP port."""
    arguments = ("exec", machine, "/opt/hexhub/bin/python", "-c", CONNECT, address, str(port))
    return docker(*arguments) == "open"


def address_of(machine: str) -> str:
    """Give the machine's address on its only network."""
    form = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.Gateway}}{{end}}"
    return docker("inspect", "--format", form, machine)


def test_machines_are_alone(hub, plain_machine, rooted_machine):
    """A student's machine reaches the one door of HexHub, no other machine and no other port."""
    mine, theirs = plain_machine, rooted_machine
    their_address, gateway = address_of(theirs).split()
    ports = json.loads((hub.state / "ports.json").read_text())
    assert can_connect(theirs, "127.0.0.1", 8888)
    assert not can_connect(mine, their_address, 8888)
    assert can_connect(mine, gateway, ports["gate"])
    for closed in ("hub", "web", "proxy-api"):
        assert not can_connect(mine, gateway, ports[closed])
    assert not can_connect(mine, gateway, hub.port)


def test_machines_do_not_learn_whose_the_others_are(plain_machine, rooted_machine):
    """Docker's name server tells every machine what the others are called, which says nothing."""
    address, _ = address_of(rooted_machine).split()
    told = docker("exec", plain_machine, "getent", "hosts", address, is_checked=False)
    assert "looked-at" not in told
    assert "rooted" not in told


def test_without_the_internet(hub, student):
    """A lesson without a network works, reaches HexHub's door and nothing beyond the host."""
    server = server_of("isolated")
    assert hub.open(student, server).status_code in (201, 202)
    assert student.open_lab(server).status_code == 200
    machine = only_machine(hub, student)
    _, gateway = address_of(machine).split()
    ports = json.loads((hub.state / "ports.json").read_text())
    assert can_connect(machine, gateway, ports["gate"])
    lookup = "getent hosts deb.debian.org || echo unknown"
    assert docker("exec", machine, "timeout", "20", "sh", "-c", lookup) == "unknown"
    assert not can_connect(machine, "192.0.2.77", 80)


def test_a_machine_the_hub_does_not_know_is_used(hub, student):
    """A container that runs unknown to the hub is started afresh and stays the only one."""
    hub.open(student, PLAIN)
    machine = only_machine(hub, student)
    hub.stop_server(student, PLAIN)
    docker("start", machine)
    assert hub.open(student, PLAIN).status_code in (201, 202)
    assert only_machine(hub, student) == machine
    assert student.open_lab(PLAIN).status_code == 200


def test_a_machine_half_made_is_made_again(hub, student):
    """A container that was made and never started, as a killed hub leaves it, is replaced."""
    name = machine_name((hub.state / "secrets" / "hub-id").read_text(), student.name, PLAIN)
    half_made = docker("create", "--name", name, "hexhub/base")
    assert hub.open(student, PLAIN).status_code in (201, 202)
    machine = only_machine(hub, student)
    assert machine != half_made
    assert docker("exec", machine, "cat", "/home/student/work/sub/hello.txt") == "Hello from plain"


def test_a_machine_that_died_opens_again(hub, student):
    """After the container was killed from outside, opening the lesson starts it again."""
    hub.open(student, PLAIN)
    machine = only_machine(hub, student)
    docker("kill", machine)
    assert hub.open(student, PLAIN).status_code in (201, 202)
    assert only_machine(hub, student) == machine
    assert student.open_lab(PLAIN).status_code == 200


def test_a_paused_machine_opens_again(hub, student):
    """A container that somebody has paused is stopped and started."""
    hub.open(student, PLAIN)
    machine = only_machine(hub, student)
    hub.stop_server(student, PLAIN)
    docker("start", machine)
    docker("pause", machine)
    assert hub.open(student, PLAIN).status_code in (201, 202)
    assert only_machine(hub, student) == machine


def test_too_little_memory_is_said(hub, student):
    """A new machine that ends while it starts says so, with the reason, and leaves nothing."""
    answer = hub.open(student, server_of("cramped"))
    assert answer.status_code == 500
    assert "out of memory (16 MB)" in answer.json()["message"]
    assert hub.machines(student) == []


def test_a_deleted_server_takes_its_machine_along(hub, student):
    """Removing the server for good removes the container."""
    hub.open(student, PLAIN)
    hub.stop_server(student, PLAIN, remove=True)
    deadline = time.monotonic() + WAIT_S
    while hub.machines(student) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert hub.machines(student) == []


def test_a_start_that_is_stopped_leaves_nothing_running(hub, student):
    """Stopping a server while it starts leaves no container that runs."""
    path = f"users/{student.name}/servers/{PLAIN}"
    asking = threading.Thread(target=hub.ask, args=("POST", path), kwargs={"json": {}})
    asking.start()
    deadline = time.monotonic() + WAIT_S
    while not hub.machines(student) and time.monotonic() < deadline:
        time.sleep(0.02)
    hub.ask("DELETE", path)
    asking.join()
    deadline = time.monotonic() + WAIT_S
    while hub.machines(student, "--filter", "status=running") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert hub.machines(student, "--filter", "status=running") == []
    assert hub.open(student, PLAIN).status_code in (201, 202)
    assert len(hub.machines(student)) == 1
