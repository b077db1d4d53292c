"""Answers graded again: which, what is stored, what is passed, and what is never taken away."""

import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from sqlalchemy import text

from hexhub.catalog.model import Course, Lesson, Step
from hexhub.catalog.overlays import Overlay, OverlayFile
from hexhub.catalog.published import PublishedCatalog
from hexhub.catalog.reader import read_course
from hexhub.checks.model import Outcome, OutcomeKind, TestOutcome, TestResult
from hexhub.errors import (
    CourseNotFound,
    DockerUnavailable,
    LessonNotFound,
    StoreError,
    VersionNotFound,
)
from hexhub.events.model import Event, EventName
from hexhub.names import CourseName, LessonName, StepName, UserName, Version
from hexhub.progress.model import Place
from hexhub.progress.regrades import Regrades
from hexhub.progress.snapshots import SnapshotLimits, Snapshots
from hexhub.progress.store import Store
from hexhub.usecases.regrade_course import (
    MACHINE_CHECK,
    NO_SNAPSHOT,
    Effect,
    Regraded,
    find_finishes,
    regrade_course,
)

from .course_folder import make_course, write

FIRST = Place(UserName("ada"), CourseName("tiny"), LessonName("first"))
GRACE = replace(FIRST, user=UserName("grace"))
ONE, TWO, THREE = StepName("one"), StepName("two"), StepName("three")
GOOD: Overlay = {"app.py": OverlayFile(b"good", is_executable=True)}
BAD: Overlay = {"app.py": OverlayFile(b"bad")}
FIRST_YML = "lessons/first/lesson.yml"


def outcome(*passes: bool) -> Outcome:
    """Give the outcome of some tests."""
    ends = [TestOutcome.PASSED if it else TestOutcome.FAILED for it in passes]
    tests = tuple(TestResult(f"t::{n}", f"T{n}", end) for n, end in enumerate(ends))
    return Outcome(OutcomeKind.PASSED if all(passes) else OutcomeKind.FAILED, tests=tests)


@dataclass
class Bench:
    """A database, a published course whose author mends it, and students who hand in."""

    store: Store
    source: Path
    catalog: PublishedCatalog
    graded: list[tuple[str, str, Overlay]] = field(default_factory=list)
    fault: Exception | None = None
    verdicts: Mapping[bytes, Outcome] = field(
        default_factory=lambda: {b"good": outcome(True, True), b"bad": outcome(False, True)}
    )

    def __post_init__(self) -> None:
        self.regrades = Regrades(self.store)
        self.snapshots = Snapshots(self.store, SnapshotLimits(10_000, 100_000, 30))
        self.publish("1")

    def publish(self, mark: str, **lesson_changes: str) -> Version:
        """Publish a changed course and give its version."""
        written = (self.source / FIRST_YML).read_text()
        for old, new in lesson_changes.values():
            assert old in written
            written = written.replace(old, new)
        write(self.source, FIRST_YML, written)
        write(self.source, "lessons/first/checks/mark.txt", mark)
        course = read_course(self.source)
        self.catalog.publish(self.source, course, {})
        return course.version

    def hand_in(
        self,
        files: Overlay | None,
        verdict: Outcome,
        place: Place = FIRST,
        step: StepName = ONE,
    ) -> str:
        """Submit, keep the files (None: there are none), finish; gives the attempt's id."""
        course = self.catalog.course("tiny")
        self.store.submit(place, step, course.version)
        claim = self.store.claim("w", 30)
        assert claim is not None
        if files is not None:
            self.snapshots.keep(claim.attempt.id, claim.lease, files)
        self.store.finish(claim.attempt.id, claim.lease, verdict, course.lesson(place.lesson))
        return claim.attempt.id

    def grade(
        self, course: Course, _lesson: Lesson, step: Step, files: Overlay, _expected: object
    ) -> Outcome:
        """Grade by the bytes of the file."""
        self.graded.append((course.version, step.name, files))
        if self.fault is not None:
            raise self.fault
        return self.verdicts[files["app.py"].data]

    def regrade(self, *, dry: bool = False, **options: object) -> list[Regraded]:
        """Run the use case to its end."""
        return list(
            regrade_course(
                self.regrades,
                self.snapshots,
                self.catalog,
                self.grade,
                "tiny",
                is_dry_run=dry,
                **options,  # type: ignore[arg-type]
            )
        )

    def state(self) -> object:
        """Give all that could have changed."""
        return (
            self.store.progress(FIRST),
            self.store.progress(GRACE),
            self.store.attempts(FIRST),
            self.store.attempts(GRACE),
            self.store.events(),
        )

    def passed(self, place: Place = FIRST) -> set[StepName]:
        """Give the steps that are passed."""
        progress = self.store.progress(place)
        assert progress is not None
        return set(progress.passed_at)

    def is_finished(self, place: Place = FIRST) -> bool:
        """Tell whether the lesson is finished."""
        progress = self.store.progress(place)
        assert progress is not None
        return progress.finished_at is not None

    def events(self, name: EventName) -> list[Event]:
        """Give the events of one name."""
        return self.store.events(name)


