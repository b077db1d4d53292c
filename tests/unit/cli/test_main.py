"""The command group is quick, complete, and says one clear sentence where something is wrong."""

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from hexhub.cli.main import COMMANDS, main


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_is_there(name: str) -> None:
    """Each command that is listed can be loaded and explains itself."""
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert "Usage:" in result.output


def test_help_loads_no_command() -> None:
    """``hexhub --help`` lists everything and imports nothing heavy."""
    program = (
        "import sys\n"
        "from hexhub.cli.main import main\n"
        "main(['--help'], standalone_mode=False)\n"
        "heavy = {'docker', 'sqlalchemy', 'tornado', 'jupyterhub', 'nbgrader', 'pydantic'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for name in COMMANDS:
        assert f"\n  {name} " in done.stdout


def test_an_unknown_command_is_refused() -> None:
    """A word that is no command is a usage error."""
    assert CliRunner().invoke(main, ["no-such"]).exit_code == 2


def test_an_error_of_ours_is_one_message(tmp_path: Path) -> None:
    """A broken course ends with its problems on standard error and exit code 1, no traceback."""
    (tmp_path / "course.yml").write_text("schema: 1\n")
    result = CliRunner().invoke(main, ["course", "verify", str(tmp_path)])
    assert result.exit_code == 1
    assert result.stderr.startswith("hexhub: Course ")
    assert "course.yml" in result.stderr
    assert "Traceback" not in result.output


def test_a_folder_that_is_no_lesson_is_named(tmp_path: Path) -> None:
    """``hexhub check`` on any folder says what a lesson is."""
    arguments = ["check", str(tmp_path), "--step", "a", "--with", "starter"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "COURSE/lessons/LESSON" in result.stderr


@pytest.mark.parametrize("what", ["lesson", "course", "outcome"])
def test_schemas_are_json(what: str) -> None:
    """Editors get a JSON Schema of each file, programs that of an outcome."""
    result = CliRunner().invoke(main, ["course", "schema", what])
    assert result.exit_code == 0
    assert json.loads(result.output)["type"] == "object"


def test_commands_are_click_commands() -> None:
    """A name that points at something else is a bug that is told as such."""
    context = click.Context(main)
    group = main
    assert isinstance(group, click.Group)
    assert group.get_command(context, "no-such") is None
    for name in COMMANDS:
        assert isinstance(group.get_command(context, name), click.Command)
