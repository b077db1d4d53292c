"""The honest course, and a sandbox in which cheats are tried on it."""

import contextlib
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from hexhub.checks.containers import HUB_LABEL
from hexhub.checks.engine import Engine
from hexhub.checks.sandbox import Sandbox

from .honest_lessons import write_honest_course
from .trial import QuietMachines, Trials


@pytest.fixture(scope="session")
def client() -> Iterator[docker.APIClient]:
    """Docker itself, to look into a student's machine."""
    made = docker.APIClient(version="auto")
    yield made
    made.close()


@pytest.fixture(scope="session")
def course_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The honest course on disk."""
    return write_honest_course(tmp_path_factory.mktemp("course"))


@pytest.fixture
def sandbox(client: docker.APIClient) -> Iterator[Sandbox]:
    """A sandbox under a hub id of its own, which must leave no container behind."""
    made = Engine(f"cheats-{secrets.token_hex(4)}")
    yield Sandbox(made)
    made.close()
    mine = {"label": f"{HUB_LABEL}={made.hub_id}"}
    began_s = time.monotonic()
    # Docker lists what it is removing, which takes it long where there are a million files, and
    # what it was told to remove when we were patient no more.
    while left := client.containers(all=True, filters=mine):
        is_kept = any(each["State"] != "removing" for each in left)
        if time.monotonic() > began_s + (20 if is_kept else 120):
            break
        time.sleep(0.2)
    for container in left:
        with contextlib.suppress(docker.errors.APIError):
            client.remove_container(container["Id"], force=True)
    assert left == []


@pytest.fixture(scope="session")
def quiet(client: docker.APIClient) -> Iterator[QuietMachines]:
    """Machines in which answers lie and nothing runs."""
    made = QuietMachines(client)
    yield made
    made.close()


@pytest.fixture
def trials(
    sandbox: Sandbox, client: docker.APIClient, course_folder: Path, quiet: QuietMachines
) -> Trials:
    """Tries answers to the honest course."""
    return Trials(sandbox, client, course_folder, quiet)
