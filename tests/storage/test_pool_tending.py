"""The pool as it looks after its containers: a real lock, and a Docker that is a list."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import APIError, NotFound

from hexhub.names import machine_name
from spawner.machine_site import MachineSite
from spawner.pool import MachinePool
from tests.unit.spawner.test_container import LESSON

HUB_ID = "0123456789ab"
SITE = MachineSite(HUB_ID, "hexhub-012345", "hexhub-012345-isolated", holds_quota=False)
CATALOG = SimpleNamespace(courses=lambda: [SimpleNamespace(lessons=[LESSON])])
ARGUMENTS = SITE.arguments(LESSON, "ada")


class ListedDocker:
    """As much of Docker as the pool asks for, in a list."""

    def __init__(self) -> None:
        self.there: dict[str, dict[str, Any]] = {}
        self.refused: set[str] = set()
        self.asked: list[str] = []
        self._numbers = 0

    async def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Do what a method of docker-py's ``APIClient`` does."""
        self.asked.append(method)
        await asyncio.sleep(0)
        if method in self.refused:
            raise APIError("refused")
        return getattr(self, f"_{method}")(*args, **kwargs)

    async def run(self, call: Callable[[], Any]) -> Any:
        """Give what a call gives."""
        return call()

    def names(self) -> list[str]:
        """Give the names of all containers."""
        return [str(each["Names"][0])[1:] for each in self.there.values()]

    def shares(self) -> list[int]:
        """Give the processor shares of all containers."""
        return [each["shares"] for each in self.there.values()]

    def _containers(self, *, filters: dict[str, list[str]], **_: Any) -> list[dict[str, Any]]:
        wanted = dict(label.split("=") for label in filters["label"])
        return [each for each in self.there.values() if each["Labels"].items() >= wanted.items()]

    def _inspect_image(self, image: str) -> dict[str, Any]:
        return {"Id": f"sha256:{image}"}

    def _create_container(self, **arguments: Any) -> dict[str, Any]:
        self._numbers += 1
        made = self.there[f"id{self._numbers}"] = {
            "Id": f"id{self._numbers}",
            "Names": [f"/{arguments['name']}"],
            "Labels": arguments["labels"],
            "ImageID": f"sha256:{arguments['image']}",
            "Created": time.time(),
            "State": "created",
            "shares": arguments["host_config"]["CpuShares"],
        }
        return made

    def _start(self, container: str) -> None:
        self.there[container]["State"] = "running"

    def _inspect_container(self, container: str) -> dict[str, Any]:
        found = self.there[container]
        networks = {"hexhub": {"IPAddress": "192.0.2.7"}}
        return {"Image": found["ImageID"], "NetworkSettings": {"Networks": networks}}

    def _logs(self, *_: Any, **__: Any) -> bytes:
        return b"[hexhub] Ready after 1.00 s, waiting for a student.\n"

    def _stats(self, *_: Any, **__: Any) -> dict[str, Any]:
        return {"memory_stats": {"usage": 50 * 1024**2, "stats": {}}}

    def _update_container(self, container: str, *, cpu_shares: int) -> None:
        self.there[container]["shares"] = cpu_shares

    def _remove_container(self, name: str, **_: Any) -> None:
        found = [i for i, each in self.there.items() if each["Names"] == [f"/{name}"]]
        if not found:
            raise NotFound("gone")
        del self.there[found[0]]


@pytest.fixture
async def docker() -> ListedDocker:
    """Give a Docker with nothing in it."""
    return ListedDocker()


@pytest.fixture
async def make(tmp_path: Path, docker: ListedDocker) -> AsyncIterator[Callable[..., MachinePool]]:
    """Give what makes a pool of one container, as a hub does when it starts."""
    made: list[MachinePool] = []

    def make_pool(**settings: Any) -> MachinePool:
        quick = {"quiet_s": 0.0, "look_s": 0.01, "busy_load": 1e9, "free_memory": 0}
        pool = MachinePool(docker, SITE, CATALOG, tmp_path, **{**quick, **settings})  # type: ignore[arg-type]
        made.append(pool)
        return pool

    yield make_pool
    for pool in made:
        await pool.stop()


async def until(claim: Callable[[], object]) -> None:
    """Wait until something is so."""
    deadline_s = time.monotonic() + 60
    while not claim():
        assert time.monotonic() < deadline_s
        await asyncio.sleep(0.005)


async def test_one_is_made_and_waits_with_a_students_share(docker, make):
    """It loads with a small share of the processor, and gets a student's before it is given away.

    So a claim has no limits to change.
    """
    pool = make()
    await pool.begin()
    await until(lambda: docker.shares() == [1024])
    taken = pool.take(ARGUMENTS)
    assert taken is not None
    assert taken.limits["CpuShares"] == 1024


async def test_where_the_share_cannot_be_changed_the_claim_is_told(docker, make):
    """One that kept its small share is given away as what it is."""
    docker.refused = {"update_container"}
    pool = make()
    await pool.begin()
    await until(lambda: "update_container" in docker.asked)
    looks = docker.asked.count("containers")
    await until(lambda: docker.asked.count("containers") > looks)
    taken = pool.take(ARGUMENTS)
    assert taken is not None
    assert taken.limits["CpuShares"] < 1024


async def test_the_next_hub_finds_what_waits_by_its_labels(docker, make):
    """Before its first student, and without making another one."""
    first = make()
    await first.begin()
    await until(lambda: docker.shares() == [1024])
    await first.stop()
    (there,) = docker.there
    second = make()
    await second.begin()
    taken = second.take(ARGUMENTS)
    assert taken is not None
    assert taken.id == there


async def test_of_two_hubs_one_has_the_pool(docker, make):
    """The other one neither makes nor gives away anything, as long as the first one lives."""
    first, second = make(), make()
    await first.begin()
    await until(lambda: docker.shares() == [1024])
    await second.begin()
    assert second.take(ARGUMENTS) is None


@pytest.mark.parametrize("fate", ["died", "grew old"])
async def test_one_that_dies_or_grows_old_is_replaced(docker, make, fate):
    """Another one waits in its place."""
    pool = make()
    await pool.begin()
    await until(lambda: docker.shares() == [1024])
    (old,) = docker.there
    if fate == "died":
        docker.there[old]["State"] = "exited"
    else:
        docker.there[old]["Created"] -= 7 * 3600
    await until(lambda: old not in docker.there and docker.shares() == [1024])


async def test_what_is_not_the_pools_is_left_alone(docker, make):
    """A student's machine has the labels of a container that waited, and is never removed."""
    pool = make()
    await pool.begin()
    await until(lambda: docker.shares() == [1024])
    taken = pool.take(ARGUMENTS)
    assert taken is not None
    docker.there[taken.id]["Names"] = [f"/{machine_name(HUB_ID, 'ada', LESSON.server_name)}"]
    docker.there[taken.id]["Created"] -= 7 * 3600
    pool.forget(taken)
    await until(lambda: len(docker.there) == 2)
    looks = docker.asked.count("containers")
    await until(lambda: docker.asked.count("containers") > looks + 3)
    assert taken.id in docker.there
    assert json.loads(docker.there[taken.id]["Labels"]["hexhub.limits"])


async def test_students_without_end_do_not_starve_the_pool(docker, make):
    """While somebody starts in every moment, one is made all the same."""
    pool = make(patience_s=0.02)
    await pool.begin()
    await until(lambda: docker.shares() == [1024])
    with pool.busy():
        assert pool.take(ARGUMENTS) is not None
        await until(lambda: len(docker.there) == 2)
