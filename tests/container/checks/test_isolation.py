"""Lessons that ask for stronger walls: with the administrator's runtime, or not at all."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import docker
import pytest

from hexhub.catalog.model import Isolation, Lesson
from hexhub.checks.containers import HUB_LABEL
from hexhub.checks.engine import Engine
from hexhub.checks.trial_machine import trial_machine
from hexhub.errors import CheckError
from hexhub.usecases.weaken_trial import weaken_trial

RUNTIMES = {Isolation.GVISOR: "runc", Isolation.VM: "a-runtime-that-is-nowhere"}
"""What every Docker has stands for gVisor here: only that Docker is told its name is tried."""


@pytest.fixture
def walled(client: docker.APIClient) -> Iterator[Engine]:
    """Docker of an administrator who has named runtimes; it must leave no container."""
    made = Engine("walled", runtimes=RUNTIMES)
    yield made
    made.close()
    assert client.containers(all=True, filters={"label": f"{HUB_LABEL}={made.hub_id}"}) == []


def test_a_machine_has_the_runtime_that_the_administrator_named(
    walled: Engine, client: docker.APIClient, make_lesson: Callable[..., Lesson]
) -> None:
    """Docker makes it with that one, and the trial of it is not weakened."""
    lesson = replace(make_lesson(), isolation=Isolation.GVISOR)
    assert weaken_trial(walled, lesson, pytest.fail) == lesson
    with trial_machine(walled, lesson, {}) as machine:
        assert client.inspect_container(machine)["HostConfig"]["Runtime"] == "runc"


def test_without_the_runtime_nothing_of_a_student_runs(
    walled: Engine, make_lesson: Callable[..., Lesson]
) -> None:
    """What is not there is refused by name; only an author's own trial goes on, and is warned."""
    lesson = replace(make_lesson(), isolation=Isolation.VM)
    with (
        pytest.raises(CheckError, match="a-runtime-that-is-nowhere"),
        trial_machine(walled, lesson, {}),
    ):
        pytest.fail("a machine was made")
    said: list[str] = []
    assert weaken_trial(walled, lesson, said.append).isolation is Isolation.CONTAINER
    assert "students cannot open it here" in said[0]
