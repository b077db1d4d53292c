"""``hexhub worker`` as it is started in earnest, without a Docker that answers."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hexhub.catalog.published import PublishedCatalog
from hexhub.catalog.reader import read_course
from hexhub.names import CourseName, LessonName, StepName, UserName
from hexhub.progress.model import AttemptState, Place
from hexhub.progress.store import Store
from tests.faults.worker_process import COMMAND
from tests.storage.course_folder import make_course

PLACE = Place(UserName("ada"), CourseName("tiny"), LessonName("first"))


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Give the environment of a worker whose Docker is not there."""
    source = make_course(tmp_path / "source")
    PublishedCatalog(tmp_path / "catalog").publish(source, read_course(source), {})
    return {
        "PATH": os.environ["PATH"],
        "HEXHUB_STATE": str(tmp_path),
        "HEXHUB_HUB_ID": "0123456789ab",
        "DOCKER_HOST": f"unix://{tmp_path}/no-docker.sock",
    }


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Give the worker's database."""
    made = Store(f"sqlite:///{tmp_path / 'hexhub.sqlite'}")
    made.migrate()
    yield made
    made.close()


def run(environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run a worker that ends by itself."""
    return subprocess.run(
        COMMAND, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_works_without_docker_and_ends_cleanly(
    environment: dict[str, str], store: Store, number: signal.Signals
) -> None:
    """Attempts wait for Docker with a reason for the author; a signal ends the worker with 0."""
    version = PublishedCatalog(Path(environment["HEXHUB_STATE"]) / "catalog").course("tiny").version
    attempt, _ = store.submit(PLACE, StepName("one"), version)
    process = subprocess.Popen(COMMAND, env=environment, stderr=subprocess.PIPE, text=True)
    until_s = time.monotonic() + 60
    while store.attempt(attempt.id).tries == 0 or (
        store.attempt(attempt.id).state is not AttemptState.QUEUED
    ):
        assert time.monotonic() < until_s
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert "Docker does not answer" in said


def test_a_worker_without_a_hub_says_so(environment: dict[str, str]) -> None:
    """Without the hub's id no machine could be found: it ends with 1 and says what to set."""
    done = run({**environment, "HEXHUB_HUB_ID": ""})
    assert done.returncode == 1
    assert "HEXHUB_HUB_ID is not set" in done.stderr
    assert "Traceback" not in done.stderr


def test_events_need_a_key_for_pseudonyms(environment: dict[str, str]) -> None:
    """With InfluxDB but without a key, names would leave: it ends with 1 and says what to set."""
    done = run({**environment, "HEXHUB_INFLUX_URL": "http://127.0.0.1:9"})
    assert done.returncode == 1
    assert "HEXHUB_PSEUDONYM_KEY" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_cannot_be_used(environment: dict[str, str]) -> None:
    """A database that does not answer is one sentence."""
    url = "postgresql+psycopg://nobody@/nothing?host=/nonexistent&connect_timeout=2"
    done = run({**environment, "HEXHUB_DATABASE_URL": url})
    assert done.returncode == 1
    assert "The database" in done.stderr
    assert "Traceback" not in done.stderr
