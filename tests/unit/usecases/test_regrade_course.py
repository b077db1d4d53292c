"""Which files a newer check may be given, and what new outcomes do to lessons."""

from datetime import UTC, datetime

import pytest

from hexhub.catalog.model import (
    CheckKind,
    CheckSpec,
    Course,
    Lesson,
    Limits,
    MachineUser,
    Network,
    ReportFormat,
    Step,
    Text,
)
from hexhub.catalog.overlays import OverlayFile
from hexhub.checks.model import Outcome, OutcomeKind, TestOutcome, TestResult
from hexhub.checks.runner import taken_patterns
from hexhub.names import CourseName, LessonName, StepName, UserName, Version
from hexhub.progress.model import Attempt, AttemptState, Place, Progress, Standing
from hexhub.progress.regrades import Verdict, find_counting
from hexhub.usecases.regrade_course import (
    Effect,
    Regraded,
    find_finishes,
    find_lacking,
    pick_files,
)

TEXT = Text({"en": "x"})
A, B = StepName("a"), StepName("b")
LESSON = Lesson(
    CourseName("c"),
    LessonName("l"),
    TEXT,
    "hexhub/base",
    MachineUser.STUDENT,
    Limits(1, 1.0, 1, 1, 1),
    Network.NONE,
    (Step(A, TEXT, TEXT, None), Step(B, TEXT, TEXT, None)),
    TEXT,
    notebook="n.ipynb",
)
COURSE = Course(CourseName("c"), TEXT, TEXT, ("en",), (LESSON,), Version("v"))
PLACE = Place(UserName("ada"), COURSE.name, LESSON.name)
NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
FILES = {"app.py": OverlayFile(b"1"), "src/a.py": OverlayFile(b"2"), "src/b.txt": OverlayFile(b"3")}


def result(step: StepName, effect: Effect, progress: Progress) -> Regraded:
    """Give a result of ada's with this effect."""
    outcome = Outcome(OutcomeKind.FAILED)
    attempt = Attempt("x", PLACE, step, Version("v"), AttemptState.DONE, NOW, outcome=outcome)
    return Regraded(Standing(attempt, attempt, True, progress), outcome, effect)


def progress(*passed: StepName, is_finished: bool = False) -> Progress:
    """Give ada's progress."""
    return Progress(
        PLACE,
        Version("v"),
        NOW,
        dict.fromkeys(passed, NOW),
        finished_at=NOW if is_finished else None,
    )


@pytest.mark.parametrize(
    ("wanted", "taken", "lacking"),
    [
        (("app.py",), ("app.py",), None),
        (("app.py",), ("*.py",), None),
        (("app.py",), (), None),
        (("*.py",), ("*.py", "src"), None),
        (("*.py",), ("app.py",), "*.py"),
        (("src",), ("src/a.py", "src/b.txt"), "src"),
        (("src/c.py",), ("src/a.py",), "src/c.py"),
        (("app.py", "data.csv"), ("app.py",), "data.csv"),
        (("*.py",), (), "*.py"),
        ((), ("app.py",), None),
    ],
)
def test_what_a_snapshot_may_lack(
    wanted: tuple[str, ...], taken: tuple[str, ...], lacking: str | None
) -> None:
    """A file that is there and a pattern that was asked for then are not lacking."""
    assert find_lacking(wanted, taken, FILES) == lacking


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (("app.py",), {"app.py"}),
        (("src",), {"src/a.py", "src/b.txt"}),
        (("**/*.py",), {"app.py", "src/a.py"}),
        ((".",), {"app.py", "src/a.py", "src/b.txt"}),
        ((), set()),
    ],
)
def test_a_check_gets_what_it_takes(patterns: tuple[str, ...], names: set[str]) -> None:
    """The patterns mean the same as when files are taken from a machine."""
    assert set(pick_files(patterns, FILES)) == names


@pytest.mark.parametrize(
    ("kind", "patterns"),
    [
        (CheckKind.FILES, ("data",)),
        (CheckKind.NOTEBOOK, ("n.ipynb", "data")),
        (CheckKind.MACHINE, ()),
    ],
)
def test_what_each_kind_takes(kind: CheckKind, patterns: tuple[str, ...]) -> None:
    """A notebook check takes the notebook too; a machine check takes nothing."""
    spec = CheckSpec(kind, "x", ReportFormat.JUNIT, 1.0, submit=("data",))
    assert taken_patterns(LESSON, spec) == patterns


def test_lessons_that_are_finished_by_it() -> None:
    """All steps passed, those of this run included; who was finished before is not told again."""
    made = [result(B, Effect.PASSES, progress(A))]
    assert find_finishes(made, COURSE) == ([PLACE], [])
    assert find_finishes([result(B, Effect.PASSES, progress())], COURSE) == ([], [])
    known = [result(B, Effect.PASSES, progress(A, is_finished=True))]
    assert find_finishes(known, COURSE) == ([], [])


def test_lessons_that_are_finished_no_more() -> None:
    """Only what is taken away ends a finished lesson, not a step that was never passed."""
    finished = progress(A, B, is_finished=True)
    assert find_finishes([result(A, Effect.TAKEN_AWAY, finished)], COURSE) == ([], [PLACE])
    assert find_finishes([result(A, Effect.STAYS_PASSED, finished)], COURSE) == ([], [])
    assert find_finishes([result(A, Effect.TAKEN_AWAY, progress(A, B))], COURSE) == ([], [])


def test_tests_that_changed() -> None:
    """What ended otherwise, came or went, in the order of the new report."""

    def outcome(**ends: TestOutcome) -> Outcome:
        tests = tuple(TestResult(id, id, end) for id, end in ends.items())
        return Outcome(OutcomeKind.FAILED, tests=tests)

    passed, failed = TestOutcome.PASSED, TestOutcome.FAILED
    before = outcome(gone=passed, same=failed, other=failed)
    after = outcome(new=failed, other=passed, same=failed)
    attempt = Attempt("x", PLACE, A, Version("v"), AttemptState.DONE, NOW, outcome=before)
    made = Regraded(Standing(attempt, attempt, True, progress()), after)
    assert [(c.id, c.before, c.after) for c in made.test_changes] == [
        ("new", None, failed),
        ("other", failed, passed),
        ("gone", passed, None),
    ]
    assert made.is_changed


@pytest.mark.parametrize(
    ("verdicts", "counts"),
    [
        ([Verdict(1, 1, False, True), Verdict(2, 2, False, True)], 2),
        ([Verdict(1, 1, True, True), Verdict(2, 2, False, True)], 1),
        ([Verdict(1, 1, False, True), Verdict(2, 2, False, False)], 1),
        ([Verdict(1, 1, True, False), Verdict(2, 2, False, True)], 1),
        # Graded again, the first passes no more: the second counts.
        ([Verdict(1, 1, True, True), Verdict(2, 2, False, True), Verdict(3, 1, False, True)], 2),
        # Graded again, the first passes now: its newest verdict is given.
        ([Verdict(1, 1, False, True), Verdict(2, 2, False, True), Verdict(3, 1, True, True)], 3),
    ],
)
def test_which_verdict_counts(verdicts: list[Verdict], counts: int) -> None:
    """What passed before what did not, what is kept before what is not, newer before older."""
    assert find_counting(reversed(verdicts)).sequence == counts
