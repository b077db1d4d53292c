"""A real PostgreSQL for tests: Debian's binaries, on a socket in a folder of its own."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from hexhub.memory import has_free_memory
from hexhub.progress.store import Store

_START_S = 60
_IN_MEMORY = "/dev/shm"
_ROOM_BYTES = 4 * 1024**3
"""Far more than the servers of two runs at once write."""


def find_binaries() -> Path:
    """Give the folder of the newest PostgreSQL's programs.

    Raises:
        RuntimeError: PostgreSQL's server is not installed.
    """
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parent.parent.name)
    )
    if not found:
        raise RuntimeError(
            "These tests need PostgreSQL's server. Install it: apt-get install postgresql"
        )
    return found[-1].parent


class PostgresServer:
    """A running server; knows how to make databases and how to die."""

    def __init__(self, folder: Path, owner: str | None) -> None:
        self._binaries = find_binaries()
        self._folder = folder
        self._owner = owner
        self._number = 0
        self._migrated: str | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self._run(
            "initdb", "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8",
            "--locale=C.UTF-8", "--no-sync", "--no-instructions",
        )  # fmt: skip

    def start(self) -> None:
        """Start the server and wait until it answers."""
        with (self._folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    str(self._binaries / "postgres"), "-D", str(self._folder / "data"),
                    "-k", str(self._folder), "-c", "listen_addresses=", "-c", "fsync=off",
                ],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, user=self._owner,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            )  # fmt: skip
        until_s = time.monotonic() + _START_S
        while True:
            try:
                with psycopg.connect(self._libpq("postgres")):
                    return
            except psycopg.OperationalError:
                if time.monotonic() > until_s or self.process.poll() is not None:
                    raise RuntimeError((self._folder / "log").read_text()[-3000:]) from None
                time.sleep(0.05)

    def crash(self) -> None:
        """End the server as a power cut does."""
        assert self.process is not None
        # SIGQUIT is PostgreSQL's immediate shutdown: no goodbye, recovery at the next start.
        self.process.send_signal(3)
        self.process.wait(30)

    def stop(self) -> None:
        """End the server and its connections."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(2)
            self.process.wait(30)

    def make_empty(self) -> str:
        """Make a database without tables and give its SQLAlchemy URL."""
        return self._make("template0")

    def make_migrated(self) -> str:
        """Make a database with all tables, by copying, and give its SQLAlchemy URL."""
        if self._migrated is None:
            url = self.make_empty()
            store = Store(url)
            store.migrate()
            store.close()
            self._migrated = str(make_url(url).database)
        return self._make(self._migrated)

    def _make(self, template: str) -> str:
        self._number += 1
        name = f"test_{self._number}"
        with psycopg.connect(self._libpq("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        return self.url(name)

    def url(self, name: str) -> str:
        """Give the SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://postgres@/{name}?host={self._folder}"

    def _libpq(self, name: str) -> str:
        return f"host={self._folder} user=postgres dbname={name} connect_timeout=5"

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._binaries / program), *arguments],
            capture_output=True, text=True, check=False, user=self._owner, cwd=self._folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr[-2000:]}")


def _roomy_folder() -> str:
    """Give where a server's folder is made: in memory, where there is plenty.

    The databases of all tests are tens of thousands of files, which a disk takes long to remove.
    """
    is_there = os.access(_IN_MEMORY, os.W_OK) and shutil.disk_usage(_IN_MEMORY).free > _ROOM_BYTES
    return _IN_MEMORY if is_there and has_free_memory(_ROOM_BYTES) else "/tmp"


@contextmanager
def running_postgresql() -> Iterator[PostgresServer]:
    """Run a server while the block lasts; nothing of it is left.

    PostgreSQL refuses to run as root: then it runs as the user that Debian made for it.
    """
    # Not pytest's tmp_path: a socket's path may have 107 bytes, and "postgres" must get in.
    folder = Path(tempfile.mkdtemp(prefix="hexhub-pg-", dir=_roomy_folder()))
    owner = "postgres" if os.getuid() == 0 else None
    try:
        if owner is not None:
            account = pwd.getpwnam(owner)
            os.chown(folder, account.pw_uid, account.pw_gid)
        server = PostgresServer(folder, owner)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)
