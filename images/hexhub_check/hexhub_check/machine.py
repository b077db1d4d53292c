"""The ``machine`` fixture: the student's running machine, looked at from beside it.

The check has the machine's network and processes, and its own files; the student's files are below
``/proc/1/root``. Nothing of the student's is executed. All answers are bounded in time and size.
"""

import builtins
import contextlib
import http.client
import os
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from hexhub_check.errors import HarnessError, MachineError
from hexhub_check.programs import is_version_of
from hexhub_check.rooted import Root, Stat
from hexhub_check.sockets import parse_listening

MAX_BODY_BYTES = 2_000_000
MAX_ROWS = 10_000
_DOCKER_DNS = "127.0.0.11"
_SOCKET_LINK = re.compile(r"socket:\[(\d+)\]")


class Listener(NamedTuple):
    """Somebody takes connections; ``pid`` is None where nobody in the machine holds the socket.

    Of several processes that hold it, ``pid`` is the lowest; :meth:`Machine.processes_at` has all.
    """

    address: str
    port: int
    pid: int | None


@dataclass(frozen=True)
class Process:
    """One process of the student's machine.

    Attributes:
        name: As ``ps`` shows it: at most 15 characters, and the process can choose it.
        argv: Its command line, which it can choose too.
        exe: The program file as a path in the machine; this cannot be chosen.
        parent: Id of the process that started it.
    """

    pid: int
    name: str
    argv: tuple[str, ...]
    uid: int
    exe: str
    parent: int


@dataclass(frozen=True)
class Answer:
    """What an HTTP server answered; the names of headers are in small letters.

    A header that came more than once has all its values, joined by a comma and a space.
    """

    status: int
    headers: Mapping[str, str]
    text: str