@pytest.fixture
def bench(store: Store, tmp_path: Path) -> Bench:
    """Give a bench with the tiny course: steps one (files) ▸ two (machine), three (no check)."""
    source = make_course(tmp_path / "source")
    return Bench(store, source, PublishedCatalog(tmp_path / "catalog"))


def test_a_dry_run_shows_and_stores_nothing(bench: Bench) -> None:
    """The new outcome and the tests that changed are told; the database is as before."""
    bench.hand_in(GOOD, outcome(False, True))
    bench.hand_in(BAD, outcome(False, True), GRACE)
    version = bench.publish("2")
    before = bench.state()
    ada, grace = bench.regrade(dry=True)
    assert bench.state() == before
    assert (ada.before.kind, ada.after, ada.effect) == (
        OutcomeKind.FAILED,
        outcome(True, True),
        Effect.PASSES,
    )
    assert [(c.id, c.before, c.after) for c in ada.test_changes] == [
        ("t::0", TestOutcome.FAILED, TestOutcome.PASSED)
    ]
    assert (grace.is_changed, grace.after) == (False, outcome(False, True))
    assert bench.graded.count((version, "one", GOOD)) == 1


def test_the_new_outcome_stands_beside_the_old(bench: Bench) -> None:
    """Both are there; the student sees the new one, at the time when they handed in."""
    old = bench.hand_in(GOOD, outcome(False, True))
    requested_at = bench.store.attempt(old).requested_at
    version = bench.publish("2")
    bench.regrade()
    first, second = bench.store.attempts(FIRST)
    assert (first.id, first.outcome) == (old, outcome(False, True))
    assert (second.outcome, second.version, second.regrade_of) == (
        outcome(True, True),
        version,
        old,
    )
    assert second.requested_at == requested_at
    assert bench.store.last_attempts(FIRST)[ONE] == second
    assert bench.store.attempt(second.id) == second


def test_what_passes_now_is_passed_with_events(bench: Bench) -> None:
    """The step, and the lesson where it was the last, as if the check had passed just now."""
    bench.hand_in(GOOD, outcome(False))
    for step in (TWO, THREE):
        bench.store.pass_step(
            FIRST, step, Version("v"), bench.catalog.course("tiny").lesson("first")
        )
    version = bench.publish("2")
    finished, unfinished = find_finishes(results := bench.regrade(), bench.catalog.course("tiny"))
    assert (finished, unfinished) == ([FIRST], [])
    assert [result.effect for result in results] == [Effect.PASSES]
    assert bench.passed() == {ONE, TWO, THREE}
    assert bench.is_finished()
    passed = bench.events(EventName.STEP_PASSED)[-1]
    assert (passed.data["step"], passed.data["attempts"]) == ("one", 1)
    assert len(bench.events(EventName.LESSON_FINISHED)) == 1
    (regraded,) = bench.events(EventName.ATTEMPT_REGRADED)
    assert (regraded.data["outcome_before"], regraded.data["outcome"]) == ("failed", "passed")
    assert regraded.data["version"] == version
    assert len(bench.events(EventName.ATTEMPT_FINISHED)) == 1


def finish_lesson(bench: Bench, files: Overlay) -> None:
    """Let ada pass all steps, the first by a check."""
    bench.hand_in(files, outcome(True, True))
    lesson = bench.catalog.course("tiny").lesson("first")
    for step in (TWO, THREE):
        bench.store.pass_step(FIRST, step, Version("v"), lesson)
    assert bench.is_finished()


def test_nothing_is_taken_away_unasked(bench: Bench) -> None:
    """An answer that fails now keeps its step and its lesson, and the new outcome is kept."""
    finish_lesson(bench, BAD)
    bench.publish("2")
    (result,) = bench.regrade()
    assert result.effect is Effect.STAYS_PASSED
    assert bench.passed() == {ONE, TWO, THREE}
    assert bench.is_finished()
    last = bench.store.last_attempts(FIRST)[ONE]
    assert last.outcome == outcome(False, True)
    (event,) = bench.events(EventName.ATTEMPT_REGRADED)
    assert event.data["is_pass_taken_away"] is False


