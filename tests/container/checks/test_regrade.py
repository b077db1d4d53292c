"""A wrong check is mended, and what was handed in is graded again from its snapshot alone."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import pytest
from click.testing import CliRunner, Result

from hexhub.catalog.model import Lesson
from hexhub.catalog.overlays import Overlay, OverlayFile, starter_overlay
from hexhub.catalog.published import PublishedCatalog
from hexhub.catalog.reader import read_course
from hexhub.checks.containers import HUB_LABEL, KIND_LABEL, make_trial_machine
from hexhub.checks.engine import Engine
from hexhub.checks.model import OutcomeKind, TestOutcome
from hexhub.checks.sandbox import Sandbox
from hexhub.checks.trial_machine import put_files
from hexhub.cli.main import main
from hexhub.errors import StoreError
from hexhub.events.model import EventName
from hexhub.names import CourseName, LessonName, StepName, UserName, machine_name
from hexhub.progress.model import Attempt, Place
from hexhub.progress.snapshots import SnapshotLimits, Snapshots
from hexhub.progress.store import Store
from hexhub.usecases.check_answer import OneCourse, answer_layers, answered_machine
from hexhub.usecases.grade_attempt import grade_attempt
from hexhub.usecases.publish_course import publish_course
from hexhub.usecases.run_check import make_grader, make_kept_grader, run_check

from .small_course import write_course

ADA = Place(UserName("ada"), CourseName("small"), LessonName("greet"))
FUNCTION, SERVER = StepName("function"), StepName("server")
TESTS = ("test_function::test_name", "test_function::test_whole")
MARK = ("test_server::test_mark",)
LIMITS = SnapshotLimits(attempt_bytes=2**20, student_bytes=2**24, days=30)
ANSWER = {
    "greet.py": OverlayFile(
        "def greet(name):\r\n    return f'Hello, {name}!'  # ключ\r\n".encode(), is_executable=True
    )
}
WRONG_CHECK = {
    "checks/test_function.py": '''\
def test_name(student):
    """The name is in it."""
    assert "Ada" in student.call("greet:greet", "Ada")


def test_whole(student):
    """The whole greeting is right."""
    assert student.call("greet:greet", "Ada") == "Hi, Ada!"
''',
    "solution/greet.py": "def greet(name):\n    return f'Hi, {name}!'\n",
}
STRICTER_CHECK = {
    "checks/test_function.py": '''\
def test_twice(student):
    """It greets twice."""
    assert student.call("greet:greet", "Ada").count("Ada") == 2
''',
    "solution/greet.py": "def greet(name):\n    return f'{name}, {name}!'\n",
}


@contextmanager
def machine(client: docker.APIClient, engine: Engine, lesson: Lesson) -> Iterator[None]:
    """Run a machine that bears the name of ada's, with her answer in it."""
    arguments = make_trial_machine(lesson, hub_id=engine.hub_id, expires_at_s=time.time() + 600)
    arguments["labels"] = {
        HUB_LABEL: engine.hub_id,
        KIND_LABEL: "student",
    }
    arguments["name"] = machine_name(engine.hub_id, ADA.user, lesson.server_name)
    made = client.create_container(**arguments)
    try:
        client.start(made["Id"])
        put_files(engine, made["Id"], lesson.user, ANSWER)
        yield
    finally:
        client.remove_container(made["Id"], force=True, v=True)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Give the state folder of a HexHub."""
    return tmp_path / "state"


@pytest.fixture
def store(state: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Give the database that the command finds in the state folder."""
    monkeypatch.delenv("HEXHUB_DATABASE_URL", raising=False)
    made = Store(f"sqlite:///{state / 'hexhub.sqlite'}")
    made.migrate()
    yield made
    made.close()


def regrade(state: Path, *options: str) -> Result:
    """Run ``hexhub regrade small``."""
    return CliRunner().invoke(main, ["regrade", "small", "--state", str(state), *options])


