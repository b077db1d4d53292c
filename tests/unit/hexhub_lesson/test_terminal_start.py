"""What the ``lesson`` command loads: it must start in a blink, so that modules are counted here."""

import json
import subprocess
import sys
from pathlib import Path

EXTENSION = Path(__file__).parents[3] / "lesson_extension"

ALLOWED = {
    # our own
    "hexhub_lesson", "hexhub_lesson.private_folder", "hexhub_lesson.socket_client",
    "hexhub_lesson.wire", "hexhub_lesson.terminal", "hexhub_lesson.terminal.check",
    "hexhub_lesson.terminal.command", "hexhub_lesson.terminal.command_line",
    "hexhub_lesson.terminal.greeting", "hexhub_lesson.terminal.hints",
    "hexhub_lesson.terminal.language", "hexhub_lesson.terminal.markdown",
    "hexhub_lesson.terminal.outcome", "hexhub_lesson.terminal.reset",
    "hexhub_lesson.terminal.screen",
    "hexhub_lesson.terminal.session", "hexhub_lesson.terminal.solution",
    "hexhub_lesson.terminal.steps", "hexhub_lesson.terminal.texts",
    # the standard library, each with what it brings along
    "collections", "dataclasses", "json", "re", "socket", "textwrap", "typing",
}  # fmt: skip

PROGRAM = """
import importlib, json, sys
sys.path.append(sys.argv[1])
wanted = [name for name in sys.argv[2:] if not name.startswith("hexhub_lesson")]
for name in wanted:
    importlib.import_module(name)
before = set(sys.modules)
import hexhub_lesson.terminal.command
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def test_only_what_is_needed_is_loaded() -> None:
    """A module more is a decision: it is written down here, or imported where it is needed."""
    said = subprocess.run(
        [sys.executable, "-IS", "-c", PROGRAM, str(EXTENSION), *sorted(ALLOWED)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    ours = {name for name in ALLOWED if name.startswith("hexhub_lesson")}
    assert set(json.loads(said.stdout)) == ours


def test_nothing_of_jupyter_is_loaded() -> None:
    """Not even by a module that is allowed."""
    program = (
        "import sys; sys.path.append(sys.argv[1]); import hexhub_lesson.terminal.command; "
        "heavy = {'jupyter_server', 'tornado', 'aiohttp', 'asyncio', 'http', 'email', 'argparse', "
        "'pathlib', 'subprocess', 'logging', 'urllib'}; print(sorted(heavy & set(sys.modules)))"
    )
    said = subprocess.run(
        [sys.executable, "-IS", "-c", program, str(EXTENSION)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert said.stdout == "[]\n"
