"""A teacher has the answers of a course graded again, with a newer version of its checks.

Graded again is the one attempt of each student at each step that counts
(:mod:`hexhub.progress.regrades`), from its snapshot, by the worker's own code. What was graded in
the wanted version already is not run again, so that a run that was stopped goes on where it was.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

from hexhub.catalog.model import CheckKind, CheckSpec, Course, Lesson, Step
from hexhub.catalog.overlays import OverlayFile
from hexhub.catalog.published import PublishedCatalog
from hexhub.checks.model import Outcome, OutcomeKind, TestOutcome
from hexhub.checks.runner import taken_patterns
from hexhub.checks.taking import Pattern
from hexhub.errors import AttemptNotFound, CheckError, CourseError, SnapshotDamaged
from hexhub.names import LessonName
from hexhub.progress.model import Place, Standing, is_finished
from hexhub.progress.regrades import Regrades
from hexhub.progress.snapshots import Snapshots
from hexhub.usecases.run_check import KeptGrader

SLOTS = 2
"""Checks at one time: students' own checks go on beside."""
MACHINE_CHECK = "The check looks at a running machine, of which nothing can be kept."
NO_SNAPSHOT = "Nothing is kept of what was handed in: too big, too old, or it could not be taken."


class Effect(StrEnum):
    """What a new outcome does to the step."""

    NONE = "none"
    PASSES = "passes"
    """The step was not passed and is now."""
    STAYS_PASSED = "stays passed"
    """The answer does not pass any more; the step is passed nevertheless."""
    TAKEN_AWAY = "taken away"
    """The answer does not pass any more, and nor is the step."""


@dataclass(frozen=True)
class TestChange:
    """A test that ended otherwise; None where it is not in the one report or the other."""

    __test__ = False
    id: str
    before: TestOutcome | None
    after: TestOutcome | None


@dataclass(frozen=True)
class Regraded:
    """What came of one student's answer at one step.

    Attributes:
        standing: The attempt that counts, as it was.
        after: The new outcome; None where it was not graded again.
        effect: On the step; in a dry run, what it would be.
        not_graded: Why it cannot be graded again; None where it was, or needs not be.
        fault: Why it could not be run this time, by a fault of ours; another run may.
    """

    standing: Standing
    after: Outcome | None = None
    effect: Effect = Effect.NONE
    not_graded: str | None = None
    fault: str | None = None

    @property
    def before(self) -> Outcome:
        """The newest outcome that there was."""
        outcome = self.standing.latest.outcome
        assert outcome is not None  # noqa: S101 - only finished attempts stand
        return outcome

    @property
    def test_changes(self) -> tuple[TestChange, ...]:
        """The tests that ended otherwise, in the new report's order, those that are gone last."""
        if self.after is None:
            return ()
        before = {test.id: test.outcome for test in self.before.tests}
        after = {test.id: test.outcome for test in self.after.tests}
        ids = [*after, *(id for id in before if id not in after)]
        return tuple(
            TestChange(id, before.get(id), after.get(id))
            for id in ids
            if before.get(id) is not after.get(id)
        )

    @property
    def is_changed(self) -> bool:
        """Tell whether there is anything to see for the student."""
        is_other = self.after is not None and (
            self.after.kind is not self.before.kind or bool(self.test_changes)
        )
        return is_other or self.effect in (Effect.PASSES, Effect.TAKEN_AWAY)


def regrade_course(
    regrades: Regrades,
    snapshots: Snapshots,
    catalog: PublishedCatalog,
    grader: KeptGrader,
    name: str,
    *,
    only: str | None = None,
    against: str | None = None,
    is_dry_run: bool,
    take_away: bool = False,
    slots: int = SLOTS,
) -> Iterator[Regraded]:
    """Grade the answers of a course again, and give what came of each, by student and lesson.

    A new outcome is stored beside the old one as soon as it is there. A step that passes now is
    passed, with its events; nothing that is passed or finished is taken away unless told to.

    Args:
        regrades, snapshots, catalog: The database, and the published courses.
        grader: Runs one check on files; called from several threads at once.
        name: Of the course.
        only: This lesson alone.
        against: A version that was published; None means the current one.
        is_dry_run: Run the checks and store nothing.
        take_away: Take the pass of a step away where its answer does not pass any more.
        slots: Checks at one time.

    Raises:
        CourseNotFound: No such course is published.
        VersionNotFound: It has no such version on disk.
        LessonNotFound: The course has no lesson ``only`` in that version.
        StoreError: The database refuses; what was given before is done.
    """
    course = catalog.course(name, against)
    lesson_name: LessonName | None = None if only is None else course.lesson(only).name
    job = _Regrading(regrades, snapshots, catalog, grader, course, is_dry_run, take_away)
    standings = regrades.standings(course.name, lesson_name)
    threads = ThreadPoolExecutor(slots)
    try:
        futures: list[Future[Regraded]] = [threads.submit(job.regrade, its) for its in standings]
        for future in futures:
            yield future.result()
    finally:
        # Whoever stops reading (Ctrl-C) wants no further check begun.
        threads.shutdown(cancel_futures=True)


