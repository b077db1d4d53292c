"""A HexHub whose Docker is on another computer, reached by TCP with TLS."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hexhub.names import machine_name
from tests.hub.second_docker import HUB_ADDRESS, SecondDocker
from tests.hub.terminal import Terminal
from tests.hub.trial_courses import all_servers, server_of
from tests.hub.trial_hub import Student, TrialHub

PLAIN, BOUNDED = server_of("plain"), server_of("bounded")
FILL = "dd if=/dev/zero of=full bs=1M"
SIZE = ("sh", "-c", "du --block-size=1M /home/student/work/full | cut -f1")


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecondDocker]:
    docker = SecondDocker(tmp_path_factory.mktemp("docker"))
    try:
        docker.start()
        docker.take_image("hexhub/base")
        yield docker
    finally:
        docker.remove()


@pytest.fixture(scope="module")
def remote_hub(
    second: SecondDocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TrialHub]:
    folder = tmp_path_factory.mktemp("hexhub")
    hub = TrialHub(folder, {**second.environment, "HEXHUB_GATE_ADDRESS": HUB_ADDRESS})
    try:
        hub.start()
        yield hub
    finally:
        hub.remove()


def machines(second: SecondDocker, hub: TrialHub, student: Student, *more: str) -> list[str]:
    """Give the ids of a student's containers on the second Docker."""
    names = [f"name=^{machine_name(hub.hub_id, student.name, server)}$" for server in all_servers()]
    filters = [word for name in names for word in ("--filter", name)]
    return second.docker("ps", "--all", "--quiet", "--no-trunc", *filters, *more).split()


@pytest.fixture
def visitor(remote_hub: TrialHub) -> Iterator[Student]:
    student = Student(remote_hub, "far-away")
    yield student
    student.client.close()


@pytest.fixture
def neighbour(remote_hub: TrialHub) -> Iterator[Student]:
    student = Student(remote_hub, "neighbour")
    yield student
    student.client.close()


@pytest.mark.timeout(600)
def test_the_life_of_a_machine_elsewhere(
    second: SecondDocker, remote_hub: TrialHub, visitor: Student
) -> None:
    """Start, stop, resume and delete are as on the hub's own computer, through log-in and all."""
    started = remote_hub.open(visitor, PLAIN)
    assert started.status_code == 201, started.text
    page = visitor.open_lab(PLAIN)
    assert page.status_code == 200
    assert "jupyter-config-data" in page.text
    (machine,) = machines(second, remote_hub, visitor)
    second.docker("exec", machine, "sh", "-c", "echo kept > /var/tmp/kept")
    assert second.docker("exec", machine, "cat", "/home/student/work/sub/hello.txt")

    remote_hub.stop_server(visitor, PLAIN)
    assert machines(second, remote_hub, visitor, "--filter", "status=exited") == [machine]
    assert remote_hub.open(visitor, PLAIN).status_code == 201
    assert machines(second, remote_hub, visitor, "--filter", "status=running") == [machine]
    assert second.docker("exec", machine, "cat", "/var/tmp/kept") == "kept"
    assert visitor.open_lab(PLAIN).status_code == 200

    remote_hub.stop_server(visitor, PLAIN)
    remote_hub.ask(
        "DELETE", f"users/{visitor.name}/servers/{PLAIN}", json={"remove": True}
    ).raise_for_status()
    assert machines(second, remote_hub, visitor) == []


@pytest.mark.timeout(600)
def test_a_lesson_without_network_is_refused_elsewhere(
    second: SecondDocker, remote_hub: TrialHub, visitor: Student
) -> None:
    """Such a machine could not reach HexHub, which is said and not found out by waiting."""
    server = server_of("isolated")
    answer = remote_hub.open(visitor, server)
    assert answer.status_code == 503
    assert "need Docker on the computer of HexHub itself" in answer.json()["message"]
    assert machines(second, remote_hub, visitor) == []


@pytest.mark.timeout(600)
def test_without_the_gates_address_the_start_says_what_lacks(
    second: SecondDocker, tmp_path: Path
) -> None:
    """A Docker that is elsewhere needs the address at which machines find this computer."""
    hub = TrialHub(tmp_path / "hexhub", second.environment)
    try:
        with pytest.raises(AssertionError, match="HEXHUB_GATE_ADDRESS"):
            hub.start()
        hub.process = None
    finally:
        hub.remove()


@pytest.mark.timeout(600)
def test_a_client_without_certificate_is_not_heard(second: SecondDocker) -> None:
    """The connection is the one with TLS: without our certificate there is none."""
    asked = subprocess.run(
        ["docker", "version"],
        env={"PATH": "/usr/bin:/bin", "DOCKER_HOST": second.environment["DOCKER_HOST"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert asked.returncode != 0


@pytest.mark.timeout(600)
def test_a_full_machine_is_told_so_and_disturbs_nobody(
    second: SecondDocker, remote_hub: TrialHub, visitor: Student, neighbour: Student
) -> None:
    """On a disk that can hold quotas: the limit is the lesson's, whatever its image takes.

    The student is told it, the next one can write, and a full machine stops and starts again.
    """
    for student in (visitor, neighbour):
        assert remote_hub.open(student, BOUNDED).status_code == 201
    terminal = Terminal(visitor, BOUNDED)
    # Two write into the terminal, the command and the watch of limits, and either may be first.
    terminal.type(FILL, until="disk is full (64 MB)", and_until="Disk quota exceeded")
    (full,) = machines(second, remote_hub, visitor)
    (other,) = machines(second, remote_hub, neighbour)
    assert 40 < int(second.docker("exec", full, *SIZE)) < 160
    second.docker("exec", other, "dd", "if=/dev/zero", "of=mine", "bs=1M", "count=40")

    remote_hub.stop_server(visitor, BOUNDED)
    assert remote_hub.open(visitor, BOUNDED).status_code == 201
    assert visitor.open_lab(BOUNDED).status_code == 200
    terminal = Terminal(visitor, BOUNDED)
    terminal.type("rm full && echo new > new && echo removed=$((6*7))", until="removed=42")
