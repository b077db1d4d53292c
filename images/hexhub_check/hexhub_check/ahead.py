"""A Python that has imported what a check's command needs, before there is an order.

Of the time of a small check, three quarters are Python importing pytest (of a notebook, seconds of
nbgrader). A container that waits for its check has that behind it: the harness starts a second
process at once, which imports, and waits to be told what to run.

Design choices: a program of its own, begun anew, and not a fork of the harness. So it shares
nothing with the harness, neither memory nor descriptors, and knows no order before it is told to
run one; then it is told what the author's command is told in any case (its folder and environment),
and no more. It runs as root like every author's command, and no code of a student's ever runs in
it. It serves one command and ends. What it cannot do in just the way that a shell would (anything
but plain words) goes to the shell.
"""

import contextlib
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hexhub_check.protocol import Order

PYTEST = "pytest"
NOTEBOOK = "notebook"
_SHELL_MEANS_MORE = re.compile(r"""[^\w\s./:=,+@%'"-]|[^\S ]""", re.ASCII)


@dataclass(frozen=True)
class Prepared:
    """A command that can be run where its imports are done.

    Attributes:
        what: ``pytest`` or ``notebook``.
        arguments: Of the program.
    """

    what: str
    arguments: tuple[str, ...] = ()


def find_prepared(order: Order) -> Prepared | None:
    """Tell which imports the order's command needs; None: it is for the shell."""
    if order.kind == "notebook" and not order.run:
        return Prepared(NOTEBOOK)
    if _SHELL_MEANS_MORE.search(order.run):
        return None
    try:
        words = shlex.split(order.run)
    except ValueError:
        return None
    return Prepared(PYTEST, tuple(words[1:])) if words[:1] == [PYTEST] else None


class Ahead:
    """The process that imports ahead; to be told once what to run, or to be dismissed."""

    def __init__(self, what: str, environment: Mapping[str, str]) -> None:
        """Start it.

        Args:
            what: ``pytest`` or ``notebook``.
            environment: While it imports.
        """
        self._what = what
        # By the name that pip has written into the program pytest.
        python = str(Path(sys.executable).with_name("python3"))
        self._process = subprocess.Popen(
            [python, "-m", "hexhub_check.ahead_child", what],
            cwd="/",
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def begin(
        self, prepared: Prepared | None, folder: Path, environment: Mapping[str, str]
    ) -> "subprocess.Popen[bytes] | None":
        """Let it run a command; None where it cannot, and then it is gone.

        Args:
            prepared: The command.
            folder: To run it in.
            environment: The whole of it.
        """
        if prepared is None or prepared.what != self._what or self._process.poll() is not None:
            self.dismiss()
            return None
        said = {
            "arguments": prepared.arguments,
            "folder": str(folder),
            "environment": dict(environment),
        }
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        try:
            with self._process.stdin as stdin:
                stdin.write(json.dumps(said).encode() + b"\n")
        except BrokenPipeError:
            self.dismiss()
            return None
        return self._process

    def dismiss(self) -> None:
        """End it without having run anything."""
        with contextlib.suppress(BrokenPipeError), self._process:
            self._process.kill()
