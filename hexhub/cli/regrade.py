"""``hexhub regrade``: answers that were handed in, graded with a newer version of the course."""

import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from hexhub.catalog.model import Course
from hexhub.catalog.published import PublishedCatalog
from hexhub.checks.engine import Engine
from hexhub.checks.sandbox import Sandbox
from hexhub.checks.texts import clean_line
from hexhub.cli.worker import snapshot_limits
from hexhub.progress.regrades import Regrades
from hexhub.progress.snapshots import Snapshots
from hexhub.progress.store import Store
from hexhub.runtimes import read_runtimes
from hexhub.settings import Settings
from hexhub.state_folder import StateFolder
from hexhub.usecases.regrade_course import (
    SLOTS,
    Effect,
    Regraded,
    find_finishes,
    regrade_course,
)
from hexhub.usecases.run_check import make_kept_grader

_EFFECTS = {
    Effect.PASSES: ("the step is passed", "green"),
    Effect.STAYS_PASSED: ("the step stays passed", "yellow"),
    Effect.TAKEN_AWAY: ("the step is passed no more", "red"),
}


@click.command()
@click.argument("course")
@click.option("--lesson", "only", metavar="ID", help="Only this lesson.")
@click.option(
    "--against", metavar="VERSION", help="A version that was published; else the current one."
)
@click.option(
    "--dry-run", "is_dry_run", is_flag=True, help="Show what would change; change nothing."
)
@click.option(
    "--take-away",
    is_flag=True,
    help="Take a passed step (and a finished lesson) away where the answer does not pass any more.",
)
@click.option(
    "--slots",
    type=click.IntRange(1, 64),
    default=SLOTS,
    show_default=True,
    help="Checks at a time; students' own checks run beside.",
)
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="HEXHUB_STATE",
    default=".hexhub",
    show_default=True,
    help="Folder of the HexHub whose answers they are.",
)
def regrade(
    course: str,
    only: str | None,
    against: str | None,
    is_dry_run: bool,
    take_away: bool,
    slots: int,
    state: Path,
) -> None:
    """Grade what students handed in again, with the current version of COURSE.

    Exit code 0: done. 1: some answers could not be run; run it again, and it goes on.
    """
    settings = Settings.from_environment({**os.environ, "HEXHUB_STATE": str(state)})
    folder = StateFolder(settings.state)
    catalog = PublishedCatalog(settings.published)
    # First, so that a folder of no HexHub is said before a database is made in it.
    target = catalog.course(course, against)
    store = Store(settings.database_url)
    store.migrate()
    engine = Engine(
        settings.hub_id or (folder.hub_id if folder.exists else "cli"),
        runtimes=read_runtimes(settings.runtimes),
    )
    results: list[Regraded] = []
    click.echo(click.style(_columns("student", "lesson", "step") + "before → after", bold=True))
    try:
        for result in regrade_course(
            Regrades(store),
            Snapshots(store, snapshot_limits(settings)),
            catalog,
            make_kept_grader(Sandbox(engine), catalog),
            course,
            only=only,
            against=target.version,
            is_dry_run=is_dry_run,
            take_away=take_away,
            slots=slots,
        ):
            if result.is_changed or result.effect is not Effect.NONE or result.fault:
                _print_row(result)
            results.append(result)
    finally:
        engine.close()
        store.close()
    _print_totals(results, target, is_dry_run=is_dry_run)
    sys.exit(1 if any(result.fault for result in results) else 0)


def _columns(student: str, lesson: str, step: str) -> str:
    return f"{student:<16} {lesson:<16} {step:<16} "


def _print_row(result: Regraded) -> None:
    """Print one answer and the tests that ended otherwise. The names may be a student's choice."""
    its = result.standing.original
    where = _columns(clean_line(its.place.user), its.place.lesson, its.step)
    if result.fault is not None:
        click.echo(where + click.style(f"could not be run: {clean_line(result.fault)}", fg="red"))
        return
    after = result.before if result.after is None else result.after
    says, colour = _EFFECTS.get(result.effect, ("", None))
    verdicts = f"{result.before.kind.value} → {after.kind.value}"
    click.echo(f"{where}{verdicts:<20} {click.style(says, fg=colour)}".rstrip())
    for change in result.test_changes:
        words = [end.value if end else "not there" for end in (change.before, change.after)]
        click.echo(f"    {clean_line(change.id)}   {' → '.join(words)}")


def _print_totals(results: Sequence[Regraded], course: Course, *, is_dry_run: bool) -> None:
    graded = [result for result in results if result.after is not None]
    changed = [result for result in results if result.is_changed]
    click.echo()
    click.echo(
        f"{course.name}, version {course.version}: {len(results)} answers, "
        f"{len(graded)} graded again, {len(changed)} changed."
    )
    better = [r for r in graded if r.after and r.after.is_pass and not r.before.is_pass]
    worse = [r for r in graded if r.after and not r.after.is_pass and r.before.is_pass]
    finished, unfinished = find_finishes(results, course)
    lines = [
        (len(better), "did not pass and pass now."),
        (len(worse), "passed and do not pass any more."),
        (_count(results, Effect.PASSES), "steps are passed by it."),
        (
            _count(results, Effect.STAYS_PASSED),
            "steps stay passed all the same; --take-away would take them away.",
        ),
        (_count(results, Effect.TAKEN_AWAY), "steps are passed no more."),
        (len(finished), "lessons are finished by it."),
        (len(unfinished), "lessons are finished no more."),
        (sum(_is_done(r) for r in results), "have a verdict of this version already."),
    ]
    reasons = Counter(r.not_graded for r in results if r.not_graded is not None)
    lines += [(count, f"not graded again. {reason}") for reason, count in reasons.most_common()]
    faults = sum(result.fault is not None for result in results)
    lines.append((faults, "could not be run. Run it again, and it goes on from here."))
    for count, text in lines:
        if count:
            click.echo(f"{count:>6}  {text}")
    if is_dry_run:
        click.echo("This was a dry run: nothing is stored.")


def _count(results: Sequence[Regraded], effect: Effect) -> int:
    return sum(result.effect is effect for result in results)


def _is_done(result: Regraded) -> bool:
    return result.after is None and result.not_graded is None and result.fault is None