def test_regrade(
    sandbox: Sandbox, client: docker.APIClient, state: Path, store: Store, tmp_path: Path
) -> None:
    """Fail by a wrong check; mended, the dry run shows it, the run does it; pass and back again."""
    catalog = PublishedCatalog(state / "catalog")
    snapshots = Snapshots(store, LIMITS)
    grader = make_grader(sandbox, catalog, snapshots)

    def publish(changes: dict[str, str | None], tests: tuple[str, ...] = TESTS) -> str:
        folder = write_course(tmp_path, changes)
        course = read_course(folder)
        catalog.publish(folder, course, {LessonName("greet"): {FUNCTION: tests, SERVER: MARK}})
        return course.version

    def check(step: StepName) -> Attempt:
        store.submit(ADA, step, catalog.course("small").version)
        claim = store.claim("w", 60)
        assert claim is not None
        return grade_attempt(store, catalog, grader, claim)

    def passed() -> set[StepName]:
        progress = store.progress(ADA)
        assert progress is not None
        return set(progress.passed_at)

    first = publish(dict(WRONG_CHECK))
    with machine(client, sandbox.engine, catalog.course("small").lesson("greet")):
        failed = check(FUNCTION)
        assert failed.outcome is not None
        assert failed.outcome.failing_tests == ("test_function::test_whole",)
        check(SERVER)
    assert snapshots.files(failed.id) == ANSWER

    # The machine is gone; nothing is left but the snapshot.
    second = publish({})
    events = store.events()
    shown = regrade(state, "--dry-run")
    assert shown.exit_code == 0, shown.output
    assert "ada              greet            function         failed → passed" in shown.output
    assert "test_function::test_whole   failed → passed" in shown.output
    assert "test_name" not in shown.output
    assert "1  not graded again. The check looks at a running machine" in shown.output
    assert f"version {second}: 2 answers, 1 graded again, 1 changed." in shown.output
    assert "nothing is stored" in shown.output
    assert store.events() == events
    assert store.attempts(ADA, FUNCTION) == [store.attempt(failed.id)]
    assert passed() == set()

    done = regrade(state)
    assert done.exit_code == 0, done.output
    assert "1  steps are passed by it." in done.output
    old, new = store.attempts(ADA, FUNCTION)
    assert old == store.attempt(failed.id)
    assert (old.version, new.version, new.regrade_of) == (first, second, failed.id)
    assert new.outcome is not None
    assert [t.outcome for t in new.outcome.tests] == [TestOutcome.PASSED] * 2
    assert passed() == {FUNCTION}
    assert len(store.events(EventName.STEP_PASSED)) == 1
    again = regrade(state)
    assert "1  have a verdict of this version already." in again.output
    assert len(store.attempts(ADA, FUNCTION)) == 2

    third = publish(dict(STRICTER_CHECK), ("test_function::test_twice",))
    kept = regrade(state)
    assert "passed → failed      the step stays passed" in kept.output
    assert "test_function::test_twice   not there → failed" in kept.output
    assert "test_function::test_whole   passed → not there" in kept.output
    assert passed() == {FUNCTION}
    taken = regrade(state, "--take-away")
    assert "the step is passed no more" in taken.output
    assert passed() == set()
    # Back to the version that was right, by its name.
    assert regrade(state, "--against", second, "--lesson", "greet").exit_code == 0
    assert passed() == {FUNCTION}
    attempts = store.attempts(ADA, FUNCTION)
    assert [a.version for a in attempts] == [first, second, third, second]
    assert [a.outcome.kind for a in attempts if a.outcome] == [
        OutcomeKind.FAILED,
        OutcomeKind.PASSED,
        OutcomeKind.FAILED,
        OutcomeKind.PASSED,
    ]


class Refusing(Snapshots):
    """Snapshots in a database that takes none."""

    def keep(self, *_: object) -> bool:
        raise StoreError("The disk is full.")


def test_a_snapshot_that_is_refused_costs_no_verdict(
    sandbox: Sandbox, client: docker.APIClient, state: Path, store: Store, tmp_path: Path
) -> None:
    """The outcome is stored without it, and grading again says what it lacks."""
    catalog = PublishedCatalog(state / "catalog")
    publish_course(sandbox, catalog, write_course(tmp_path), say=str)
    course = catalog.course("small")
    grader = make_grader(sandbox, catalog, Refusing(store, LIMITS))
    with machine(client, sandbox.engine, course.lesson("greet")):
        store.submit(ADA, FUNCTION, course.version)
        claim = store.claim("w", 60)
        assert claim is not None
        done = grade_attempt(store, catalog, grader, claim)
    assert done.outcome is not None
    assert done.outcome.is_pass
    publish_course(sandbox, catalog, write_course(tmp_path, dict(STRICTER_CHECK)), say=str)
    shown = regrade(state)
    assert "1  not graded again. Nothing is kept of what was handed in" in shown.output


def test_a_notebook_is_graded_again_as_before(sandbox: Sandbox) -> None:
    """What was kept of a notebook and its data gets the outcome that the machine got."""
    folder = Path(__file__).parents[3] / "courses/real-machine"
    course = read_course(folder, only="measurements")
    lesson = course.lesson("measurements")
    step = lesson.steps[0]
    place = Place(UserName("author"), course.name, lesson.name)
    kept: list[Overlay] = []
    layers = answer_layers(folder, lesson, "solution")
    with answered_machine(sandbox.engine, lesson, layers) as machine_id:
        before = run_check(
            sandbox,
            OneCourse(folder),
            place,
            course,
            lesson,
            step,
            machine_id,
            None,
            kept.append,
        )
    assert before.is_pass
    grade = make_kept_grader(sandbox, OneCourse(folder))
    ids = [test.id for test in before.tests]
    after = grade(course, lesson, step, kept[0], ids)
    assert after.is_pass
    assert [(t.id, t.points) for t in after.tests] == [(t.id, t.points) for t in before.tests]
    assert set(kept[0]) == {"measurements.ipynb", "measurements.csv"}
    starter = starter_overlay(folder, lesson)
    assert grade(course, lesson, step, starter, ids).kind is OutcomeKind.FAILED


def test_a_folder_without_hexhub_stays_empty(state: Path) -> None:
    """A mistyped state folder is named by what it lacks, and nothing is made in it."""
    said = regrade(state, "--dry-run")
    assert said.exit_code == 1
    assert "No course 'small' is published" in said.output
    assert not state.exists()
