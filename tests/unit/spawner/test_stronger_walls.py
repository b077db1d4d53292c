import logging
from dataclasses import replace

import pytest
from jupyterhub.spawner import SpawnException

from hexhub.catalog.model import Isolation
from hexhub.runtimes import USUAL_RUNTIMES
from hexhub.service.pages.text import messages
from spawner.machine_site import MachineSite
from spawner.stronger_walls import expect_runtime

from .test_container import LESSON

PLAIN_DOCKER = {"Runtimes": {"runc": {"path": "runc"}}}
WITH_GVISOR = {"Runtimes": {"runc": {"path": "runc"}, "runsc": {"path": "/usr/bin/runsc"}}}
GVISOR = replace(LESSON, isolation=Isolation.GVISOR)


async def expect(lesson, made_with=None, info=WITH_GVISOR):
    """Ask whether the lesson opens; ``made_with`` is the runtime of the machine that is there."""

    async def ask_info():
        return info

    container = None if made_with is None else {"HostConfig": {"Runtime": made_with}}
    await expect_runtime(
        lesson,
        container,
        ask_info=ask_info,
        runtimes=USUAL_RUNTIMES,
        log=logging.getLogger("test"),
    )


@pytest.mark.parametrize("isolation", [Isolation.GVISOR, Isolation.VM])
async def test_a_lesson_whose_runtime_lacks_is_refused(isolation):
    """The student reads that it cannot be made here, in their language."""
    with pytest.raises(SpawnException) as caught:
        await expect(replace(LESSON, isolation=isolation), info=PLAIN_DOCKER)
    assert caught.value.message == messages("en")["refusal.runtime"]
    assert "стен" in messages("ru")["refusal.runtime"]


async def test_a_machine_with_weaker_walls_is_not_resumed():
    """A lesson that asks for more than it did refuses the machine it had."""
    with pytest.raises(SpawnException) as caught:
        await expect(GVISOR, made_with="runc")
    assert caught.value.message == messages("en")["refusal.runtime_older"]


async def test_what_is_as_strong_as_asked_for_opens():
    """A new machine, one with the right runtime, and one with stronger walls than it needs."""
    await expect(GVISOR)
    await expect(GVISOR, made_with="runsc")
    await expect(LESSON, made_with="runsc", info={})


def test_docker_is_told_the_runtime():
    """The administrator's name for it, and nothing for a plain container."""
    site = MachineSite("0123456789ab", "inner", "outer", holds_quota=False)
    assert site.arguments(GVISOR, "ada")["host_config"]["Runtime"] == "runsc"
    assert "Runtime" not in site.arguments(LESSON, "ada")["host_config"]