@dataclass(frozen=True)
class _Regrading:
    regrades: Regrades
    snapshots: Snapshots
    catalog: PublishedCatalog
    grader: KeptGrader
    course: Course
    is_dry_run: bool
    take_away: bool

    def regrade(self, standing: Standing) -> Regraded:
        """Grade one answer again, unless that is done or cannot be."""
        try:
            return self._regrade(standing)
        except AttemptNotFound:
            return Regraded(standing, not_graded="The student was removed in the meantime.")

    def _regrade(self, standing: Standing) -> Regraded:
        try:
            lesson = self.course.lesson(standing.original.place.lesson)
            step = lesson.step(standing.original.step)
        except CourseError as exc:
            return Regraded(standing, not_graded=str(exc))
        if self._is_done(standing):
            return self._settle(standing, lesson)
        if step.check is None:
            return Regraded(standing, not_graded="The step has no check in this version.")
        if step.check.kind is CheckKind.MACHINE:
            return Regraded(standing, not_graded=MACHINE_CHECK)
        try:
            files = self.snapshots.files(standing.original.id)
        except SnapshotDamaged as exc:
            return Regraded(standing, not_graded=str(exc))
        if files is None:
            return Regraded(standing, not_graded=self._why_no_snapshot(standing))
        patterns = taken_patterns(lesson, step.check)
        lacking = find_lacking(patterns, self._patterns_before(standing), files)
        if lacking is not None:
            return Regraded(
                standing,
                not_graded=f"In this version the check takes '{lacking}', "
                "which was not taken when the answer was handed in.",
            )
        return self._grade(standing, lesson, step, pick_files(patterns, files))

    def _grade(
        self, standing: Standing, lesson: Lesson, step: Step, files: dict[str, OverlayFile]
    ) -> Regraded:
        version = self.course.version
        try:
            expected = self.catalog.expected_tests(
                self.course.name, version, lesson.name, step.name
            )
            outcome = self.grader(self.course, lesson, step, files, expected)
        except CheckError as exc:
            return Regraded(standing, fault=f"{exc.code}: {exc}")
        effect = self._effect(standing, outcome)
        if not self.is_dry_run:
            self.regrades.finish(
                standing.original.id, version, outcome, lesson, take_away=self.take_away
            )
        return Regraded(standing, outcome, effect)

    def _is_done(self, standing: Standing) -> bool:
        """Tell whether there is a verdict of this version; a fault of ours is none."""
        latest = standing.latest
        is_verdict = (
            latest.outcome is not None and latest.outcome.kind is not OutcomeKind.UNGRADABLE
        )
        return is_verdict and latest.version == self.course.version

    def _settle(self, standing: Standing, lesson: Lesson) -> Regraded:
        """Take away what an earlier run graded and left; everything else is done already."""
        done = Regraded(standing)
        effect = self._effect(standing, done.before)
        if effect is not Effect.TAKEN_AWAY:
            return done
        if not self.is_dry_run:
            its = standing.original
            self.regrades.take_away(its.place, its.step, self.course.version, lesson)
        return Regraded(standing, effect=effect)

    def _effect(self, standing: Standing, outcome: Outcome) -> Effect:
        if outcome.is_pass:
            return Effect.NONE if standing.is_passed else Effect.PASSES
        if not standing.is_passed:
            return Effect.NONE
        return Effect.TAKEN_AWAY if self.take_away else Effect.STAYS_PASSED

    def _why_no_snapshot(self, standing: Standing) -> str:
        before = self._check_before(standing)
        if before is not None and before[1].kind is CheckKind.MACHINE:
            return MACHINE_CHECK
        return NO_SNAPSHOT

    def _patterns_before(self, standing: Standing) -> tuple[str, ...]:
        before = self._check_before(standing)
        return () if before is None else taken_patterns(*before)

    def _check_before(self, standing: Standing) -> tuple[Lesson, CheckSpec] | None:
        """Give the check by which the files were taken; None where that version is gone."""
        its = standing.original
        try:
            lesson = self.catalog.course(self.course.name, its.version).lesson(its.place.lesson)
            check = lesson.step(its.step).check
        except CourseError:
            return None
        return None if check is None else (lesson, check)


def find_finishes(results: Iterable[Regraded], course: Course) -> tuple[list[Place], list[Place]]:
    """Give the places whose lesson is finished by new outcomes, and those where no more; pure.

    Args:
        results: Of one run.
        course: In the version that was graded.
    """
    finished: list[Place] = []
    unfinished: list[Place] = []
    effects: dict[Place, list[Regraded]] = {}
    for result in results:
        if result.effect in (Effect.PASSES, Effect.TAKEN_AWAY):
            effects.setdefault(result.standing.original.place, []).append(result)
    for place, its in effects.items():
        progress = its[0].standing.progress
        passed = set(progress.passed_at)
        passed |= {r.standing.original.step for r in its if r.effect is Effect.PASSES}
        passed -= {r.standing.original.step for r in its if r.effect is Effect.TAKEN_AWAY}
        is_now = is_finished(course.lesson(place.lesson), passed)
        has_lost = any(r.effect is Effect.TAKEN_AWAY for r in its)
        if progress.finished_at is None and is_now:
            finished.append(place)
        elif progress.finished_at is not None and has_lost and not is_now:
            unfinished.append(place)
    return finished, unfinished


def find_lacking(
    wanted: tuple[str, ...], taken: tuple[str, ...], files: dict[str, OverlayFile]
) -> str | None:
    """Give what a check takes and a snapshot may lack, or None; pure.

    Args:
        wanted: Paths and patterns of the newer check.
        taken: Those by which the snapshot was taken; empty where that is not known.
        files: The snapshot.
    """
    return next((text for text in wanted if text not in taken and text not in files), None)


def pick_files(patterns: tuple[str, ...], files: dict[str, OverlayFile]) -> dict[str, OverlayFile]:
    """Give those files of a snapshot that a check takes; pure."""
    parsed = [Pattern.parse(text) for text in patterns]
    return {path: file for path, file in files.items() if any(each.names(path) for each in parsed)}
