"""The verbs of a student and of the worker, on a published course and a real database."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from hexhub.catalog.model import Course, Lesson, Step
from hexhub.catalog.published import PublishedCatalog
from hexhub.catalog.reader import read_course
from hexhub.checks.model import Outcome, OutcomeKind
from hexhub.errors import (
    CourseNotFound,
    DockerUnavailable,
    HexHubError,
    HintLocked,
    LeaseLost,
    LessonNotFound,
    MachineNotRunning,
    RequestInvalid,
    SolutionLocked,
    StepLocked,
    StepNotFound,
    StoreError,
    SubmissionUnusable,
)
from hexhub.events.model import EventName
from hexhub.names import CourseName, LessonName, StepName, UserName, Version
from hexhub.progress.model import Attempt, AttemptState, Claim, Place
from hexhub.progress.queue import COULD_NOT_RUN
from hexhub.progress.store import Store
from hexhub.usecases.grade_attempt import (
    COURSE_CHANGED,
    MACHINE_NOT_RUNNING,
    Grader,
    grade_attempt,
)
from hexhub.usecases.pass_step import pass_step
from hexhub.usecases.show_solution import show_solution
from hexhub.usecases.start_lesson import start_lesson
from hexhub.usecases.submit_attempt import submit_attempt
from hexhub.usecases.take_hint import take_hint

from .conftest import Clock
from .course_folder import make_course, write
from .lessons import FAILED, PASSED

FIRST = Place(UserName("ada"), CourseName("tiny"), LessonName("first"))
EXPECTED = {LessonName("first"): {StepName("one"): ("test_one::test_x",)}}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Give the folder of a course with the lessons first (steps one ▸ two, three) and second."""
    return make_course(tmp_path / "source")


@pytest.fixture
def catalog(tmp_path: Path, source: Path) -> PublishedCatalog:
    """Give a catalog in which that course is published."""
    made = PublishedCatalog(tmp_path / "catalog")
    made.publish(source, read_course(source), EXPECTED)
    return made


def always(answer: Outcome | Exception) -> Grader:
    """Give a grader that answers, or fails, the same way each time."""

    def grade(
        claim: Claim, course: Course, lesson: Lesson, step: Step, expected: Sequence[str] | None
    ) -> Outcome:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return grade


def attempt_step(
    store: Store, catalog: PublishedCatalog, step: str, answer: Outcome | Exception
) -> Attempt:
    """Submit at a step and grade it."""
    submit_attempt(store, catalog, FIRST, step)
    claim = store.claim("w", 30)
    assert claim is not None
    return grade_attempt(store, catalog, always(answer), claim)


def test_start_lesson(store: Store, catalog: PublishedCatalog) -> None:
    """Opening a lesson of the catalogue starts it in the current version."""
    progress = start_lesson(store, catalog, FIRST)
    assert progress.version == catalog.course("tiny").version


@pytest.mark.parametrize(
    ("place", "error"),
    [
        (Place(UserName("a"), CourseName("none"), LessonName("first")), CourseNotFound),
        (Place(UserName("a"), CourseName("tiny"), LessonName("none")), LessonNotFound),
    ],
)
def test_unknown_places_are_refused(
    store: Store, catalog: PublishedCatalog, place: Place, error: type[HexHubError]
) -> None:
    """What is not in the catalogue leaves no row and no event."""
    with pytest.raises(error):
        start_lesson(store, catalog, place)
    for verb in (submit_attempt, pass_step, take_hint):
        with pytest.raises(error):
            verb(store, catalog, place, "one")
    with pytest.raises(error):
        show_solution(store, catalog, place)
    assert store.progress_of(place.user) == {}
    assert store.events() == []


def test_unknown_steps_are_refused(store: Store, catalog: PublishedCatalog) -> None:
    """A step that the lesson does not have is named, with those it has."""
    for verb in (submit_attempt, pass_step, take_hint):
        with pytest.raises(StepNotFound, match="It has: one, two, three"):
            verb(store, catalog, FIRST, "nine")


