"""The ``student`` fixture: the student's program, run in processes of its own."""

import builtins
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hexhub_check.confined import MAX_OUTPUT_BYTES, Finished, run_confined
from hexhub_check.errors import MachineError, StudentError
from hexhub_check.rooted import Root
from hexhub_check.shown import shorten, shorten_repr
from hexhub_check.values import decode, encode, load_rare

PYTHON = "/usr/bin/python3"
_CHILD = str(Path(__file__).with_name("call_child.py"))
load_rare()


@dataclass(frozen=True)
class Completed:
    """How a program of the student ended.

    Attributes:
        exit_code: Negative: ended by that signal.
        stdout, stderr: What it printed, as UTF-8; bytes that are not become ``�``.
        timed_out: It was stopped, because it took too long.
    """

    exit_code: int
    stdout: str
    stderr: str
    timed_out: bool


def describe_call(target: str, args: Sequence[Any], kwargs: dict[str, Any]) -> str:
    """Write a call as in Python: ``area(3, 4)``."""
    given = [shorten_repr(arg) for arg in args]
    given += [f"{key}={shorten_repr(value)}" for key, value in kwargs.items()]
    return f"{target.partition(':')[2]}({shorten(', '.join(given))})"


class Student:
    """What the student handed in, in ``files`` checks.

    Everything runs as the student's user, without network, in ``~/work``'s copy; when a call or a
    run is over, all processes it started are killed.

    Args:
        work: The folder of the submitted files.
        uid: The user that the programs run as.
    """

    def __init__(self, work: str, uid: int) -> None:
        self.work = work
        self._uid = uid
        self._files = Root(work, follows_links=False)

    def run(
        self, argv: Sequence[str], *, stdin: str = "", timeout_s: float = 5, cwd: str | None = None
    ) -> Completed:
        """Run a program and give how it ended.

        Args:
            argv: Program and arguments, such as ``["python3", "receipt.py"]``; no shell.
            stdin: What it can read.
            timeout_s: Seconds after which it is stopped.
            cwd: Folder below the student's folder to run it in.

        Raises:
            StudentError: It could not be started, or printed more than a million bytes.
        """
        done = run_confined(
            argv,
            uid=self._uid,
            cwd=f"{self.work}/{cwd}" if cwd else self.work,
            stdin=stdin.encode(),
            timeout_s=timeout_s,
        )
        if done.is_flood:
            raise StudentError(
                f"{shorten(' '.join(argv))} printed more than {MAX_OUTPUT_BYTES} bytes and was "
                "stopped."
            )
        return Completed(
            done.exit_code,
            done.stdout.decode("utf-8", errors="replace"),
            done.stderr.decode("utf-8", errors="replace"),
            done.timed_out,
        )

    def call(self, target: str, *args: Any, timeout_s: float = 5, **kwargs: Any) -> Any:
        """Call a function of the student's Python module in a fresh process and give its value.

        Values cross as plain data: tuples come back as lists, and what is not plain is an error.
        What the function prints is shown with the test, when it fails.

        Args:
            target: ``module:function``; the module stands in the student's folder.
            *args: Plain values.
            timeout_s: Seconds after which it is stopped.
            **kwargs: Plain values.

        Raises:
            StudentError: The function is not there, raised, took too long, ended the program, or
                gave what is not plain. The message is a sentence for the student.
        """
        return self._call([(target, args, kwargs)], timeout_s)[0]

    def call_many(
        self, calls: Sequence[Sequence[Any]], *, timeout_s: float = 5
    ) -> builtins.list[Any]:
        """Make several calls one after another in the same process and give all values.

        Args:
            calls: Each is ``("module:function", *args)``.
            timeout_s: Seconds for all of them.

        Raises:
            StudentError: As :meth:`call`; the calls after the one that failed are not made.
        """
        return self._call([(call[0], tuple(call[1:]), {}) for call in calls], timeout_s)

    def read_text(self, path: str) -> str:
        """Read one of the submitted files; links are refused.

        Raises:
            StudentError: It is not there, is not a regular file, or is too big.
        """
        try:
            return self._files.read_text(path)
        except MachineError as error:
            raise StudentError(str(error)) from None

    def exists(self, path: str) -> bool:
        """Tell whether a path was submitted; a path with a link in it was not.

        Raises:
            StudentError: It cannot be found out.
        """
        try:
            return self._files.exists(path)
        except MachineError as error:
            raise StudentError(str(error)) from None

    def list(self, path: str = ".") -> builtins.list[str]:
        """List the names in a submitted folder, sorted.

        Raises:
            StudentError: There is no such folder.
        """
        try:
            return self._files.list(path)
        except MachineError as error:
            raise StudentError(str(error)) from None

    def _call(
        self, calls: Sequence[tuple[str, Sequence[Any], dict[str, Any]]], timeout_s: float
    ) -> builtins.list[Any]:
        order = [
            {"target": target, "args": encode(list(args)), "kwargs": encode(kwargs)}
            for target, args, kwargs in calls
        ]
        done = run_confined(
            [PYTHON, "-I", "-X", "utf8", _CHILD],
            uid=self._uid,
            cwd=self.work,
            stdin=json.dumps(order).encode(),
            timeout_s=timeout_s,
            with_result=True,
        )
        printed = (done.stdout + done.stderr).decode("utf-8", errors="replace")
        if printed.strip():
            # pytest keeps this with the test; the harness's own output is elsewhere.
            print(shorten(printed, 4000))
        return read_answers(calls, done, timeout_s)


def read_answers(
    calls: Sequence[tuple[str, Sequence[Any], dict[str, Any]]], done: Finished, timeout_s: float
) -> builtins.list[Any]:
    """Turn the lines a student's process wrote into the values of the calls.

    Raises:
        StudentError: One of them has no value; the message says why.
    """
    lines = done.result.split(b"\n")
    found: builtins.list[Any] = []
    for number, (target, args, kwargs) in enumerate(calls):
        shown = describe_call(target, args, kwargs)
        line = lines[number] if number < len(lines) - 1 else b""
        if not line:
            raise StudentError(_why_no_answer(shown, done, timeout_s))
        try:
            answer = json.loads(line)
            stage = str(answer["stage"])
            error = answer.get("error") or {}
            if stage == "done":
                found.append(decode(answer["value"]))
                continue
            message = _describe_failure(target, shown, stage, error)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise StudentError(f"{shown} returned something that is not plain data.") from None
        raise StudentError(message)
    return found


def _why_no_answer(shown: str, done: Finished, timeout_s: float) -> str:
    if done.is_flood:
        return f"{shown} printed more than {MAX_OUTPUT_BYTES} bytes and was stopped."
    if done.timed_out:
        return f"{shown} did not return within {timeout_s:g} seconds."
    how = f"exit code {done.exit_code}" if done.exit_code >= 0 else f"signal {-done.exit_code}"
    return f"{shown} ended the program ({how}) before it returned."


def _describe_failure(target: str, shown: str, stage: str, error: dict[str, Any]) -> str:
    module, _, function = target.partition(":")
    file = module.replace(".", "/") + ".py"
    if stage == "missing":
        return f"There is no {file} in your folder."
    if stage == "lookup":
        return f"{file} has no function '{function}'."
    message = shorten(str(error.get("message", "")), 500)
    if stage == "value":
        return f"{shown} returned {message}; wanted is plain data."
    raised = str(error["type"])[:100] + (f": {message}" if message else "")
    place = f" ({str(error['place'])[:200]})" if error.get("place") else ""
    if stage == "import":
        return f"import {module} raised {raised}{place}"
    return f"{shown} raised {raised}{place}"
