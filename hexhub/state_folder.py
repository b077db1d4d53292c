"""The folder of everything that must stay: databases, secrets, ports, logs, published courses.

Only its owner may enter it. One HexHub runs per folder; its lock is held by the process that runs,
so that a lock left by a killed one holds nobody up.
"""

import fcntl
import json
import os
import random
import secrets
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hexhub.errors import SetupError

SECRETS = (
    "hub-id",
    "proxy-token",
    "service-token",
    "supervisor-token",
    "cookie-secret",
    "pseudonym-key",
)
"""Made once, kept for ever; all are hex."""
_SECRET_BYTES = {"hub-id": 16, "cookie-secret": 32}
_USUAL_SECRET_BYTES = 24
_PORTS = range(20_000, 32_000)
"""Below the range from which Linux takes ports for outgoing connections (32768 and above), so that
a port that is kept is not taken by chance."""
_KEPT_LOGS = 3


@dataclass(frozen=True)
class StateFolder:
    """The state of one HexHub on disk."""

    path: Path

    def make(self) -> None:
        """Make the folder and its secrets where they are missing.

        Raises:
            SetupError: The folder cannot be made, or other users of this computer may enter it.
        """
        try:
            for folder in (self.path, self.secrets, self.logs):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.path.stat().st_uid != os.getuid():
                raise SetupError(
                    f"The state folder {self.path} belongs to somebody else. "
                    "Choose another one with --state."
                )
            self.path.chmod(0o700)
            for name in SECRETS:
                self._make_secret(name)
        except OSError as exc:
            raise SetupError(
                f"The state folder {self.path} cannot be used: {exc.strerror}. "
                "Choose another one with --state."
            ) from exc

    @property
    def secrets(self) -> Path:
        """Folder of the secrets."""
        return self.path / "secrets"

    @property
    def logs(self) -> Path:
        """Folder of the logs."""
        return self.path / "logs"

    @property
    def archives(self) -> Path:
        """Folder of the files of old machines (``hexhub.archives``)."""
        return self.path / "archives"

    @property
    def exists(self) -> bool:
        """Tell whether a HexHub was ever started here."""
        return (self.secrets / "hub-id").is_file()

    @property
    def hub_id(self) -> str:
        """Id of this HexHub: hex digits, in the labels of all its containers.

        Its first six are no secret, the rest is: machines' names are made with it.
        """
        return self.secret("hub-id")

    def secret(self, name: str) -> str:
        """Give one of :data:`SECRETS`."""
        return (self.secrets / name).read_text(encoding="ascii").strip()

    def keep_ports(self, hosts: Mapping[str, Iterable[str]]) -> dict[str, int]:
        """Choose a free port for each name, the one it had before where that is free.

        Args:
            hosts: Name → the addresses of this computer on which it must be free.
        """
        before = self.kept_ports()
        ports: dict[str, int] = {}
        for name, addresses in hosts.items():
            wanted = before.get(name)
            where = tuple(addresses)
            if wanted is None or not is_free(where, wanted):
                wanted = _free_port(where, taken=ports.values())
            ports[name] = wanted
        self._ports_file.write_text(json.dumps(ports, indent=1), encoding="utf-8")
        return ports

    def kept_ports(self) -> dict[str, int]:
        """Give the ports that were chosen at the last start; empty before the first."""
        try:
            kept = json.loads(self._ports_file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return {name: port for name, port in kept.items() if isinstance(port, int)}

    def keep_subdomain_host(self, url: str) -> None:
        """Remember for ``hexhub doctor`` by which name HexHub was started last; empty: none."""
        self._subdomain_file.write_text(url, encoding="ascii")

    @property
    def subdomain_host(self) -> str:
        """Origin of HexHub's pages where students have names of their own; empty where not."""
        try:
            return self._subdomain_file.read_text(encoding="ascii").strip()
        except (FileNotFoundError, ValueError):
            return ""

    def open_log(self, name: str) -> int:
        """Open ``logs/<name>.log`` for appending, the old one moved aside; gives the descriptor."""
        log = self.logs / f"{name}.log"
        for number in range(_KEPT_LOGS - 1, -1, -1):
            old = log if number == 0 else log.with_suffix(f".log.{number}")
            if old.exists():
                old.rename(log.with_suffix(f".log.{number + 1}"))
        return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def lock(self) -> int:
        """Hold the folder for this process and write its id there; gives the descriptor to keep.

        Raises:
            SetupError: A HexHub runs here already.
        """
        descriptor = os.open(self._lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            os.close(descriptor)
            raise SetupError(
                f"HexHub runs already with the state folder {self.path} (process "
                f"{self.running_process() or '?'}). Stop it with: hexhub down"
            ) from exc
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return descriptor

    def running_process(self) -> int | None:
        """Give the id of the process that holds the folder, or None."""
        try:
            descriptor = os.open(self._lock_file, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
            return int(text) if text.isdigit() else None
        else:
            return None
        finally:
            os.close(descriptor)

    @property
    def _ports_file(self) -> Path:
        return self.path / "ports.json"

    @property
    def _subdomain_file(self) -> Path:
        return self.path / "subdomain-host"

    @property
    def _lock_file(self) -> Path:
        return self.path / "hexhub.pid"

    def _make_secret(self, name: str) -> None:
        file = self.secrets / name
        if file.is_file() and file.stat().st_size:
            file.chmod(0o600)
            return
        making = file.with_suffix(".making")
        making.unlink(missing_ok=True)
        descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as text:
            text.write(secrets.token_hex(_SECRET_BYTES.get(name, _USUAL_SECRET_BYTES)))
            text.flush()
            os.fsync(text.fileno())
        making.rename(file)


def is_free(addresses: Iterable[str], port: int) -> bool:
    """Tell whether a program may listen on ``port`` at all of ``addresses`` of this computer."""
    for address in addresses:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
                probe.listen(1)
            except OSError:
                return False
    return True


def _free_port(addresses: tuple[str, ...], taken: Iterable[int]) -> int:
    candidates = [port for port in _PORTS if port not in set(taken)]
    random.shuffle(candidates)
    for port in candidates:
        if is_free(addresses, port):
            return port
    raise SetupError(f"No port of this computer between {_PORTS[0]} and {_PORTS[-1]} is free.")
