"""``hexhub course``: verify and publish courses, see what went wrong; the files' JSON Schemas."""

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import click

_folder = click.argument(
    "folder", metavar="PATH", type=click.Path(exists=True, file_okay=False, path_type=Path)
)


@click.group()
def course() -> None:
    """Verify and publish courses."""


@course.command()
@_folder
@click.option("--lesson", "only", metavar="ID", help="Only this lesson.")
def verify(folder: Path, only: str | None) -> None:
    """Prove a course: starters fail, solutions pass, wrong answers fail where they must."""
    from hexhub.checks.engine import Engine
    from hexhub.checks.sandbox import Sandbox
    from hexhub.runtimes import read_runtimes
    from hexhub.settings import Settings
    from hexhub.usecases.verify_course import Finding, verify_course

    lesson = ""

    def show(finding: Finding) -> None:
        nonlocal lesson
        if finding.lesson != lesson:
            lesson = finding.lesson
            click.echo(click.style(lesson, bold=True))
        mark = click.style("✓", fg="green") if finding.is_right else click.style("✗", fg="red")
        outcome = finding.outcome.kind.value if finding.outcome else "-"
        click.echo(f"  {mark} {finding.answer:<28} {finding.step:<16} {outcome}")
        if finding.problem is not None:
            click.echo(click.style(f"      {finding.wanted}", fg="red"))
            for line in finding.problem.splitlines():
                click.echo(f"      {line}")

    began = time.monotonic()
    engine = Engine(runtimes=read_runtimes(Settings.from_environment().runtimes))
    try:
        result = verify_course(
            Sandbox(engine),
            folder.absolute(),
            only=only,
            say=lambda line: click.echo(line, err=True),
            on_finding=show,
        )
    finally:
        engine.close()
    seconds = time.monotonic() - began
    if result.is_right:
        click.echo(
            click.style(f"All {len(result.findings)} findings are right.", fg="green")
            + f"  [{seconds:.0f} s]"
        )
        return
    click.echo(
        click.style(f"{len(result.problems)} of {len(result.findings)} are wrong:", fg="red")
        + f"  [{seconds:.0f} s]"
    )
    for finding in result.problems:
        place = " / ".join(part for part in (finding.lesson, finding.answer, finding.step) if part)
        click.echo(f"  {place}: {(finding.problem or '').splitlines()[0]}")
    sys.exit(1)


@course.command()
@_folder
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="HEXHUB_STATE",
    default=".hexhub",
    show_default=True,
    help="Folder of the HexHub that publishes it.",
)
def publish(folder: Path, state: Path) -> None:
    """Make this the version that students see, once its solutions pass."""
    from hexhub.catalog.published import PublishedCatalog
    from hexhub.checks.engine import Engine
    from hexhub.checks.sandbox import Sandbox
    from hexhub.runtimes import read_runtimes
    from hexhub.settings import Settings
    from hexhub.usecases.publish_course import publish_course

    engine = Engine(runtimes=read_runtimes(Settings.from_environment().runtimes))
    try:
        catalog = PublishedCatalog(state.absolute() / "catalog")
        publish_course(Sandbox(engine), catalog, folder.absolute(), say=click.echo)
    finally:
        engine.close()


@course.command()
@click.argument("name", metavar="COURSE")
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=20,
    show_default=True,
    help="How many, newest first.",
)
def ungradable(name: str, limit: int) -> None:
    """Show the attempts at COURSE that could not be checked, and why.

    Students see of these that it is not their fault, and nothing of the reason.
    """
    from hexhub.catalog.published import PublishedCatalog
    from hexhub.checks.texts import clean, clean_line
    from hexhub.names import CourseName
    from hexhub.progress.store import Store
    from hexhub.settings import Settings

    settings = Settings.from_environment()
    store = Store(settings.database_url)
    try:
        found = store.ungradable(CourseName(name), limit)
    finally:
        store.close()
    if not found:
        # A name that is mistyped must not look like good news.
        PublishedCatalog(settings.published).course(name)
        click.echo(f"All attempts at '{name}' could be checked.")
        return
    for attempt, reason in found:
        at = attempt.finished_at or attempt.requested_at
        tries = f"{attempt.tries} {'try' if attempt.tries == 1 else 'tries'}"
        user = clean_line(attempt.place.user)
        where = f"{attempt.place.lesson}/{attempt.step}"
        click.echo(f"{at:%Y-%m-%d %H:%M:%S} UTC  {click.style(user, bold=True)}  {where}  {tries}")
        # Reasons quote what Docker and a check's container said: no escapes into this terminal.
        for line in clean(reason).splitlines():
            click.echo(f"    {line}")


@course.command()
@click.argument("what", type=click.Choice(["lesson", "course", "outcome"]), default="lesson")
def schema(what: str) -> None:
    """Print the JSON Schema of lesson.yml or course.yml, for editors; or of a check's outcome."""
    from hexhub.catalog.format import course_schema, lesson_schema
    from hexhub.checks.schemas import read_outcome_schema

    made: Mapping[str, object]
    if what == "outcome":
        made = read_outcome_schema()
    else:
        made = lesson_schema() if what == "lesson" else course_schema()
    click.echo(json.dumps(made, ensure_ascii=False, indent=2))
