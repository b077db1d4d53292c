"""Docker is not running, or hangs: students are told so, soon, and nobody else is held up."""

import threading
from collections.abc import Iterator

import pytest

from hexhub.names import machine_name
from tests.faults.docker_relay import DockerRelay, Mode
from tests.faults.worker_process import wait_for
from tests.hub.trial_courses import server_of
from tests.hub.trial_hub import Student, TrialHub

PLAIN = server_of("plain")
UNTOLD = "Docker does not tell how"
IMPATIENT = """
c.Spawner.poll_interval = 2
c.LessonSpawner.docker_timeout_s = 15
"""
"""JupyterHub asks after each running server every 2 s instead of every 30."""


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerRelay]:
    """Give a Docker socket that can be made to fail."""
    relay = DockerRelay(tmp_path_factory.mktemp("docker") / "docker.sock")
    yield relay
    relay.close()


@pytest.fixture(scope="module")
def hub(relay: DockerRelay, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialHub]:
    """Give a HexHub that reaches Docker through that socket only."""
    running = TrialHub(
        tmp_path_factory.mktemp("hexhub"), {"DOCKER_HOST": relay.url}, config=IMPATIENT
    )
    try:
        running.start()
        yield running
    finally:
        running.remove()


@pytest.mark.parametrize("mode", [Mode.CLOSED, Mode.SILENT])
def test_docker_away(hub, relay, mode):
    """A start is refused with a sentence; machines that run go on; later all is well."""
    working = Student(hub, f"working-{mode.value}")
    opening = Student(hub, f"opening-{mode.value}")
    assert hub.open(working, PLAIN).status_code in (201, 202)
    assert working.open_lab(PLAIN).status_code == 200
    relay.switch(mode)
    try:
        answer = hub.open(opening, PLAIN)
        assert answer.status_code == 503
        assert answer.json()["message"].startswith("Docker is not running on this computer")
        assert hub.ask("GET", f"users/{working.name}").status_code == 200
        # JupyterHub asks after each running server again and again; none is lost by that.
        asked = hub.log("hub").count(UNTOLD)
        wait_for(lambda: hub.log("hub").count(UNTOLD) > asked)
        assert hub.ask("GET", f"users/{working.name}/servers/{PLAIN}").json()["ready"]
        assert working.open_lab(PLAIN).status_code == 200
    finally:
        relay.switch(Mode.RELAY)
    assert hub.open(opening, PLAIN).status_code in (201, 202)
    assert opening.open_lab(PLAIN).status_code == 200
    assert len(hub.machines(opening)) == 1
    for student in (working, opening):
        student.client.close()


def test_one_machine_hangs_in_docker(hub, relay):
    """Whose machine Docker does not speak of waits, and is told; another one's start passes by."""
    stuck, other = Student(hub, "stuck"), Student(hub, "other")
    assert hub.open(stuck, PLAIN).status_code in (201, 202)
    hub.stop_server(stuck, PLAIN)
    answers: list[int] = []
    relay.hang(machine_name(hub.hub_id, stuck.name, PLAIN))
    try:
        opening = threading.Thread(
            target=lambda: answers.append(hub.open(stuck, PLAIN).status_code)
        )
        opening.start()
        wait_for(lambda: relay.is_holding)
        assert hub.open(other, PLAIN).status_code in (201, 202)
        assert other.open_lab(PLAIN).status_code == 200
        assert any("/containers/create?" in line for line in relay.passed)
        opening.join()
        assert answers == [503]
    finally:
        relay.let_go()
    assert hub.open(stuck, PLAIN).status_code in (201, 202)
    assert stuck.open_lab(PLAIN).status_code == 200
    for student in (stuck, other):
        student.client.close()