@pytest.mark.parametrize("is_second_run", [False, True])
def test_taken_away_when_told_to(bench: Bench, is_second_run: bool) -> None:
    """Told to, step and lesson go, also when the answers had been graded before without it."""
    finish_lesson(bench, BAD)
    version = bench.publish("2")
    if is_second_run:
        bench.regrade()
    before = bench.state()
    (planned,) = bench.regrade(dry=True, take_away=True)
    assert bench.state() == before
    (done,) = bench.regrade(take_away=True)
    assert planned.effect is done.effect is Effect.TAKEN_AWAY
    assert find_finishes([planned], bench.catalog.course("tiny", version)) == ([], [FIRST])
    assert bench.passed() == {TWO, THREE}
    assert not bench.is_finished()
    assert len(bench.graded) == (1 if is_second_run else 2)
    # The mended answer passes by itself again.
    bench.hand_in(GOOD, outcome(True, True))
    assert bench.is_finished()


def test_a_step_that_is_gone_stays_passed(bench: Bench) -> None:
    """What the newer version does not have is not graded again, and nothing is taken away."""
    finish_lesson(bench, BAD)
    first = bench.source / "lessons/first"
    shutil.rmtree(first / "wrong")
    for tag in ("en", "ru"):
        (first / tag / "steps/one.md").unlink()
        (first / tag / "hints/one-1.md").unlink()
    written = (first / "lesson.yml").read_text()
    begin, end = written.index("  - id: one"), written.index("  - id: two")
    bench.publish("2", step=(written[begin:end], ""))  # type: ignore[arg-type]
    (result,) = bench.regrade(take_away=True)
    assert result.not_graded is not None
    assert "No step 'one'" in result.not_graded
    assert bench.is_finished()


def test_a_pass_in_this_version_is_not_taken_away(bench: Bench) -> None:
    """Who passes the new version in the meantime keeps the step, whatever the old answer does."""
    old = bench.hand_in(BAD, outcome(True, True))
    version = bench.publish("2")
    bench.hand_in(GOOD, outcome(True, True))
    lesson = bench.catalog.course("tiny").lesson("first")
    bench.regrades.finish(old, version, outcome(False, True), lesson, take_away=True)
    assert bench.passed() == {ONE}
    (event,) = bench.events(EventName.ATTEMPT_REGRADED)
    assert event.data["is_pass_taken_away"] is False


def test_the_second_run_has_nothing_to_do(bench: Bench) -> None:
    """What has a verdict of this version is not run again, and nothing is stored twice."""
    bench.hand_in(GOOD, outcome(False))
    bench.hand_in(BAD, outcome(False), GRACE)
    bench.publish("2")
    bench.regrade()
    before = bench.state()
    again = bench.regrade()
    assert len(bench.graded) == 2
    assert [(r.after, r.is_changed, r.not_graded) for r in again] == [(None, False, None)] * 2
    assert bench.state() == before


def test_an_answer_of_this_version_is_left_alone(bench: Bench) -> None:
    """What was checked in the wanted version needs no other verdict."""
    bench.hand_in(GOOD, outcome(False))
    bench.regrade()
    assert bench.graded == []


