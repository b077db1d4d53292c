"""A real ``hexhub worker`` with real machines and check containers, in good and in bad times."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from hexhub.catalog.model import Lesson
from hexhub.catalog.published import PublishedCatalog
from hexhub.catalog.reader import read_course
from hexhub.checks.containers import CHECK_KIND, HUB_LABEL, KIND_LABEL
from hexhub.checks.model import OutcomeKind
from hexhub.events.model import EventName
from hexhub.names import CourseName, LessonName, StepName, UserName
from hexhub.progress.model import Attempt, AttemptState, Place
from hexhub.progress.store import Store
from tests.container.checks.small_course import FILES, write_course
from tests.faults.docker_relay import DockerRelay, Mode
from tests.faults.student_machine import make_machine, write_answer
from tests.faults.worker_process import running_worker, wait_for

RIGHT = "def greet(name):\n    return f'Hello, {name}!'\n"
WRONG = "def greet(name):\n    return 'Hello'\n"
CHECK = '''\
import time


def test_whole(student):
    """The whole greeting is right."""
    time.sleep(3)
    assert student.call("greet:greet", "Ada") == "Hello, Ada!"
'''
ENDLESS_CHECK = '''\
def test_whole(student):
    """The whole greeting is right."""
    assert student.call("greet:greet", "Ada", timeout_s=295) == "Hello, Ada!"
'''
COURSE, LESSON, STEP = CourseName("small"), LessonName("greet"), StepName("function")


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[DockerRelay]:
    """Give a Docker socket that can be made to fail."""
    made = DockerRelay(tmp_path / "docker.sock")
    yield made
    made.close()


@pytest.fixture
def catalog(tmp_path: Path) -> PublishedCatalog:
    """Give a catalog with the small course, whose check takes three seconds."""
    changes = {"checks/test_function.py": CHECK, "wrong/no-comma/expect.yml": None}
    changes["wrong/no-comma/greet.py"] = None
    source = write_course(tmp_path, changes)
    made = PublishedCatalog(tmp_path / "state" / "catalog")
    made.publish(source, read_course(source), {})
    return made


@pytest.fixture
def store(tmp_path: Path, catalog: PublishedCatalog) -> Iterator[Store]:
    """Give the worker's database."""
    made = Store(f"sqlite:///{tmp_path / 'state' / 'hexhub.sqlite'}")
    made.migrate()
    yield made
    made.close()


def lesson_of(catalog: PublishedCatalog) -> Lesson:
    """Give the lesson that is checked."""
    return catalog.course(COURSE).lesson(LESSON)


@pytest.mark.timeout(600)
def test_a_queued_check_takes_the_newest_files(
    tmp_path: Path,
    store: Store,
    catalog: PublishedCatalog,
    client: docker.APIClient,
    hub_id: str,
) -> None:
    """Files are taken when the check begins: mended while it waits, they are graded mended."""
    place = Place(UserName("ada"), COURSE, LESSON)
    version = catalog.course(COURSE).version
    machine = make_machine(client, lesson_of(catalog), hub_id, "ada", WRONG)
    first, _ = store.submit(place, STEP, version)
    write_answer(client, machine, RIGHT)
    second, is_new = store.submit(place, STEP, version)
    assert (second.id, is_new) == (first.id, False)
    with running_worker(tmp_path / "state", hub_id):
        wait_for(lambda: store.attempt(first.id).state is AttemptState.DONE)
    outcome = store.attempt(first.id).outcome
    assert outcome is not None
    assert outcome.is_pass, outcome
    assert len(store.attempts(place)) == 1


