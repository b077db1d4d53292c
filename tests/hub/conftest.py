"""A running HexHub for the tests of the hub and its spawner."""

import itertools
import re
from collections.abc import Iterator

import pytest

from tests.hub.trial_hub import Student, TrialHub

_numbers = itertools.count()


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialHub]:
    """Give one running HexHub; each test brings students of its own."""
    running = TrialHub(tmp_path_factory.mktemp("hexhub"))
    try:
        running.start()
        yield running
    finally:
        running.remove()


def _name(request: pytest.FixtureRequest) -> str:
    words = re.sub("[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:30]
    return f"{words}-{next(_numbers)}"


@pytest.fixture
def student(hub: TrialHub, request: pytest.FixtureRequest) -> Iterator[Student]:
    """Give a student whom no other test knows."""
    student = Student(hub, _name(request))
    yield student
    student.client.close()
    hub.forget(student)


@pytest.fixture
def other_student(hub: TrialHub, request: pytest.FixtureRequest) -> Iterator[Student]:
    """Give a second student."""
    student = Student(hub, _name(request))
    yield student
    student.client.close()
    hub.forget(student)
