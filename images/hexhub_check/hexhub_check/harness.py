"""One check from its order to its answer, inside the check's container.

Only this process holds the container's standard output. The author's command gets pipes, runs in a
clean environment, and everything it left is killed before its report is read. Student code runs as
another user, in processes that the fixtures start (:mod:`hexhub_check.confined`).
"""

import contextlib
import ctypes
import os
import selectors
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TypeAlias

from hexhub_check.ahead import NOTEBOOK, PYTEST, Ahead, find_prepared
from hexhub_check.errors import HarnessError
from hexhub_check.memory import count_kills
from hexhub_check.protocol import MAX_HEADER_BYTES, Order, Result, parse_order
from hexhub_check.unpacking import Target, unpack

Process: TypeAlias = "subprocess.Popen[bytes]"
BASE = Path("/check")
CHECK_PROGRAMS = "/opt/check/bin"
LAST_WORDS_S = 1.0
"""How long a killed command's pipes are read on."""
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Folders:
    """Where a run has its files.

    Attributes:
        base: Root's; others may pass through it to ``work``, not list it.
    """

    base: Path
    nonce: str

    @property
    def checks(self) -> Path:
        """The author's files; root's alone."""
        return self.base / "checks"

    @property
    def work(self) -> Path:
        """The student's files."""
        return self.base / "work"

    @property
    def command(self) -> Path:
        """The author's command, for the shell; root's alone."""
        return self.base / "command"

    @property
    def report(self) -> Path:
        """Where the author's command writes its report; root's alone, new in every run."""
        return self.base / f"report-{self.nonce}" / "report.xml"

    @property
    def temporary(self) -> Path:
        """HOME and TMPDIR of the author's command; root's alone."""
        return self.base / "tmp"


def main(arguments: Sequence[str] = ()) -> int:
    """Read an order from standard input, make the check, write the answer; give the exit code.

    Args:
        arguments: What to import before the order is there, if anything.
    """
    stdin, stdout = _take_streams()
    os.umask(0o022)
    what = next((word for word in arguments if word in (PYTEST, NOTEBOOK)), None)
    ahead = Ahead(what, base_environment(BASE)) if what is not None else None
    try:
        line = stdin.readline(MAX_HEADER_BYTES)
        order = parse_order(line)
        result = run_order(order, stdin, ahead=ahead)
    except HarnessError as error:
        print(f"hexhub_check: {error}", file=sys.stderr)
        return 2
    try:
        stdout.write(result.to_line())
        stdout.flush()
    except OSError as error:
        print(f"hexhub_check: nobody takes the answer: {error}", file=sys.stderr)
        return 3
    if order.stays and result.memory_kills is not None:
        # Ending a container takes Docker time that other students' checks need. All that ran is
        # gone by now: we wait without cost until there is time for it, or nobody is there.
        stdin.read()
    return 0


def _take_streams() -> tuple[BinaryIO, BinaryIO]:
    """Keep standard input and output for ourselves; what inherits 0 and 1 gets nothing."""
    kept = [os.dup(0), os.dup(1)]
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
    return os.fdopen(kept[0], "rb"), os.fdopen(kept[1], "wb")


def run_order(
    order: Order, stream: BinaryIO, base: Path = BASE, *, ahead: Ahead | None = None
) -> Result:
    """Unpack the order's files, run the author's command, and tell how it ended.

    Args:
        ahead: Runs the command if it is one of those that it has imported for.

    Raises:
        HarnessError: The order's files are unusable.
    """
    folders = Folders(base, order.nonce)
    # The student's user has to pass through to its own folder, and may see nothing else.
    # HexHub mounts memory there: the root filesystem of a check is read-only.
    base.mkdir(parents=True, exist_ok=True)
    base.chmod(0o711)
    for folder in (folders.temporary, folders.report.parent):
        folder.mkdir(mode=0o700)
    targets = {"checks": Target(folders.checks, None, is_private=True)}
    if order.kind != "machine":
        targets["work"] = Target(folders.work, order.program_uid, is_private=False)
    unpack(stream, order.tar_bytes, targets)
    started = time.monotonic()
    run = _Run(order.max_output_bytes, order.max_report_bytes)
    # Orphans of the command come to us, also where we are not the first process.
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    environment = environment_of(order, folders)
    process = None
    if ahead is not None:
        process = ahead.begin(find_prepared(order), folders.checks, environment)
    if process is None:
        process = start(command_of(order, folders), folders.checks, environment)
    run.follow(process, started + order.timeout_s)
    report, is_too_big = read_report(folders.report, order.max_report_bytes)
    if report is None and order.report == "tap":
        report, is_too_big = run.standard_output()
    return Result(
        nonce=order.nonce,
        exit_code=run.exit_code,
        timed_out=run.timed_out,
        output=run.tail.decode("utf-8", errors="replace"),
        output_bytes=run.output_bytes,
        report=report,
        report_too_big=is_too_big,
        duration_s=round(time.monotonic() - started, 3),
        memory_kills=count_kills(),
    )


def command_of(order: Order, folders: Folders) -> list[str]:
    """Give the command to run: the author's in a shell, or the notebook runner.

    The shell reads the author's from a file: everybody may read the command line of a process.
    """
    if order.kind == "notebook" and not order.run:
        return [f"{CHECK_PROGRAMS}/python", "-I", "-m", "hexhub_check.notebook"]
    folders.command.touch(mode=0o600)
    folders.command.write_text(f"{order.run}\n", encoding="utf-8")
    return ["/bin/sh", str(folders.command)]


