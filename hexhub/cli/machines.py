"""``hexhub machines``: the students' machines of this HexHub, and what becomes of old ones."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from docker.errors import DockerException

from hexhub.archives import Archives
from hexhub.checks.texts import clean_line
from hexhub.cli.up import state_option
from hexhub.errors import SetupError, StoreError
from hexhub.machines import connect_docker, find_containers
from hexhub.names import machine_name, make_server_name
from hexhub.progress.store import Store
from hexhub.set_aside import kept_until
from hexhub.settings import Settings
from hexhub.state_folder import StateFolder
from hexhub.usecases.archive_machines import Fate, archive_machines

_MB = 1024**2


@click.group()
def machines() -> None:
    """See the students' machines; keep the files of old ones and remove them."""


@machines.command("list")
@state_option
def list_machines(state_path: Path) -> None:
    """List the machines and whose they are, and until when one is kept that a reset put aside."""
    state = _started(state_path)
    owners = _owners(state)
    entries = find_containers(connect_docker(), state.hub_id)
    rows = [
        (str(next(iter(entry.get("Names") or ["/"])))[1:], str(entry.get("Status", "")))
        for entry in entries
        if (entry.get("Labels") or {}).get("hexhub.kind") == "student"
    ]
    for name, status in sorted(rows):
        until = kept_until(name)
        aside = "" if until is None else f"  put aside, kept until {until:%Y-%m-%d %H:%M} UTC"
        click.echo(f"{name}  {owners.get(name.partition('.')[0], '-')}  {status}{aside}")
    click.echo(f"{len(rows)} machine(s).")


@machines.command()
@state_option
@click.option(
    "--unused-days",
    type=click.IntRange(0),
    help="Machines that were stopped so long ago.  [default: HEXHUB_MACHINE_DAYS, or 90]",
)
@click.option("--dry-run", "is_dry_run", is_flag=True, help="Say which; touch nothing.")
def archive(state_path: Path, unused_days: int | None, is_dry_run: bool) -> None:
    """Keep the files of machines that nobody used for long, and remove the machines.

    The worker does this once an hour by itself. Students find their files on the course's page.
    """
    state = _started(state_path)
    settings = Settings.from_environment()
    days = settings.machine_days if unused_days is None else unused_days
    count = 0
    try:
        for done in archive_machines(
            connect_docker(),
            state.hub_id,
            Archives(state.archives),
            unused=timedelta(days=days),
            most_bytes=settings.archive_bytes,
            now=datetime.now(UTC),
            is_dry_run=is_dry_run,
        ):
            size = f", {done.size_bytes / _MB:.1f} MB" if done.size_bytes else ""
            click.echo(
                f"{done.machine.name}  stopped {done.machine.stopped_at:%Y-%m-%d}: "
                f"{done.fate.value}{size}"
            )
            count += done.fate in (Fate.ARCHIVED, Fate.WOULD_GO)
    except DockerException as exc:
        raise SetupError(f"Docker did not list the machines: {exc}") from exc
    click.echo(f"{count} machine(s) {'would be ' if is_dry_run else ''}archived and removed.")


def _owners(state: StateFolder) -> Mapping[str, str]:
    """Give whose each machine is, by its name: students who have opened a lesson."""
    settings = Settings.from_environment({**os.environ, "HEXHUB_STATE": str(state.path)})
    store = Store(settings.database_url)
    try:
        places = store.places()
    except StoreError:
        return {}  # of a HexHub that was never used, or the database is away
    finally:
        store.close()
    return {
        machine_name(
            state.hub_id, place.user, make_server_name(place.course, place.lesson)
        ): clean_line(f"{place.user} {place.course}/{place.lesson}")
        for place in places
    }


def _started(state_path: Path) -> StateFolder:
    state = StateFolder(state_path.absolute())
    if not state.exists:
        raise SetupError(f"No HexHub was ever started with the state folder {state.path}.")
    return state
