"""Who changes a machine does so alone: a start, a reset and its undo wait for each other.

Docker's calls here take some turns of the event loop each, so that whatever may come between them
does, and in the same way every time.
"""

import asyncio
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from docker.errors import APIError, NotFound
from jupyterhub.spawner import SpawnException

from hexhub.errors import NothingToUndo
from spawner.lesson_spawner import LessonSpawner
from tests.unit.spawner.test_lesson_spawner import ENDED, make_spawner

HUB_ID = "moving"
VERBS = ("start", "put_aside", "take_back")


class Docker:
    """Has one machine of each student, and starts and makes none."""

    def __init__(self) -> None:
        self.gone: set[str] = set()

    def inspect_container(self, name):
        """Give a machine that was stopped, unless it was put aside."""
        if name in self.gone:
            raise NotFound(name)
        state = {"Status": "exited", "Paused": False, **ENDED}
        return {"Id": name, "State": state, "HostConfig": {}}

    def containers(self, **_):
        """Nothing was put aside yet."""
        return []

    def rename(self, name, _new_name):
        """Put a machine aside."""
        self.gone.add(name)

    def start(self, name):
        """Refuse, so that the start has to clean up."""
        raise APIError(f"{name} is not started here")

    def create_container(self, **_):
        """Refuse, too."""
        raise APIError("none is made here")

    def stop(self, name, **_):
        """Find it stopped."""
        self.inspect_container(name)


class Turns:
    """Calls Docker as ``DockerThreads`` does, and notes whose call begins or ends."""

    def __init__(self, docker: Docker, noted: list[int], number: int) -> None:
        self.docker, self.noted, self.number = docker, noted, number

    async def call(self, method, *args, **kwargs):
        """Call one method."""
        return await self.with_client(lambda docker: getattr(docker, method)(*args, **kwargs))

    async def with_client(self, call):
        """Call what calls several."""
        self.noted.append(self.number)
        try:
            for _ in range(10):
                await asyncio.sleep(0)
            return call(self.docker)
        finally:
            self.noted.append(self.number)


@pytest.fixture
def press(monkeypatch: pytest.MonkeyPatch):
    """Give what presses two buttons at once and gives whose calls Docker had: 1, 1, 2 …"""
    pool = SimpleNamespace(start=lambda: None, busy=nullcontext, take=lambda _: None)
    monkeypatch.setitem(LessonSpawner._pools, HUB_ID, pool)

    async def press(*presses: tuple[str, str]) -> list[int]:
        docker, noted, doing = Docker(), [], []
        for number, (user, verb) in enumerate(presses, 1):
            # One of its own each: JupyterHub may make a second spawner for a machine.
            spawner = make_spawner(user=user)
            spawner.hub_id = HUB_ID
            spawner.docker_threads = Turns(docker, noted, number)
            spawner._message = lambda _: b""
            doing.append(getattr(spawner, verb)())
        for outcome in await asyncio.gather(*doing, return_exceptions=True):
            assert outcome is None or isinstance(outcome, SpawnException | NothingToUndo), outcome
        assert set(noted) == {1, 2}
        return noted

    return press


@pytest.mark.parametrize("first", VERBS)
@pytest.mark.parametrize("second", VERBS)
async def test_one_machine_is_changed_by_one_at_a_time(press, first, second):
    """Of two that are pressed at once, the second begins when the first has ended and cleaned up.

    Else a reset would take a container away that a start has just found.
    """
    user = f"{first}-{second}"
    noted = await press((user, first), (user, second))
    assert noted == sorted(noted)


async def test_students_do_not_wait_for_each_other(press):
    """While one student's machine starts, another one's is reset."""
    noted = await press(("ada", "start"), ("grace", "put_aside"))
    assert noted != sorted(noted)