def start(command: list[str], folder: Path, environment: dict[str, str]) -> Process:
    """Start the author's command."""
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def base_environment(base: Path) -> dict[str, str]:
    """Give the part of the environment that is the same for all of the author's commands.

    Args:
        base: Of :class:`Folders`.
    """
    temporary = str(Folders(base, "").temporary)
    return {
        "PATH": f"{CHECK_PROGRAMS}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": temporary,
        "TMPDIR": temporary,
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONSAFEPATH": "1",
        "PYTHONNOUSERSITE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }


def environment_of(order: Order, folders: Folders) -> dict[str, str]:
    """Give the whole environment of the author's command."""
    is_machine = order.kind == "machine"
    work = f"/proc/1/root{order.home}/work" if is_machine else str(folders.work)
    options = (
        f"--rootdir={folders.checks} --junitxml={folders.report} -p hexhub_check.plugin "
        "-p no:cacheprovider --import-mode=prepend -o junit_family=xunit2 -o junit_logging=all "
        "-o junit_log_passing_tests=false"
    )
    return {
        **base_environment(folders.base),
        "PYTEST_ADDOPTS": options,
        "HEXHUB_KIND": order.kind,
        "HEXHUB_WORK": work,
        "HEXHUB_HOME": order.home,
        "HEXHUB_UID": str(order.program_uid),
        "HEXHUB_REPORT": str(folders.report),
        "HEXHUB_TIMEOUT_S": str(order.timeout_s),
        **({"HEXHUB_ROOT": "/proc/1/root"} if is_machine else {}),
        **(
            {"HEXHUB_CELLS": ",".join(order.cells), "HEXHUB_NOTEBOOK": order.notebook or ""}
            if order.kind == "notebook"
            else {}
        ),
    }


def read_report(path: Path, max_bytes: int) -> tuple[str | None, bool]:
    """Read the report: (text or None, whether it is too big). Links and the like are no report."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None, False
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None, False
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        return None, True
    return data.decode("utf-8", errors="replace"), False


@dataclass
class _Run:
    """One run of the author's command: its output, bounded, and its end."""

    max_output_bytes: int
    max_report_bytes: int
    exit_code: int | None = None
    timed_out: bool = False
    output_bytes: int = 0
    tail: bytearray = field(default_factory=bytearray)
    _head: bytearray = field(default_factory=bytearray)
    _stdout_bytes: int = 0

    def follow(self, process: Process, deadline: float) -> None:
        """Read what the command prints until it ends or its time is over; kill what is left."""
        selector = selectors.DefaultSelector()
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None  # noqa: S101 - both were asked for
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe, selectors.EVENT_READ, pipe is process.stdout)
        try:
            self._watch(process, selector, deadline)
        finally:
            kill_rest(process.pid)
        end = time.monotonic() + LAST_WORDS_S
        while selector.get_map() and time.monotonic() < end and self._read(selector, 0):
            pass
        selector.close()

    def standard_output(self) -> tuple[str | None, bool]:
        """Give standard output as a report: (text or None, whether it is too big)."""
        if self._stdout_bytes > self.max_report_bytes:
            return None, True
        return self._head.decode("utf-8", errors="replace"), False

    def _watch(self, process: Process, selector: selectors.BaseSelector, deadline: float) -> None:
        while True:
            status = reap(process.pid)
            if status is not None:
                self.exit_code = os.waitstatus_to_exitcode(status)
                process.returncode = self.exit_code
                return
            left = deadline - time.monotonic()
            if left <= 0:
                self.timed_out = True
                process.returncode = -signal.SIGKILL
                return
            if selector.get_map():
                self._read(selector, min(left, 0.02))
            else:
                time.sleep(min(left, 0.01))

    def _read(self, selector: selectors.BaseSelector, timeout_s: float) -> bool:
        events = selector.select(timeout_s)
        for key, _ in events:
            try:
                data = os.read(key.fd, 65536)
            except BlockingIOError:
                continue
            if not data:
                selector.unregister(key.fileobj)
                continue
            self.output_bytes += len(data)
            self.tail += data
            del self.tail[: -self.max_output_bytes or None]
            if key.data:
                self._stdout_bytes += len(data)
                self._head += data[: self.max_report_bytes + 1 - len(self._head)]
        return bool(events)


def reap(pid: int) -> int | None:
    """Take the end of every child that has ended; give the status of ``pid`` when it has."""
    found = None
    with contextlib.suppress(ChildProcessError):
        while True:
            ended, status = os.waitpid(-1, os.WNOHANG)
            if ended == 0:
                break
            if ended == pid:
                found = status
    return found


def kill_rest(session: int) -> None:
    """Kill all that a run has left, and wait until it is gone.

    As the first process of a container that is everything else. Beside a student's machine it is
    the command's process group and, since orphans come to us, every child again and again.
    """
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getpid() == 1:
                os.kill(-1, signal.SIGKILL)
            else:
                os.killpg(session, signal.SIGKILL)
        for child in list_children():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.005)


def list_children() -> list[int]:
    """List our children, orphans that came to us included."""
    children: list[int] = []
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            children += [int(word) for word in (task / "children").read_text().split()]
    return children
