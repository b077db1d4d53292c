"""Runs one program as the student's user: bounded in time and output, nothing left behind.

Design choices: when the program has ended, everything of its user is killed by one ``kill(-1)``
from a thread that has taken that user's effective id, and as its real one a number that nobody has:
with root's the signal would go to root's processes too, and with the student's theirs could kill us
in the moment before. The kernel sends that signal to all of them at once, so that no process can
fork away from it, and no new process is needed for it, so that a fork bomb which has eaten the
container's process limit cannot prevent it. RLIMIT_NPROC is of no use here: it counts all processes
of that number on the computer, in all containers.
"""

import ctypes
import os
import platform
import resource
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hexhub_check.errors import HarnessError, StudentError

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MAX_OUTPUT_BYTES = 1_000_000
"""Kept of each stream of the student's program; one that prints more is stopped."""
MAX_FILE_BYTES = 256 * 1024**2
GONE_WITHIN_S = 10.0
_NOBODYS_UID = 65_533
_SYS_SETRESUID = {"x86_64": 117, "aarch64": 147}
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Finished:
    """What a program left.

    Attributes:
        exit_code: Negative: ended by that signal.
        result: What it wrote on the descriptor ``HEXHUB_RESULT_FD``.
        is_flood: It printed more than is kept, and was stopped for that.
    """

    exit_code: int
    stdout: bytes
    stderr: bytes
    result: bytes
    timed_out: bool
    is_flood: bool