def test_two_at_once_store_one(bench: Bench) -> None:
    """The second of two that grade the same answer again stores nothing."""
    old = bench.hand_in(GOOD, outcome(False))
    version = bench.publish("2")
    lesson = bench.catalog.course("tiny").lesson("first")
    barrier = threading.Barrier(4)
    stored: list[object] = []

    def finish() -> None:
        barrier.wait(30)
        stored.append(bench.regrades.finish(old, version, outcome(True), lesson))

    threads = [threading.Thread(target=finish) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len([it for it in stored if it is not None]) == 1
    assert len(stored) == 4
    assert len(bench.store.attempts(FIRST)) == 2
    assert len(bench.events(EventName.STEP_PASSED)) == 1


def test_a_further_version_grades_the_same_answer(bench: Bench) -> None:
    """Each version has its outcome; the newest one is what the next is compared with."""
    old = bench.hand_in(GOOD, outcome(False, False))
    bench.publish("2")
    bench.verdicts = {b"good": outcome(False, True)}
    bench.regrade()
    bench.publish("3")
    bench.verdicts = {b"good": outcome(True, True)}
    (result,) = bench.regrade()
    assert result.before == outcome(False, True)
    assert [a.outcome for a in bench.store.attempts(FIRST)] == [
        outcome(False, False),
        outcome(False, True),
        outcome(True, True),
    ]
    assert [a.regrade_of for a in bench.store.attempts(FIRST)] == [None, old, old]
    assert bench.events(EventName.ATTEMPT_REGRADED)[-1].data["outcome_before"] == "failed"


def test_a_version_that_was_rolled_back(bench: Bench) -> None:
    """Back to an earlier version, its verdict is the newest again, whatever came in between."""
    bench.hand_in(GOOD, outcome(False, False))
    right = bench.publish("2")
    bench.regrade()
    bench.publish("3")
    bench.verdicts = {b"good": outcome(False, True)}
    bench.regrade(take_away=True)
    assert bench.passed() == set()
    bench.verdicts = {b"good": outcome(True, True)}
    (result,) = bench.regrade(against=right)
    assert result.effect is Effect.PASSES
    assert bench.passed() == {ONE}
    last = bench.store.last_attempts(FIRST)[ONE]
    assert (last.version, last.outcome) == (right, outcome(True, True))


def test_an_older_version_can_be_wanted(bench: Bench) -> None:
    """--against takes any version that was published; an unknown one is an error."""
    older = bench.catalog.course("tiny").version
    bench.publish("2")
    bench.hand_in(GOOD, outcome(False))
    bench.regrade(against=older)
    assert bench.graded == [(older, "one", GOOD)]
    with pytest.raises(VersionNotFound):
        bench.regrade(against="0" * 12)


def test_unknown_names_are_refused(bench: Bench) -> None:
    """A course or a lesson that there is not is named."""
    with pytest.raises(LessonNotFound):
        bench.regrade(only="nine")
    with pytest.raises(CourseNotFound):
        list(
            regrade_course(
                bench.regrades, bench.snapshots, bench.catalog, bench.grade, "x", is_dry_run=True
            )
        )


def test_only_one_lesson(bench: Bench) -> None:
    """Another lesson's answers are not touched."""
    bench.hand_in(GOOD, outcome(False))
    bench.publish("2")
    assert bench.regrade(only="second") == []
    assert len(bench.regrade(only="first")) == 1


@pytest.mark.parametrize(
    ("tries", "counts"),
    [
        ([(BAD, False), (GOOD, False)], 1),
        ([(BAD, True), (GOOD, False)], 0),
        ([(BAD, True), (GOOD, True), (BAD, False)], 1),
        ([(BAD, False), (None, False)], 0),
    ],
)
def test_which_attempt_counts(
    bench: Bench, tries: list[tuple[Overlay | None, bool]], counts: int
) -> None:
    """The newest that passed; where none did, the newest whose files are kept."""
    ids = [bench.hand_in(files, outcome(is_pass)) for files, is_pass in tries]
    (standing,) = bench.regrades.standings(FIRST.course)
    assert standing.original.id == ids[counts]
    assert standing.latest.id == ids[counts]


def test_a_newer_attempt_stays_in_front(bench: Bench) -> None:
    """An older answer graded again is not shown in place of what the student did since."""
    bench.hand_in(GOOD, outcome(True))
    newer = bench.hand_in(BAD, outcome(False))
    bench.publish("2")
    bench.regrade()
    assert bench.store.last_attempts(FIRST)[ONE].id == newer
    waiting, _ = bench.store.submit(FIRST, ONE, bench.catalog.course("tiny").version)
    assert bench.store.last_attempts(FIRST)[ONE] == waiting


@pytest.mark.parametrize(
    ("files", "step", "reason"), [(None, ONE, NO_SNAPSHOT), (None, TWO, MACHINE_CHECK)]
)
def test_what_cannot_be_graded_again_says_why(
    bench: Bench, files: Overlay | None, step: StepName, reason: str
) -> None:
    """Machine checks and lost snapshots are reported, and change nothing."""
    bench.hand_in(files, outcome(True), step=step)
    bench.publish("2")
    before = bench.state()
    (result,) = bench.regrade(take_away=True)
    assert result.not_graded == reason
    assert bench.state() == before


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("submit: [app.py]", "submit: [app.py, data.csv]"), "'data.csv'"),
        (("submit: [app.py]", "submit: ['*.py']"), "'*.py'"),
        (
            ("kind: files, run: pytest -q test_one.py, submit: [app.py]", "kind: machine, run: x"),
            "",
        ),
    ],
)
def test_a_check_that_wants_more_is_not_fooled(
    bench: Bench, change: tuple[str, str], reason: str
) -> None:
    """Files that the newer check takes and nobody took then are no fault of the student."""
    bench.hand_in(GOOD, outcome(True))
    bench.publish("2", check=change)  # type: ignore[arg-type]
    (result,) = bench.regrade(take_away=True)
    assert result.not_graded is not None
    assert reason in result.not_graded
    assert bench.graded == []
    assert bench.passed() == {ONE}


