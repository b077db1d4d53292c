"""``hexhub check``: what the worker would say of an answer."""

import json
import sys
from pathlib import Path

import click

from hexhub.checks.engine import Engine
from hexhub.checks.model import Outcome, OutcomeKind, TestOutcome
from hexhub.checks.sandbox import Sandbox
from hexhub.names import StepName
from hexhub.runtimes import read_runtimes
from hexhub.service.wire import Json, outcome_json
from hexhub.settings import Settings
from hexhub.usecases.check_answer import check_answer

_MARKS = {
    TestOutcome.PASSED: ("✓", "green"),
    TestOutcome.FAILED: ("✗", "red"),
    TestOutcome.ERROR: ("!", "red"),
    TestOutcome.SKIPPED: ("-", "yellow"),
}


@click.command()
@click.argument(
    "lesson_folder",
    metavar="LESSON_DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@click.option("--step", "step_name", required=True, metavar="ID", help="Which step.")
@click.option(
    "--with",
    "answer",
    required=True,
    metavar="ANSWER",
    help="starter, solution, wrong/NAME, or a folder that is laid over the starter.",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print the outcome as JSON (see: hexhub course schema outcome).",
)
def check(lesson_folder: Path, step_name: str, answer: str, as_json: bool) -> None:
    """Try one answer at one step, just as HexHub would, in a machine of its own.

    Exit code 0: the answer passes. 1: it does not, or it could not be tried.
    """
    engine = Engine(runtimes=read_runtimes(Settings.from_environment().runtimes))
    try:
        outcome = check_answer(
            Sandbox(engine),
            lesson_folder,
            step_name,
            answer,
            say=lambda line: click.echo(line, err=True),
        )
    finally:
        engine.close()
    if as_json:
        click.echo(json.dumps(author_json(outcome, step_name), ensure_ascii=False, indent=2))
    else:
        print_outcome(outcome)
    sys.exit(0 if outcome.is_pass else 1)


def author_json(outcome: Outcome, step_name: str) -> Json:
    """Give an outcome as its author reads it: whole, and with the end of what the run printed."""
    return outcome_json(outcome, StepName(step_name)) | {"output": outcome.output}


def print_outcome(outcome: Outcome) -> None:
    """Print an outcome for people: the tests, then the verdict."""
    for test in outcome.tests:
        mark, colour = _MARKS[test.outcome]
        click.echo(f"  {click.style(mark, fg=colour)} {test.name}  ({test.id})")
        details = [
            (test.message, ""),
            (test.expected, "expected: "),
            (test.actual, "found:    "),
            (test.output, "output: "),
        ]
        for text, label in details:
            for line in (text or "").splitlines() if test.outcome is not TestOutcome.PASSED else ():
                click.echo(f"      {label}{line}")
    colour = "green" if outcome.is_pass else "red"
    verdict = click.style(outcome.kind.value, fg=colour, bold=True)
    click.echo(f"{verdict} {outcome.message}  [{outcome.duration_s:.1f} s]")
    if outcome.kind is OutcomeKind.ERROR and outcome.output.strip():
        click.echo("The end of what the check printed:")
        for line in outcome.output.splitlines():
            click.echo(f"  {line}")