class Machine:
    """The student's machine, in ``machine`` checks.

    Paths: absolute ones are the student's own, relative ones start in ``~/work``; links lead where
    they lead for the student.

    Args:
        work: The student's ``~/work``, such as ``/home/student/work``.
        root: Where the student's files are.
        proc: Where the machine's processes are.
    """

    def __init__(self, work: str, root: str = "/proc/1/root", proc: str = "/proc") -> None:
        self.work = work
        self._files = Root(root, work)
        self._proc = Path(proc)

    def read_text(self, path: str) -> str:
        """Read a regular file as UTF-8; bytes that are not become ``�``.

        Raises:
            MachineError: It is not there, is not a regular file, or is bigger than 2 MB.
        """
        return self._files.read_text(path)

    def exists(self, path: str) -> bool:
        """Tell whether the path is there; a link that leads nowhere is not.

        Raises:
            MachineError: It cannot be found out.
        """
        return self._files.exists(path)

    def stat(self, path: str) -> Stat:
        """Tell mode, owner, size and kind of the path itself; a link is not followed.

        Raises:
            MachineError: It is not there.
        """
        return self._files.stat(path)

    def list(self, path: str = ".") -> builtins.list[str]:
        """List the names in a folder, sorted, without ``.`` and ``..``.

        Raises:
            MachineError: It is not there, is not a folder, or has more than 10,000 names.
        """
        return self._files.list(path)

    def listeners(self) -> builtins.list[Listener]:
        """List the TCP addresses where somebody takes connections, by port."""
        sockets = [
            entry
            for name in ("tcp", "tcp6")
            for entry in parse_listening((self._proc / "self/net" / name).read_text())
        ]
        owners = self._socket_owners()
        found = {
            Listener(s.address, s.port, min(owners.get(s.inode, []), default=None)) for s in sockets
        }
        return sorted(
            (entry for entry in found if entry.address != _DOCKER_DNS or entry.pid is not None),
            key=lambda entry: (entry.port, entry.address, entry.pid or 0),
        )

    def processes(self) -> builtins.list[Process]:
        """List the processes of the machine, by id, without those that have ended."""
        found: builtins.list[Process] = []
        for pid in self._pids():
            with contextlib.suppress(OSError, LookupError, ValueError):
                found.append(self._process(pid))
        return found

    def processes_at(self, port: int) -> builtins.list[Process]:
        """List all processes that can take connections on a port, by id.

        A socket is handed on to every child: a process that merely holds it may be shown as the
        listener while another one answers. Who asks what a server is asks all of these.
        """
        inodes = {
            entry.inode
            for name in ("tcp", "tcp6")
            for entry in parse_listening((self._proc / "self/net" / name).read_text())
            if entry.port == port
        }
        owners = self._socket_owners()
        pids = {pid for inode in inodes for pid in owners.get(inode, [])}
        return [process for process in self.processes() if process.pid in pids]

    def is_shipped(self, process: Process) -> bool:
        """Tell whether a process runs the very program that the lesson's image has at that path.

        ``exe`` alone does not say that: a student who is root may put another program there.
        """
        try:
            with (
                (self._living(process.pid) / "exe").open("rb") as theirs,
                Path(process.exe).open("rb") as ours,
            ):
                while block := theirs.read(1 << 20):
                    if block != ours.read(1 << 20):
                        return False
                return not ours.read(1)
        except (OSError, LookupError):
            return False

    def is_version_of(self, process: Process, program: str) -> bool:
        """Tell whether a process runs a program of the lesson's image, or another version of it.

        So a student may upgrade the package. It is told by the texts in the file that runs
        (:mod:`hexhub_check.programs`), wherever that file is by now.

        Args:
            process: One of the machine's.
            program: Absolute path in the image.

        Raises:
            HarnessError: The image has no such program.
        """
        try:
            ours = Path(program).read_bytes()
        except OSError:
            raise HarnessError(f"This lesson's image has no program {program}.") from None
        try:
            with (self._living(process.pid) / "exe").open("rb") as theirs:
                return is_version_of(theirs, ours)
        except (OSError, LookupError):
            return False

    def http(
        self,
        path: str = "/",
        *,
        port: int = 8000,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
        timeout_s: float = 5,
    ) -> Answer:
        """Ask a server in the machine at 127.0.0.1; redirections are not followed.

        Raises:
            MachineError: Nobody listens there, no whole answer came in time, or it is no HTTP.
        """
        url = f"http://127.0.0.1:{port}{path}"
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
        with _closed_after(timeout_s, connection) as is_late, contextlib.closing(connection):
            try:
                data = None if body is None else body.encode()
                connection.request(method, path, body=data, headers=dict(headers or {}))
                answer = connection.getresponse()
                text = answer.read(MAX_BODY_BYTES + 1)
            except ConnectionRefusedError:
                raise MachineError(
                    f"Nobody listens at {url}. Is the server running, and on port {port}?"
                ) from None
            except (OSError, http.client.HTTPException, ValueError) as error:
                if is_late() or isinstance(error, TimeoutError):
                    raise MachineError(f"{url} did not answer within {timeout_s:g} s.") from None
                reason = str(error)[:200] or type(error).__name__
                raise MachineError(f"{url} did not answer in HTTP: {reason}") from None
        if is_late():
            raise MachineError(f"{url} did not answer within {timeout_s:g} s.")
        if len(text) > MAX_BODY_BYTES:
            raise MachineError(f"{url} answers with more than {MAX_BODY_BYTES} bytes.")
        charset = answer.headers.get_content_charset("utf-8")
        try:
            shown = text.decode(charset, errors="replace")
        except LookupError:
            shown = text.decode("utf-8", errors="replace")
        found: dict[str, str] = {}
        for name, value in answer.headers.items():
            key = name.lower()
            found[key] = f"{found[key]}, {value}" if key in found else value
        return Answer(answer.status, found, shown)

    def sql(
        self,
        query: str,
        *,
        dbname: str = "postgres",
        user: str = "student",
        host: str = "127.0.0.1",
        port: int = 5432,
        timeout_s: float = 5,
    ) -> builtins.list[dict[str, Any]]:
        """Ask a PostgreSQL server in the machine and give the rows; the session is read-only.

        Raises:
            MachineError: Nobody answers, the log-in or the query is refused, it took too long, or
                there are more than 10,000 rows.
            HarnessError: This image's check has no psycopg.
        """
        try:
            import psycopg
            from psycopg.rows import dict_row
        except ImportError:
            raise HarnessError("machine.sql needs the image hexhub/postgres.") from None
        milliseconds = int(timeout_s * 1000)
        place = f"PostgreSQL at {host}:{port}"
        try:
            connection = psycopg.connect(
                dbname=dbname,
                user=user,
                host=host,
                port=port,
                connect_timeout=max(2, int(timeout_s)),
                sslmode="disable",
                gssencmode="disable",
                autocommit=True,
                options=f"-c statement_timeout={milliseconds} -c default_transaction_read_only=on",
                row_factory=dict_row,
            )
        except psycopg.Error as error:
            raise MachineError(
                f"{place}, database {dbname}, user {user}: {_last_line(error)}"
            ) from None
        rows: builtins.list[dict[str, Any]] = []
        # A server that is not PostgreSQL could keep us waiting beyond its own time limit.
        with _closed_after(timeout_s + 1, connection) as is_late, contextlib.closing(connection):
            try:
                for row in connection.cursor().stream(query):
                    rows.append(dict(row))
                    if len(rows) > MAX_ROWS:
                        raise MachineError(f"{place} answers with more than {MAX_ROWS} rows.")
            except psycopg.Error as error:
                if is_late():
                    raise MachineError(f"{place} took longer than {timeout_s:g} s.") from None
                raise MachineError(f"{place} says: {_first_line(error)}") from None
        return rows

    def _pids(self) -> builtins.list[int]:
        """List the machine's own processes; those of checks have other files below them."""
        own_files = self._files_of(1)
        pids = sorted(int(entry.name) for entry in self._proc.iterdir() if entry.name.isdigit())
        return [pid for pid in pids if self._files_of(pid) == own_files]

    def _files_of(self, pid: int) -> str:
        try:
            return str((self._living(pid) / "ns/mnt").readlink())
        except (OSError, LookupError):
            return ""

    def _living(self, pid: int) -> Path:
        """Give the folder of a process that lives, or of a thread of it that does.

        The first thread of a process may end and leave the others running: the process then looks
        like one that has ended, and nothing can be read in its own folder.

        Raises:
            LookupError: Nothing of it lives.
        """
        folder = self._proc / str(pid)
        if _is_alive(folder):
            return folder
        for thread in sorted((folder / "task").iterdir()):
            if _is_alive(thread):
                return thread
        raise LookupError(pid)

    def _process(self, pid: int) -> Process:
        folder = self._living(pid)
        status = _read_status(folder)
        with (folder / "cmdline").open("rb") as file:
            words = file.read(65536).decode(errors="replace").split("\0")
        try:
            exe = str((folder / "exe").readlink())
        except OSError:
            exe = ""
        return Process(
            pid=pid,
            name=(folder / "comm").read_text().rstrip("\n"),
            argv=tuple(words[:-1] if words[-1] == "" else words),
            uid=int(status["Uid"].split()[0]),
            exe=exe,
            parent=int(status["PPid"]),
        )

    def _socket_owners(self) -> dict[int, builtins.list[int]]:
        owners: dict[int, builtins.list[int]] = {}
        for pid in self._pids():
            with contextlib.suppress(OSError, LookupError):
                for descriptor in (self._living(pid) / "fd").iterdir():
                    with contextlib.suppress(OSError):
                        match = _SOCKET_LINK.fullmatch(str(descriptor.readlink()))
                        if match:
                            owners.setdefault(int(match[1]), []).append(pid)
        return owners


def _read_status(folder: Path) -> dict[str, str]:
    lines = (folder / "status").read_text().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def _is_alive(folder: Path) -> bool:
    try:
        return _read_status(folder)["State"].split()[0] not in "ZX"
    except (OSError, LookupError):
        return False


@contextlib.contextmanager
def _closed_after(seconds: float, connection: Any) -> Iterator[Any]:
    """Cut a connection after that time, however slowly the other side goes on sending."""
    is_late = threading.Event()

    def cut() -> None:
        is_late.set()
        with contextlib.suppress(OSError, AttributeError):
            if isinstance(connection, http.client.HTTPConnection):
                connection.sock.shutdown(socket.SHUT_RDWR)
            else:
                descriptor = socket.socket(fileno=os.dup(connection.fileno()))
                descriptor.shutdown(socket.SHUT_RDWR)
                descriptor.close()

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield is_late.is_set
    finally:
        timer.cancel()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


def _last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()[:300]