def student_environment() -> dict[str, str]:
    """Give the whole environment of the student's programs."""
    shared = "/tmp"  # noqa: S108 - the container's, which lives for one check
    return {
        "PATH": PATH,
        "HOME": shared,
        "LANG": "C.UTF-8",
        "TMPDIR": shared,
        "MPLBACKEND": "Agg",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def start_confined(
    argv: Sequence[str],
    *,
    uid: int,
    cwd: str,
    stdin: int,
    stdout: int,
    stderr: int,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program as user and group ``uid``, with no other groups, in a session of its own.

    Raises:
        StudentError: The program does not exist or may not be executed.
    """
    environment = student_environment()
    if pass_fds:
        environment["HEXHUB_RESULT_FD"] = str(pass_fds[-1])
    try:
        return subprocess.Popen(
            list(argv),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=cwd,
            env=environment,
            pass_fds=tuple(pass_fds),
            start_new_session=True,
            # Nothing else runs in this process while it forks: there are no other threads.
            preexec_fn=lambda: _become(uid),
        )
    except (FileNotFoundError, NotADirectoryError) as exc:
        raise StudentError(f"There is no program {exc.filename or argv[0]}.") from exc
    except PermissionError as exc:
        raise StudentError(f"{argv[0]} may not be executed: chmod +x is missing.") from exc
    except OSError as exc:
        raise StudentError(f"{argv[0]} could not be started: {exc.strerror}.") from exc


def _become(uid: int) -> None:
    # Where memory runs out, the student's program goes, not the tests. While still root: a process
    # that has just changed its user may not write there.
    with open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123 - little is safe after a fork
        file.write("1000")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE_BYTES, MAX_FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512))
    os.umask(0o022)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def run_confined(
    argv: Sequence[str],
    *,
    uid: int,
    cwd: str,
    stdin: bytes,
    timeout_s: float,
    with_result: bool = False,
) -> Finished:
    """Run a program as the student and give what it left; all processes of that user are killed.

    Args:
        with_result: Give it a descriptor for its result (:class:`Finished`).

    Raises:
        StudentError: It could not be started.
    """
    pipes = [os.pipe() for _ in range(3 if with_result else 2)]
    readers = [reader for reader, _ in pipes]
    writers = [writer for _, writer in pipes]
    stdin_reader, stdin_writer = os.pipe()
    try:
        process = start_confined(
            argv,
            uid=uid,
            cwd=cwd,
            stdin=stdin_reader,
            stdout=writers[0],
            stderr=writers[1],
            pass_fds=writers[2:],
        )
    except StudentError:
        for descriptor in [*readers, *writers, stdin_reader, stdin_writer]:
            os.close(descriptor)
        raise
    for descriptor in [*writers, stdin_reader]:
        os.close(descriptor)
    exchange = _Exchange(readers, stdin_writer, stdin)
    try:
        timed_out = not exchange.until_exit(process, time.monotonic() + timeout_s)
    finally:
        kill_all_of(uid)
        process.kill()
        exit_code = process.wait()
        exchange.drain()
    kept = [*exchange.kept, b""]
    return Finished(exit_code, kept[0], kept[1], kept[2], timed_out, exchange.is_flood)


class _Exchange:
    """Feeds a program's input and keeps the first part of its outputs; never blocks for long."""

    def __init__(self, readers: Sequence[int], writer: int, stdin: bytes) -> None:
        self.is_flood = False
        self._buffers = [bytearray() for _ in readers]
        self._selector = selectors.DefaultSelector()
        self._stdin = memoryview(stdin)
        for number, reader in enumerate(readers):
            os.set_blocking(reader, False)
            self._selector.register(reader, selectors.EVENT_READ, number)
        os.set_blocking(writer, False)
        self._writer: int | None = writer
        self._selector.register(writer, selectors.EVENT_WRITE)
        self._feed()

    @property
    def kept(self) -> list[bytes]:
        return [bytes(buffer) for buffer in self._buffers]

    def until_exit(self, process: subprocess.Popen[bytes], deadline: float) -> bool:
        """Give True when the program has ended (or was a flood), False at the deadline."""
        while process.poll() is None and not self.is_flood:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            # Without a signal for "has ended" this looks every few milliseconds.
            self._step(min(left, 0.02))
            if not self._selector.get_map():
                time.sleep(min(left, 0.005))
        return True

    def drain(self) -> None:
        """Read what is still in the pipes, and close them. Nobody writes any more."""
        self._close_stdin()
        while self._selector.get_map() and self._step(0):
            pass
        for key in list(self._selector.get_map().values()):
            self._close(key.fd)
        self._selector.close()

    def _step(self, timeout_s: float) -> bool:
        events = self._selector.select(timeout_s)
        for key, _ in events:
            if key.fd == self._writer:
                self._feed()
            else:
                self._read(key.fd, key.data)
        return bool(events)

    def _read(self, reader: int, number: int) -> None:
        try:
            data = os.read(reader, 65536)
        except BlockingIOError:
            return
        if not data:
            self._close(reader)
            return
        buffer = self._buffers[number]
        room = MAX_OUTPUT_BYTES - len(buffer)
        buffer += data[:room]
        self.is_flood = self.is_flood or len(data) > room

    def _feed(self) -> None:
        if self._writer is None:
            return
        try:
            while self._stdin:
                self._stdin = self._stdin[os.write(self._writer, self._stdin[:65536]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            pass
        self._close_stdin()

    def _close_stdin(self) -> None:
        if self._writer is not None:
            self._close(self._writer)
            self._writer = None

    def _close(self, descriptor: int) -> None:
        self._selector.unregister(descriptor)
        os.close(descriptor)


def kill_all_of(uid: int) -> None:
    """Kill every process of a user in this container, and come back when none is left.

    Raises:
        HarnessError: It would be our own user, or they do not die.
    """
    if uid == 0 or uid in (os.getuid(), os.geteuid()):
        raise HarnessError(f"User {uid} runs the tests; its processes cannot all be killed.")
    deadline = time.monotonic() + GONE_WITHIN_S
    while True:
        _send_kill_as(uid)
        if not _has_processes(uid):
            return
        if time.monotonic() > deadline:
            raise HarnessError(f"Processes of user {uid} do not end.")
        time.sleep(0.005)


def _send_kill_as(uid: int) -> None:
    number = _SYS_SETRESUID.get(platform.machine())
    if number is None:
        raise HarnessError(f"Checks do not run on {platform.machine()} yet.")
    # The raw call changes this thread alone. The saved id stays 0, so that nobody may trace or kill
    # it meanwhile and the way back is open.
    if _libc.syscall(number, _NOBODYS_UID, uid, 0) != 0:
        raise HarnessError(f"May not become user {uid}: {os.strerror(ctypes.get_errno())}.")
    try:
        os.kill(-1, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    finally:
        if _libc.syscall(number, 0, 0, 0) != 0:
            os._exit(70)


def _has_processes(uid: int) -> bool:
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            text = (entry / "status").read_text()
        except OSError:
            continue
        fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        is_dead = fields["State"].split()[0] in "ZX"
        if not is_dead and int(fields["Uid"].split()[0]) == uid:
            return True
    return False