def test_submit_needs_an_open_step_with_a_check(store: Store, catalog: PublishedCatalog) -> None:
    """A locked step says what it waits for; one without a check says what to do."""
    with pytest.raises(StepLocked, match="Step 'two' opens when these are passed: one"):
        submit_attempt(store, catalog, FIRST, "two")
    with pytest.raises(RequestInvalid, match="Mark it as done"):
        submit_attempt(store, catalog, FIRST, "three")
    assert store.last_attempts(FIRST) == {}
    attempt_step(store, catalog, "one", PASSED)
    assert submit_attempt(store, catalog, FIRST, "two")[1]
    assert submit_attempt(store, catalog, FIRST, "one")[1], "a passed step may be checked again"


def test_pass_step_needs_a_step_without_check(store: Store, catalog: PublishedCatalog) -> None:
    """The student's word passes only steps without a check."""
    with pytest.raises(RequestInvalid, match="Press Check"):
        pass_step(store, catalog, FIRST, "one")
    with pytest.raises(StepLocked):
        pass_step(store, catalog, FIRST, "two")
    assert set(pass_step(store, catalog, FIRST, "three").passed_at) == {"three"}


def test_hints_come_in_order_under_their_conditions(
    store: Store, catalog: PublishedCatalog
) -> None:
    """The hint opens after one finished attempt, and after the last there is no further one."""
    with pytest.raises(HintLocked, match="after 1 more check"):
        take_hint(store, catalog, FIRST, "one")
    attempt_step(store, catalog, "one", FAILED)
    taken = take_hint(store, catalog, FIRST, "one")
    assert (taken.taken, taken.total) == (1, 1)
    assert taken.hint.text.in_locale("en").strip() == "Look."
    with pytest.raises(HintLocked, match="no further hint for step 'one': all 1 are taken"):
        take_hint(store, catalog, FIRST, "one")
    with pytest.raises(HintLocked, match="it has none"):
        take_hint(store, catalog, FIRST, "three")
    with pytest.raises(StepLocked):
        take_hint(store, catalog, FIRST, "two")


def test_solution_opens_when_all_is_passed(store: Store, catalog: PublishedCatalog) -> None:
    """Before, nothing is shown or stored; after, files and script come, and an event."""
    with pytest.raises(SolutionLocked, match="when all steps are passed"):
        show_solution(store, catalog, FIRST)
    assert store.events(EventName.SOLUTION_VIEWED) == []
    attempt_step(store, catalog, "one", PASSED)
    attempt_step(store, catalog, "two", PASSED)
    pass_step(store, catalog, FIRST, "three")
    solution = show_solution(store, catalog, FIRST)
    assert {path: file.data for path, file in solution.files.items()} == {"app.py": b"x = 2\n"}
    assert solution.script == b"#!/bin/sh\ntrue\n"
    show_solution(store, catalog, FIRST)
    assert len(store.events(EventName.SOLUTION_VIEWED)) == 1


