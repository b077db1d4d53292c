"""A whole HexHub, started as a person starts it, on free ports and in a folder of its own."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from hexhub.certificates import trusted_by
from tests.ports import free_port

REPOSITORY = Path(__file__).parents[2]
HEXHUB = Path(sys.executable).with_name("hexhub")
START_S = 240.0
"""The first start publishes the course, which runs every solution in real containers."""


class System:
    """One HexHub: ``hexhub up`` as a child process."""

    def __init__(
        self,
        state: Path,
        environment: dict[str, str] | None = None,
        published_by: "System | None" = None,
    ) -> None:
        """Lay nothing out yet; :meth:`start` starts it.

        Args:
            state: Its folder; new.
            environment: Variables beside those of the test.
            published_by: Another one that has published the course, which takes minutes, and need
                not be shown twice; None: it publishes the course itself.
        """
        if published_by is not None:
            shutil.copytree(published_by.state / "catalog", state / "catalog")
            state.chmod(0o700)
        self.state = state
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self.output = state.parent / f"{state.name}-up.log"

    def start(self) -> None:
        """Start it and wait until the sign-up page answers."""
        with self.output.open("ab") as log:
            self._process = subprocess.Popen(
                [HEXHUB, "up", "--port", str(self.port), "--state", str(self.state)],
                cwd=REPOSITORY,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_S
        while "HexHub is ready" not in self.output.read_text():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"hexhub up did not start:\n{self.output.read_text()}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Press Ctrl-C and wait for the end."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        self._process.wait(timeout=60)
        self._process = None

    def kill_hub(self) -> None:
        """Kill the hub's process with -9 and wait until its successor answers."""
        assert self._process is not None
        children = subprocess.run(
            ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(self._process.pid)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        found = re.search(r"^\s*(\d+) .*-m spawner\.hub", children, re.MULTILINE)
        assert found is not None, f"no hub among the children:\n{children}"
        os.kill(int(found[1]), signal.SIGKILL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            time.sleep(0.2)
            try:
                answer = httpx.get(f"{self.url}/hub/api/", timeout=2, verify=trusted_by(self.url))
                if answer.status_code == 200:
                    return
            except httpx.HTTPError:
                continue
        raise AssertionError("the hub did not come back within 60 s")

    def remove(self) -> None:
        """Stop it and remove its machines, network and state."""
        self.stop()
        subprocess.run(
            [HEXHUB, "clean", "--yes", "--state", str(self.state)],
            cwd=REPOSITORY,
            check=True,
            capture_output=True,
        )
