"""``as-student PROGRAM …``: a program of the student's, run from a check without pytest.

Design choices: a command, so that a check in any language has what the fixture ``student`` gives:
another user, no descriptor but three pipes, bounded time and output, nothing left behind. Input is
read whole before the program starts and its output is given when it has ended, so that the author's
programs in the same pipeline never hold a descriptor of the student's, nor wait for them.

What the program prints is never the report: where our standard output is that of the check itself,
which TAP is read from, it goes to standard error. Otherwise ``as-student python3 app.py`` without
``$(…)`` around it would let the student write ``ok 1``.

Not for checks of machines: there the student's processes share a number space with us, and "kill
all of that user" would mean their whole machine.
"""

import argparse
import fcntl
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from hexhub_check.confined import MAX_OUTPUT_BYTES, run_confined
from hexhub_check.errors import HarnessError, StudentError

DEFAULT_TIMEOUT_S = 5.0
MAX_INPUT_BYTES = 1_000_000
TIMED_OUT, UNUSABLE, NOT_EXECUTABLE, NOT_FOUND = 124, 125, 126, 127
"""Exit codes beside the program's own; the same as of ``timeout`` and of shells."""
_EPILOG = f"""\
Gives the program's exit code; 128 and the signal's number where one ended it; {TIMED_OUT} where it
took too long; {UNUSABLE} where it printed too much or this command is used wrongly;
{NOT_EXECUTABLE} and {NOT_FOUND} where it cannot be executed or is not there.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run what the command line says; give the exit code."""
    given = _parse(argv)
    try:
        uid, folder = _whose(given.folder)
        stdin = sys.stdin.buffer.read(MAX_INPUT_BYTES + 1)
        if len(stdin) > MAX_INPUT_BYTES:
            raise HarnessError(f"more than {MAX_INPUT_BYTES} bytes of input")
        # One at a time: when a program has ended, all processes of that user are killed.
        with open(f"{os.environ['HOME']}/as-student.lock", "w") as lock:  # noqa: PTH123
            fcntl.flock(lock, fcntl.LOCK_EX)
            done = run_confined(
                given.program, uid=uid, cwd=folder, stdin=stdin, timeout_s=given.timeout
            )
    except HarnessError as error:
        print(f"as-student: {error}", file=sys.stderr)
        return UNUSABLE
    except StudentError as error:
        print(error, file=sys.stderr)
        return _CODES.get(type(error.__cause__), UNUSABLE)
    _write(2 if is_report(1) else 1, done.stdout)
    _write(2, done.stderr)
    program = given.program[0]
    if done.is_flood:
        print(f"{program} printed more than {MAX_OUTPUT_BYTES} bytes.", file=sys.stderr)
        return UNUSABLE
    if done.timed_out:
        print(f"{program} did not end within {given.timeout:g} seconds.", file=sys.stderr)
        return TIMED_OUT
    return done.exit_code if done.exit_code >= 0 else 128 - done.exit_code


_CODES: dict[type[BaseException | None], int] = {
    FileNotFoundError: NOT_FOUND,
    NotADirectoryError: NOT_FOUND,
    PermissionError: NOT_EXECUTABLE,
}


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="as-student",
        description="Run a program as the student, who can read neither tests nor report.",
        epilog=_EPILOG,
        allow_abbrev=False,
    )
    parser.add_argument("--timeout", type=float, default=DEFAULT_TIMEOUT_S, metavar="SECONDS")
    parser.add_argument(
        "--folder", default=".", metavar="FOLDER", help="below the student's, to run it in"
    )
    parser.add_argument("program", nargs=argparse.REMAINDER, metavar="PROGRAM ...")
    given = parser.parse_args(argv)
    if given.program[:1] == ["--"]:
        del given.program[0]
    if not given.program or not 0 < given.timeout <= 3600:
        parser.exit(UNUSABLE, parser.format_usage())
    return given


def _whose(folder: str) -> tuple[int, str]:
    """Give the user and the folder to run in, from the environment that the harness has made.

    Raises:
        HarnessError: It is no check of the kinds that this is for.
    """
    kind = os.environ.get("HEXHUB_KIND", "")
    if kind not in ("files", "notebook"):
        raise HarnessError(
            f"this is for checks of files; a check of kind '{kind or 'none'}' looks at what runs"
        )
    return int(os.environ["HEXHUB_UID"]), f"{os.environ['HEXHUB_WORK']}/{folder}"


def is_report(descriptor: int) -> bool:
    """Tell whether a descriptor leads to where the check's report is read from.

    That is the file ``$HEXHUB_REPORT``, or the standard output of the author's command, which leads
    our session. Where the latter has ended, nobody can tell any more, and it counts as such.
    """
    own = os.fstat(descriptor)
    try:
        if os.path.samestat(own, Path(os.environ["HEXHUB_REPORT"]).stat()):
            return True
    except (KeyError, FileNotFoundError):
        pass
    try:
        return os.path.samestat(own, Path(f"/proc/{os.getsid(0)}/fd/1").stat())
    except OSError:
        return True


def _write(descriptor: int, data: bytes) -> None:
    with os.fdopen(os.dup(descriptor), "wb") as stream:
        try:
            stream.write(data)
            stream.flush()
        except BrokenPipeError:
            # Whoever reads has enough, such as ``head``; the exit code stays the program's.
            os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


if __name__ == "__main__":
    sys.exit(main())
