"""A real Docker, and lessons whose machines are made from the shipped images."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

import docker
import pytest

from hexhub.catalog.model import (
    CheckKind,
    CheckSpec,
    Lesson,
    Limits,
    MachineUser,
    Network,
    ReportFormat,
    Text,
)
from hexhub.checks.containers import HUB_LABEL
from hexhub.checks.engine import Engine
from hexhub.checks.sandbox import Sandbox
from hexhub.names import CourseName, LessonName

MB = 1024**2
WORK = PurePosixPath("/home/student/work")


@pytest.fixture(scope="session")
def client() -> Iterator[docker.APIClient]:
    """Docker itself, to look at what checks leave."""
    made = docker.APIClient(version="auto")
    yield made
    made.close()


@pytest.fixture
def engine(client: docker.APIClient) -> Iterator[Engine]:
    """Docker under a hub id of its own, where no container may be left behind."""
    made = Engine(f"test-{secrets.token_hex(4)}")
    yield made
    made.close()
    left = client.containers(all=True, filters={"label": f"{HUB_LABEL}={made.hub_id}"})
    for container in left:
        client.remove_container(container["Id"], force=True)
    assert left == []


@pytest.fixture
def sandbox(engine: Engine) -> Sandbox:
    """A sandbox there, which makes nothing ahead."""
    return Sandbox(engine)


@pytest.fixture(scope="session")
def make_lesson() -> Callable[..., Lesson]:
    """Give lessons: image and user as wanted, everything else small."""

    def make(image: str = "hexhub/base", user: MachineUser = MachineUser.STUDENT) -> Lesson:
        return Lesson(
            course=CourseName("tests"),
            name=LessonName("probe"),
            title=Text({"en": "Probe"}),
            image=image,
            user=user,
            limits=Limits(256 * MB, 1.0, 128, 1024 * MB, 1800),
            network=Network.NONE,
            steps=(),
            theory=Text({"en": ""}),
        )

    return make


def files_spec(**more: object) -> CheckSpec:
    """Give a check of files with short limits."""
    facts: dict[str, object] = {
        "kind": CheckKind.FILES,
        "run": "pytest -q",
        "report": ReportFormat.JUNIT,
        "timeout_s": 20.0,
        "memory_bytes": 256 * MB,
        "submit": ("answer.py",),
    }
    return CheckSpec(**(facts | more))  # type: ignore[arg-type]
