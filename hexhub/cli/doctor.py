"""``hexhub doctor``."""

import shutil
import sys
import textwrap
from pathlib import Path

import click

from hexhub.cli.up import DEFAULT_PORT, state_option
from hexhub.doctor import Finding, Level, examine
from hexhub.state_folder import StateFolder

_COLOURS = {Level.OK: "green", Level.NOTE: "blue", Level.WARNING: "yellow", Level.ERROR: "red"}
_LEVEL_WIDTH = 8
_ABOUT_WIDTH = 17


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=DEFAULT_PORT, show_default=True)
@state_option
def doctor(port: int, state_path: Path) -> None:
    """Say what this computer lacks, and what to do; exit code 1 where something must be done."""
    findings = examine(StateFolder(state_path.absolute()), port)
    width = max(60, shutil.get_terminal_size().columns if sys.stdout.isatty() else 100)
    for finding in findings:
        click.echo(format_finding(finding, width))
    errors = sum(finding.level is Level.ERROR for finding in findings)
    if errors:
        click.echo(f"\n{errors} thing(s) keep HexHub from running.")
        sys.exit(1)
    click.echo("\nHexHub can run here.")


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
