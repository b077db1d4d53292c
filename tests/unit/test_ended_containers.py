"""How a container has ended, where Docker heard of the reason after the end."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
import requests

from hexhub.ended_containers import LATE_S, last_state

FINISHED_AT = "2026-11-24T10:00:00.25Z"
FINISHED_S = 1795514400.25
KILLED = {"Running": False, "ExitCode": 137, "OOMKilled": False, "FinishedAt": FINISHED_AT}
OUT_OF_MEMORY = b'{"Type":"container","Action":"oom"}\n'


class Docker:
    """Answers what the events of a container are, or not at all."""

    base_url = "http+docker://localhost"
    api_version = "1.41"
    timeout = 7

    def __init__(self, content: bytes = b"", status: int = 200, *, hangs: bool = False) -> None:
        self._content, self._status, self._hangs = content, status, hangs
        self.asked: list[tuple[str, Mapping[str, Any], object]] = []

    def get(self, url: str, *, params: Mapping[str, Any], timeout: object) -> requests.Response:
        """Stand for the session's."""
        self.asked.append((url, params, timeout))
        if self._hangs:
            raise requests.ReadTimeout
        answer = requests.Response()
        answer.status_code = self._status
        answer._content = self._content
        return answer


def state_of(docker: Docker, **changed: object) -> dict[str, Any]:
    """Give the last state of a container that was killed, with some of it changed."""
    container = {"Id": "c0ffee", "State": {**KILLED, **changed}}
    return last_state(docker, container)  # type: ignore[arg-type] # all that is used of it


def test_a_kill_for_memory_that_is_told_late_is_known() -> None:
    """The event that follows the end counts as if Docker had noted it in time."""
    docker = Docker(OUT_OF_MEMORY)
    assert state_of(docker) == {**KILLED, "OOMKilled": True}
    [(url, params, timeout)] = docker.asked
    assert url == "http+docker://localhost/v1.41/events"
    assert json.loads(params["filters"]) == {"container": ["c0ffee"], "event": ["oom"]}
    assert float(params["since"]) < FINISHED_S - 0.5
    assert float(params["until"]) == pytest.approx(FINISHED_S + LATE_S)
    assert timeout == docker.timeout


@pytest.mark.parametrize(
    "docker",
    [Docker(), Docker(b"\n"), Docker(OUT_OF_MEMORY, 500), Docker(hangs=True)],
    ids=["none", "nothing", "refused", "hangs"],
)
def test_a_kill_of_another_kind_stays_one(docker: Docker) -> None:
    """Without the event, or an answer, nothing is made up."""
    assert state_of(docker) == KILLED
    assert docker.asked


@pytest.mark.parametrize(
    "changed",
    [{"Running": True, "ExitCode": 0}, {"OOMKilled": True}, {"ExitCode": 0}, {"ExitCode": 143}],
    ids=lambda changed: ",".join(changed),
)
def test_what_is_clear_is_not_asked_for(changed: dict[str, object]) -> None:
    """Docker is asked nothing where its inspection says all."""
    docker = Docker(OUT_OF_MEMORY)
    assert state_of(docker, **changed) == {**KILLED, **changed}
    assert docker.asked == []


@pytest.mark.parametrize("finished_at", ["2026-11-24T10:00:00Z", "2026-11-24T10:00:00.123456789Z"])
def test_any_time_that_docker_writes_is_read(finished_at: str) -> None:
    """Docker writes as many digits of a second as there are."""
    docker = Docker()
    state_of(docker, FinishedAt=finished_at)
    [(_, params, _)] = docker.asked
    assert 0 <= float(params["until"]) - LATE_S - int(FINISHED_S) < 0.13