@pytest.mark.timeout(600)
def test_a_cancelled_check_is_ended(
    tmp_path: Path, client: docker.APIClient, hub_id: str, store: Store
) -> None:
    """Its container is gone and its slot free, minutes before the check would have ended."""
    lesson_yml = FILES["lessons/greet/lesson.yml"].replace("timeout: 20s", "timeout: 300s", 1)
    changes = {"lesson.yml": lesson_yml, "checks/test_function.py": ENDLESS_CHECK}
    source = write_course(tmp_path, dict(changes))
    catalog = PublishedCatalog(tmp_path / "state" / "catalog")
    catalog.publish(source, read_course(source), {})
    version = catalog.course(COURSE).version

    def press(user: str, answer: str) -> str:
        make_machine(client, lesson_of(catalog), hub_id, user, answer)
        return store.submit(Place(UserName(user), COURSE, LESSON), STEP, version)[0].id

    def checks() -> list[str]:
        wanted = {"label": [f"{HUB_LABEL}={hub_id}", f"{KIND_LABEL}={CHECK_KIND}"]}
        return [str(container["Id"]) for container in client.containers(all=True, filters=wanted)]

    endless = press("ada", "import time\ntime.sleep(290)\n")
    with running_worker(tmp_path / "state", hub_id, options=["--slots", "1", "--warm", "0"]):
        wait_for(lambda: bool(checks()))
        store.cancel(endless)
        wait_for(lambda: not checks(), 120)
        right = press("grace", RIGHT)
        wait_for(lambda: store.attempt(right).state is AttemptState.DONE, 120)
    cancelled, passed = store.attempt(endless), store.attempt(right).outcome
    assert cancelled.is_cancelled
    assert passed is not None
    assert passed.is_pass, passed


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mode", [Mode.CLOSED, Mode.SILENT])
def test_docker_dies_and_returns(
    tmp_path: Path,
    store: Store,
    catalog: PublishedCatalog,
    relay: DockerRelay,
    client: docker.APIClient,
    hub_id: str,
    mode: Mode,
) -> None:
    """Running checks run again, waiting ones wait, each ends once; no wrong answer passes."""
    state = tmp_path / "state"
    version = catalog.course(COURSE).version
    answers = {f"right-{n}": RIGHT for n in range(3)} | {f"wrong-{n}": WRONG for n in range(3)}
    for user, answer in answers.items():
        make_machine(client, lesson_of(catalog), hub_id, user, answer)

    def press(user: str) -> Attempt:
        return store.submit(Place(UserName(user), COURSE, LESSON), STEP, version)[0]

    def states() -> list[AttemptState]:
        return [store.attempt(attempt.id).state for attempt in attempts]

    def is_check_there() -> bool:
        wanted = {"label": [f"{HUB_LABEL}={hub_id}", f"{KIND_LABEL}={CHECK_KIND}"]}
        return bool(client.containers(filters=wanted))

    attempts = [press(user) for user in list(answers)[:4]]
    with running_worker(state, hub_id, relay.url) as worker:
        wait_for(lambda: AttemptState.RUNNING in states() and is_check_there())
        relay.switch(mode)
        attempts += [press(user) for user in list(answers)[4:]]
        if mode is Mode.CLOSED:
            # The cut is felt at once: what ran is back in the queue, for another try.
            wait_for(
                lambda: any(
                    a.tries > 0 and a.state is not AttemptState.RUNNING
                    for a in (store.attempt(attempt.id) for attempt in attempts)
                )
            )
        relay.switch(Mode.RELAY)
        wait_for(lambda: set(states()) == {AttemptState.DONE})
        last = press("right-0")
        wait_for(lambda: store.attempt(last.id).state is AttemptState.DONE)
        assert worker.poll() is None

    told = store.events(EventName.ATTEMPT_FINISHED)
    verdicts = Counter(event.data["attempt"] for event in told)
    assert verdicts == Counter(attempt.id for attempt in [*attempts, last])
    for attempt in attempts:
        outcome = store.attempt(attempt.id).outcome
        assert outcome is not None
        honest = {"right": OutcomeKind.PASSED, "wrong": OutcomeKind.FAILED}
        kind = honest[attempt.place.user.partition("-")[0]]
        assert outcome.kind in (kind, OutcomeKind.UNGRADABLE), outcome
    for _, reason in store.ungradable(COURSE):
        assert "Docker" in reason
    final = store.attempt(last.id).outcome
    assert final is not None
    assert final.is_pass, final
