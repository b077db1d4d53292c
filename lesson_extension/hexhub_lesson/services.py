"""The lesson's services: programs of the student's machine that run again when it is resumed.

A stopped container keeps its disk and loses its processes. An author names those that a student
expects to find again, such as a database server; which of them ran is noted while the machine runs,
and what ran is started when the machine comes back.

Design choices: a service is known by the name of its process, so that it counts however the student
has started it, and one that they have stopped stays stopped. A container has no init system: its
first process gives SIGTERM to this one only, and when this one ends, the kernel kills the rest. So
this process asks the services to end, and waits for them, before it ends itself. All of it runs as
the machine's user; the note is the student's own file, and names only services that the author has
named.
"""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

FOLDER = ".local/share/hexhub"
"""Below the home folder: what ran at last, and what the services print when they are started."""

NOTE_EVERY_S = 15.0
_MAX_NOTE_BYTES = 4096
_COMM_LENGTH = 15
"""Linux cuts the names of processes."""
_POLL_S = 0.05


@dataclass(frozen=True)
class Service:
    """One program that runs again.

    Attributes:
        name: Of its process, as ``ps -o comm`` shows it.
        start: Shell command that starts it and comes back, run in ``~/work``.
        is_first: It is started in a new machine too.
    """

    name: str
    start: str
    is_first: bool = False


class Services:
    """The services of this machine."""

    def __init__(
        self, services: Sequence[Service], home: Path, say: Callable[[str], None], *, proc: Path
    ) -> None:
        """Take the services.

        Args:
            services: As the author named them.
            home: The student's home folder.
            say: Takes sentences for the machine's log.
            proc: Where the kernel tells of processes, ``/proc``.
        """
        self._services = tuple(services)
        self._home = home
        self._say = say
        self._proc = proc
        self._end = threading.Event()
        self._noted: frozenset[str] | None = None

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self._services)

    def start(self) -> None:
        """Start what ran when the machine was stopped, beside the server; note on what runs."""
        if not self._services:
            return
        noted = self._read_note()
        due = [
            service
            for service in self._services
            if (service.is_first if noted is None else service.name in noted)
        ]
        threading.Thread(target=self._run, args=(due,), name="services", daemon=True).start()

    def ask_to_end(self) -> None:
        """Note what runs, and ask it to end; safe in a signal handler."""
        self._end.set()
        running = self._running()
        self._write_note(running.values())
        for pid in running:
            with suppress(OSError):
                os.kill(pid, signal.SIGTERM)

    def wait_for_end(self, seconds: float) -> None:
        """Return when no service runs any more, at the latest after so many seconds."""
        deadline = time.monotonic() + seconds
        while self._running() and time.monotonic() < deadline:
            time.sleep(_POLL_S)

    def _run(self, due: Sequence[Service]) -> None:
        for service in due:
            if service.name[:_COMM_LENGTH] not in self._running().values():
                self._start(service)
        while not self._end.wait(NOTE_EVERY_S):
            self._write_note(self._running().values())

    def _start(self, service: Service) -> None:
        self._say(f"Service {service.name}: {service.start}")
        folder = self._home / FOLDER
        work = self._home / "work"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / "services.log").open("ab") as log:
                code = subprocess.run(
                    ["/bin/bash", "-lc", service.start],
                    cwd=work if work.is_dir() else self._home,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    check=False,
                ).returncode
        except OSError as exc:
            self._say(f"Service {service.name} cannot be started: {exc.strerror}.")
            return
        if code:
            self._say(f"Service {service.name}: exit code {code}; see ~/{FOLDER}/services.log.")

    def _running(self) -> dict[int, str]:
        """Give the processes of services that run: id → name, as far as Linux keeps it."""
        names = {service.name[:_COMM_LENGTH] for service in self._services}
        found = {}
        for entry in self._proc.iterdir():
            if entry.name.isdecimal():
                with suppress(OSError):
                    head, _, tail = (entry / "stat").read_text(errors="replace").rpartition(")")
                    name = head.partition("(")[2]
                    if name in names and not tail.startswith(" Z"):
                        found[int(entry.name)] = name
        return found

    @property
    def _note(self) -> Path:
        return self._home / FOLDER / "services.json"

    def _read_note(self) -> frozenset[str] | None:
        """Give the names of the services that ran; None in a machine that is new."""
        try:
            with self._note.open("rb") as file:
                names = json.loads(file.read(_MAX_NOTE_BYTES))
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            return frozenset()
        if not isinstance(names, list):
            return frozenset()
        return frozenset(name for name in names if isinstance(name, str))

    def _write_note(self, comms: Collection[str]) -> None:
        """Write down what runs, where that has changed."""
        there = set(comms)
        names = frozenset(s.name for s in self._services if s.name[:_COMM_LENGTH] in there)
        if names == self._noted:
            return
        making = self._note.with_suffix(".making")
        with suppress(OSError):
            making.parent.mkdir(parents=True, exist_ok=True)
            making.write_text(json.dumps(sorted(names)), encoding="utf-8")
            making.replace(self._note)
            self._noted = names
