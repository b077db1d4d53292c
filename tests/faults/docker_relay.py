"""A Docker socket of a test's own, which can be cut off or made to hang, also for one machine."""

import contextlib
import socket
import threading
from collections.abc import Callable
from enum import Enum
from pathlib import Path

DOCKER_SOCKET = Path("/var/run/docker.sock")


class Mode(Enum):
    """What the relay does with a connection."""

    RELAY = "relay"
    SILENT = "silent"
    CLOSED = "closed"


class DockerRelay:
    """Passes a unix socket on to the real Docker, as long as it is told to."""

    def __init__(self, path: Path) -> None:
        self.url = f"unix://{path}"
        self._mode = Mode.RELAY
        self._open: set[socket.socket] = set()
        self._silent: list[socket.socket] = []
        self._hung = b""
        self._held: set[socket.socket] = set()
        self.passed: list[str] = []
        """First lines of the requests that passed while another one was held."""
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(128)
        self._pumps: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def switch(self, mode: Mode) -> None:
        """Change what happens to new connections; those that are open are cut."""
        self._mode = mode
        while self._silent:
            self._silent.pop().close()
        for end in list(self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def hang(self, machine: str) -> None:
        """Hold all requests that name this machine from now on, as Docker does when it hangs."""
        self._hung = machine.encode()
        self.passed.clear()

    def let_go(self) -> None:
        """Hold no more, and cut what is held."""
        self._hung = b""
        for end in list(self._held):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    @property
    def is_holding(self) -> bool:
        """Tell whether somebody waits for an answer that does not come."""
        return bool(self._held)

    def close(self) -> None:
        """Stop listening and cut everything."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join()
        self.switch(Mode.CLOSED)
        for pump in self._pumps:
            pump.join(5)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._mode is Mode.CLOSED:
                client.close()
            elif self._mode is Mode.SILENT:
                self._silent.append(client)
            else:
                self._open.add(client)
                docker = socket.socket(socket.AF_UNIX)
                docker.connect(str(DOCKER_SOCKET))
                self._open.add(docker)
                for pumped in ((client, docker, self._is_let_by), (docker, client, None)):
                    pump = threading.Thread(target=self._pump, args=pumped, daemon=True)
                    self._pumps.append(pump)
                    pump.start()

    def _pump(
        self,
        source: socket.socket,
        target: socket.socket,
        is_let_by: Callable[[socket.socket, bytes], bool] | None,
    ) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if is_let_by is None or is_let_by(source, data):
                    target.sendall(data)
        self._held.discard(source)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)
        self._drop(source)

    def _is_let_by(self, source: socket.socket, data: bytes) -> bool:
        """Tell whether a part of a request passes; what follows on a held connection does not."""
        line = data.partition(b"\r\n")[0]
        if source in self._held or (self._hung and self._hung in line):
            self._held.add(source)
            return False
        if self._held:
            self.passed.append(line.decode(errors="replace"))
        return True

    def _drop(self, end: socket.socket) -> None:
        self._open.discard(end)
        end.close()
