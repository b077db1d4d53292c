import logging
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from jupyterhub.spawner import SpawnException

from hexhub.catalog.model import Isolation
from spawner.machine_site import MachineSite
from spawner.machine_start import MachineStart, Workshop
from spawner.starting_places import StartingPlaces
from tests.unit.spawner.test_container import LESSON

SITE = MachineSite("0123456789ab", "hexhub-012345", "hexhub-012345-isolated", holds_quota=False)
VM_LESSON = replace(LESSON, isolation=Isolation.VM)


class Docker:
    """Gives fixed answers, and keeps what it was asked for."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def call(self, method: str, *_: Any, **__: Any) -> Any:
        """Give the answer to a method of docker-py's ``APIClient``."""
        self.asked.append(method)
        return self.answers[method]


def start_of(lesson, docker: Docker) -> MachineStart:
    """Give a start for which no container waits."""
    pool = SimpleNamespace(take=lambda _arguments: None)
    shop = Workshop(docker, SITE, pool, None, logging.getLogger("test"), 60.0, StartingPlaces())
    arguments = SITE.arguments(lesson, "ada")
    return MachineStart(shop, lambda _phase: None, None, lesson, arguments, b"", "ada")


async def test_a_lesson_whose_runtime_lacks_is_not_started():
    """Docker is asked for its runtimes, and for no container."""
    docker = Docker(info={"Runtimes": {"runc": {"path": "runc"}}})
    with pytest.raises(SpawnException, match="stronger walls"):
        await start_of(VM_LESSON, docker).run(None)
    assert docker.asked == ["info"]


async def test_what_failed_is_stopped_where_it_was_there_before():
    """A student's own machine is never removed by a start that came to nothing."""
    docker = Docker(info={"Runtimes": {}}, stop=None)
    start = start_of(VM_LESSON, docker)
    state = {"Status": "exited", "Paused": False, "Running": False}
    with pytest.raises(SpawnException):
        await start.run({"Id": "c0ffee", "State": state, "HostConfig": {}})
    await start.clean_up()
    assert docker.asked == ["info", "stop"]