def test_a_check_that_wants_less_gets_less(bench: Bench) -> None:
    """Files that the newer check does not take are not given to it."""
    bench.publish("1b", check=("submit: [app.py]", "submit: ['*']"))  # type: ignore[arg-type]
    bench.hand_in({**GOOD, "notes.txt": OverlayFile(b"x")}, outcome(False))
    version = bench.publish("2", check=("submit: ['*']", "submit: [app.py]"))  # type: ignore[arg-type]
    bench.regrade()
    assert bench.graded == [(version, "one", GOOD)]


def test_our_faults_store_nothing_and_are_tried_again(bench: Bench) -> None:
    """Docker being away costs nobody anything; the next run goes on."""
    bench.hand_in(GOOD, outcome(False))
    bench.publish("2")
    before = bench.state()
    bench.fault = DockerUnavailable("no socket")
    (result,) = bench.regrade(take_away=True)
    assert result.fault == "docker_unavailable: no socket"
    assert bench.state() == before
    bench.fault = None
    (result,) = bench.regrade()
    assert result.effect is Effect.PASSES


def test_a_student_who_is_removed_meanwhile(bench: Bench) -> None:
    """The others are graded all the same."""
    bench.hand_in(GOOD, outcome(False))
    bench.hand_in(GOOD, outcome(False), GRACE)
    bench.publish("2")

    def remove_ada(*arguments: object) -> Outcome:
        with bench.store.database.writing() as session:
            session.execute(text("DELETE FROM progress WHERE user_name = 'ada'"))
        return outcome(True)

    bench.grade = remove_ada  # type: ignore[method-assign]
    ada, grace = bench.regrade(slots=1)
    assert ada.not_graded is not None
    assert grace.effect is Effect.PASSES
    assert bench.passed(GRACE) == {ONE}


def test_an_ungradable_answer_is_graded_in_its_own_version(bench: Bench) -> None:
    """What a fault of ours left without a verdict gets one, without a new version."""
    course = bench.catalog.course("tiny")
    bench.store.submit(FIRST, ONE, course.version)
    claim = bench.store.claim("w", 30)
    assert claim is not None
    bench.snapshots.keep(claim.attempt.id, claim.lease, GOOD)
    bench.store.give_up(claim.attempt.id, claim.lease, "image missing")
    (result,) = bench.regrade()
    assert (result.before.kind, result.effect) == (OutcomeKind.UNGRADABLE, Effect.PASSES)
    assert bench.passed() == {ONE}
    assert bench.regrade()[0].after is None


def test_a_stopped_run_goes_on(bench: Bench) -> None:
    """What was given before the run was stopped is stored; the next run does the rest only."""
    places = [replace(FIRST, user=UserName(f"u{n}")) for n in range(6)]
    for place in places:
        bench.hand_in(GOOD, outcome(False), place)
    bench.publish("2")
    run = regrade_course(
        bench.regrades,
        bench.snapshots,
        bench.catalog,
        bench.grade,
        "tiny",
        is_dry_run=False,
        slots=1,
    )
    next(run)
    run.close()
    done = len(bench.graded)
    assert 1 <= done <= 6
    assert len(bench.events(EventName.ATTEMPT_REGRADED)) == done
    bench.regrade()
    assert len(bench.graded) == 6
    assert all(bench.passed(place) == {ONE} for place in places)


def test_hints_count_what_students_asked_for(bench: Bench) -> None:
    """Attempts graded again open no hint by their number and count in no event."""
    bench.hand_in(BAD, outcome(False))
    for mark in "23":
        bench.publish(mark)
        bench.regrade()
    bench.hand_in(GOOD, outcome(True))
    (passed,) = bench.events(EventName.STEP_PASSED)
    assert passed.data["attempts"] == 2


def test_the_database_being_away_is_an_error(bench: Bench, make_url: Callable[[], str]) -> None:
    """A database that refuses ends the run; it is no verdict."""
    empty = Store(make_url())
    run = regrade_course(
        Regrades(empty), bench.snapshots, bench.catalog, bench.grade, "tiny", is_dry_run=True
    )
    with pytest.raises(StoreError):
        list(run)
    empty.close()