def test_the_grader_gets_what_was_asked(
    store: Store, catalog: PublishedCatalog, source: Path
) -> None:
    """An attempt is graded in its own version, with that version's expected tests."""
    submit_attempt(store, catalog, FIRST, "one")
    old = catalog.course("tiny").version
    write(source, "lessons/first/starter/more.txt", "more")
    catalog.publish(source, read_course(source), {})
    assert catalog.course("tiny").version != old
    claim = store.claim("w", 30)
    assert claim is not None
    seen: list[object] = []

    def grade(
        claim: Claim, course: Course, lesson: Lesson, step: Step, expected: Sequence[str] | None
    ) -> Outcome:
        seen.extend([claim.attempt.place, course.version, lesson.name, step.name, expected])
        return PASSED

    done = grade_attempt(store, catalog, grade, claim)
    assert seen == [FIRST, old, "first", "one", ("test_one::test_x",)]
    assert done.outcome == PASSED
    progress = store.progress(FIRST)
    assert progress is not None
    assert set(progress.passed_at) == {"one"}


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (MachineNotRunning("gone"), MACHINE_NOT_RUNNING),
        (SubmissionUnusable("'a.bin' is too big."), "'a.bin' is too big."),
    ],
)
def test_what_a_retry_cannot_mend_ends_at_once(
    store: Store, catalog: PublishedCatalog, fault: Exception, message: str
) -> None:
    """A stopped machine is said at once, with the way out, and costs nothing."""
    done = attempt_step(store, catalog, "one", fault)
    assert done.outcome == Outcome(OutcomeKind.UNGRADABLE, message=message)
    assert done.tries == 1


def test_our_faults_are_tried_three_times(
    store: Store, catalog: PublishedCatalog, clock: Clock
) -> None:
    """Docker being away is tried again after 2 s and 10 s, then given up with the reason."""
    attempt, _ = submit_attempt(store, catalog, FIRST, "one")
    states = []
    for pause_s in (2, 10, 0):
        claim = store.claim("w", 30)
        assert claim is not None
        after = grade_attempt(store, catalog, always(DockerUnavailable("no socket")), claim)
        states.append(after.state)
        clock.pass_s(pause_s - 0.1)
        assert store.claim("w", 30) is None
        clock.pass_s(0.2)
    assert states == [AttemptState.QUEUED, AttemptState.QUEUED, AttemptState.DONE]
    assert store.attempt(attempt.id).outcome == Outcome(
        OutcomeKind.UNGRADABLE, message=COULD_NOT_RUN
    )
    assert store.ungradable(FIRST.course)[0][1] == "docker_unavailable: no socket"


def test_a_version_that_is_gone_is_ungradable(store: Store, catalog: PublishedCatalog) -> None:
    """An attempt at a version that is not on disk any more ends at once and says to reload."""
    store.submit(FIRST, StepName("one"), Version("0" * 12))
    claim = store.claim("w", 30)
    assert claim is not None
    done = grade_attempt(store, catalog, always(PASSED), claim)
    assert done.outcome == Outcome(OutcomeKind.UNGRADABLE, message=COURSE_CHANGED)


def test_a_lost_lease_is_told(store: Store, catalog: PublishedCatalog, clock: Clock) -> None:
    """A verdict that comes when another worker has the attempt raises and stores nothing."""
    submit_attempt(store, catalog, FIRST, "one")
    slow = store.claim("slow", 30)
    assert slow is not None
    clock.pass_s(31)
    assert store.claim("fast", 30) is not None
    with pytest.raises(LeaseLost):
        grade_attempt(store, catalog, always(PASSED), slow)
    progress = store.progress(FIRST)
    assert progress is not None
    assert progress.passed_at == {}


def test_a_verdict_waits_for_the_database(
    store: Store, catalog: PublishedCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that refuses for a moment does not cost the check that has run."""
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    broken = Store("sqlite:////nonexistent/nothing.sqlite")
    submit_attempt(store, catalog, FIRST, "one")
    claim = store.claim("w", 30)
    assert claim is not None

    class Recovering(Store):
        """A store that refuses the first two verdicts."""

        def __init__(self) -> None:
            self.refusals = 2

        def finish(self, *arguments: object) -> Attempt:
            if self.refusals:
                self.refusals -= 1
                return broken.finish(*arguments)  # type: ignore[arg-type]
            return store.finish(*arguments)  # type: ignore[arg-type]

    done = grade_attempt(Recovering(), catalog, always(PASSED), claim)
    assert done.outcome == PASSED
    assert pauses == [0.2, 0.5]
    with pytest.raises(StoreError):
        grade_attempt(broken, catalog, always(PASSED), claim)
    broken.close()
