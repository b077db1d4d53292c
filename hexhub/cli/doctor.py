"""``hexhub doctor``."""

import os
import shutil
import signal
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import click

from hexhub.cli.up import DEFAULT_PORT, state_option
from hexhub.doctor import Finding, Level, examine, examine_walls
from hexhub.isolation.model import Reach, Row, name_machines, tabulate
from hexhub.machines import connect_docker
from hexhub.state_folder import StateFolder

_COLOURS = {Level.OK: "green", Level.NOTE: "blue", Level.WARNING: "yellow", Level.ERROR: "red"}
_LEVEL_WIDTH = 8
_ABOUT_WIDTH = 17


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=DEFAULT_PORT, show_default=True)
@state_option
@click.option(
    "--isolation",
    "is_isolation",
    is_flag=True,
    help="Try from inside throw-away machines what students cannot reach; as root.",
)
def doctor(port: int, state_path: Path, is_isolation: bool) -> None:
    """Say what this computer lacks, and what to do; exit code 1 where something must be done.

    With --isolation the exit code is 1 where a door is not as it should be, and 3 where none was
    found so, but some could not be tried.
    """
    if is_isolation:
        sys.exit(_examine_isolation(StateFolder(state_path.absolute())))
    findings = examine(StateFolder(state_path.absolute()), port)
    _print_findings(findings)
    errors = sum(finding.level is Level.ERROR for finding in findings)
    if errors:
        click.echo(f"\n{errors} thing(s) keep HexHub from running.")
        sys.exit(1)
    click.echo("\nHexHub can run here.")


def _print_findings(findings: Sequence[Finding]) -> None:
    width = max(60, shutil.get_terminal_size().columns if sys.stdout.isatty() else 100)
    for finding in findings:
        click.echo(format_finding(finding, width))


def format_finding(finding: Finding, width: int) -> str:
    """Give a finding as a row of the table, what to do below it."""
    indent = " " * (_LEVEL_WIDTH + _ABOUT_WIDTH)
    lines = textwrap.wrap(
        finding.found, width, initial_indent=indent, subsequent_indent=indent
    ) + textwrap.wrap(
        f"→ {finding.to_do}" if finding.to_do else "",
        width,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    level = click.style(f"{finding.level.value:<{_LEVEL_WIDTH}}", fg=_COLOURS[finding.level])
    return f"{level}{finding.about:<{_ABOUT_WIDTH}}" + "\n".join(lines).lstrip()


def _examine_isolation(state: StateFolder) -> int:
    """Print a table of all doors, and what weakens the walls, and give the exit code."""
    from hexhub.isolation.examination import MACHINES, examine_isolation

    database_url = os.environ.get("HEXHUB_DATABASE_URL", "sqlite://")
    # Stand-ins and machines are removed also when this is told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    findings = examine_isolation(
        state, connect_docker(), database_url, lambda line: click.echo(line, err=True)
    )
    rows = tabulate(findings)
    for line in format_rows(rows, MACHINES):
        click.echo(line)
    weak = [finding for finding in examine_walls(state) if finding.level is not Level.OK]
    if weak:
        click.echo("\nWhat no door shows:")
        _print_findings(weak)
    wrong = sum(row.is_wrong for row in rows)
    unknown = sum(row.found is Reach.NOT_PROBED for row in rows)
    if wrong:
        click.echo(f"\n{wrong} door(s) are not as they should be.")
    if unknown:
        click.echo(f"\n{unknown} door(s) were not probed: nothing is known of them.")
    if wrong or unknown:
        return 1 if wrong else 3
    click.echo(f"\nAll {len(rows)} doors are as they should be.")
    return 0


def format_rows(rows: Sequence[Row], machines: Sequence[str]) -> list[str]:
    """Give the table of doors, from where they were tried, how they should be and are."""
    lines = [("door", "from machines", "expected", "found")]
    for row in rows:
        detail = f" ({row.detail})" if row.detail else ""
        found = f"{row.found.value.upper() if row.is_wrong else row.found.value}{detail}"
        lines.append((row.door, name_machines(row.machines, machines), row.expected.value, found))
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    return [
        "  ".join(
            [*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[3]]
        )
        for line in lines
    ]
