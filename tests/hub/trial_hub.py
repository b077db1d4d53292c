"""A whole HexHub with the trial courses, started as a person starts it, in a folder of its own."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from hexhub.certificates import trusted_by
from hexhub.names import machine_name
from tests.hub.trial_courses import all_servers, publish_trial_courses
from tests.ports import free_port

HEXHUB = Path(sys.executable).with_name("hexhub")
START_S = 150.0
WAIT_S = 120.0
"""Longest wait of tests for what is soon so: the computer may be slow, and others at work on it."""
_OWN_CONFIG = """
c.MachinePool.memory = 0  # what waits costs time that most tests need not spend
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.load_groups = {"insiders": {"users": ["grace"]}}
c.Spawner.poll_interval = 2
c.LessonSpawner.idle_slack_s = 1
"""


def docker(*arguments: str, is_checked: bool = True) -> str:
    """Give what a docker command prints."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=120)
    if is_checked and done.returncode != 0:
        raise AssertionError(f"docker {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout.strip()


def _is_of_a_stop(answer: httpx.Response) -> bool:
    """Tell whether JupyterHub refuses a start because it was still stopping the server.

    It stops one by itself, too, when it finds that the machine has ended.
    """
    return answer.status_code == 400 and "pending" in str(answer.json().get("message"))


class Student:
    """A logged-in person, by their browser's session."""

    def __init__(self, hub: "TrialHub", name: str) -> None:
        self.name = name
        self.client = httpx.Client(
            base_url=hub.url, follow_redirects=True, timeout=60, verify=trusted_by(hub.url)
        )
        self.client.get("/hub/login")
        answer = self.client.post(
            "/hub/login",
            data={"username": name, "password": "a long password", "_xsrf": self._xsrf()},
        )
        if answer.status_code != 200:
            self.client.close()
            raise AssertionError(answer.text)

    def _xsrf(self) -> str:
        found = [
            c.value for c in self.client.cookies.jar if c.name == "_xsrf" and c.path == "/hub/"
        ]
        return found[-1] or ""

    def post(self, path: str, body: Mapping[str, Any]) -> httpx.Response:
        """Post to JupyterHub's API as the page of a logged-in student would."""
        return self.client.post(
            f"/hub/api/{path}",
            json=body,
            headers={"X-XSRFToken": self._xsrf(), "Sec-Fetch-Mode": "cors"},
        )

    def open_lab(self, server: str) -> httpx.Response:
        """Open JupyterLab of a server, through log-in and all."""
        return self.client.get(f"/user/{self.name}/{server}/lab")


class TrialHub:
    """``hexhub up`` as a child process, with dummy log-in."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
        config: str = "",
        lessons: Collection[str] | None = None,
    ) -> None:
        """Lay its folder out; :meth:`start` starts it.

        Args:
            folder: For its state, courses and log; new.
            environment: Variables beside those of the test.
            options: Of ``hexhub up``.
            config: Lines for JupyterHub's configuration, read last.
            lessons: Of the trial courses that it has; None: all. A pool makes a container for each
                kind of lesson that there is.
        """
        self.options = tuple(options)
        self.folder = folder
        self.state = folder / "state"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        (folder / "courses").mkdir(parents=True)
        publish_trial_courses(folder / "sources", self.state / "catalog", lessons)
        (folder / "own_config.py").write_text(_OWN_CONFIG + config)
        self._environment = {
            **os.environ,
            "HEXHUB_CONFIG": str(folder / "own_config.py"),
            **(environment or {}),
        }
        self._output = folder / "up.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        began = time.monotonic()
        self._output.unlink(missing_ok=True)
        with self._output.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(HEXHUB, "up", "--port", str(self.port), "--state", str(self.state)),
                    *("--courses", str(self.folder / "courses")),
                    *self.options,
                ],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while "HexHub is ready" not in self.output:
            if self.process.poll() is not None or time.monotonic() - began > START_S:
                raise AssertionError(f"hexhub up did not start:\n{self.output}")
            time.sleep(0.05)

    @property
    def output(self) -> str:
        """What it has printed since the last start."""
        return self._output.read_text()

    def log(self, name: str) -> str:
        """Give what one of the four processes has logged since its last start."""
        return (self.state / "logs" / f"{name}.log").read_text()

    def stop(self) -> None:
        """Press Ctrl-C and wait for the end."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            assert self.process.wait(timeout=WAIT_S) == 0, self.output
            self.process = None

    def remove(self) -> None:
        """Stop it and remove its machines, networks and state."""
        self.stop()
        subprocess.run(
            [HEXHUB, "clean", "--yes", "--state", str(self.state)], check=True, capture_output=True
        )

    def child(self, name: str) -> int:
        """Give the process id of ``hub``, ``proxy``, ``web`` or ``worker``."""
        assert self.process is not None
        patterns = {
            "hub": r"-m spawner.hub",
            "proxy": r"configurable-http-proxy",
            "web": r"hexhub web",
            "worker": r"hexhub worker",
        }
        children = subprocess.run(
            ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(self.process.pid)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        found = re.search(rf"^\s*(\d+) .*{patterns[name]}", children, re.MULTILINE)
        assert found is not None, f"no {name} among the children:\n{children}"
        return int(found[1])

    def kill(self, name: str) -> None:
        """Kill one of the four processes with -9."""
        os.kill(self.child(name), signal.SIGKILL)

    def wait_until_answers(self, path: str = "/hub/api/", timeout_s: float = WAIT_S) -> None:
        """Wait until a path answers with 200, after the redirects of a stranger."""
        began = time.monotonic()
        while time.monotonic() - began < timeout_s:
            try:
                answer = httpx.get(
                    self.url + path, timeout=2, follow_redirects=True, verify=trusted_by(self.url)
                )
                if answer.status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"{path} did not answer within {timeout_s} s:\n{self.output}")

    def ask(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Ask JupyterHub's API with the token of HexHub's pages."""
        token = (self.state / "secrets" / "service-token").read_text()
        return httpx.request(
            method,
            f"{self.url}/hub/api/{path}",
            headers={"Authorization": f"token {token}"},
            timeout=90,
            verify=trusted_by(self.url),
            **arguments,
        )

    def wait_for_end(self, student: Student, server: str) -> None:
        """Wait until a start has ended, well or not, by JupyterHub's stream of progress."""
        path = f"users/{student.name}/servers/{server}/progress"
        token = (self.state / "secrets" / "service-token").read_text()
        with httpx.stream(
            "GET",
            f"{self.url}/hub/api/{path}",
            headers={"Authorization": f"token {token}"},
            timeout=90,
            verify=trusted_by(self.url),
        ) as answer:
            for _ in answer.iter_lines():
                pass

    def open(self, student: Student, server: str) -> httpx.Response:
        """Start a server as HexHub's pages do, and wait until it is ready or refused.

        Returns:
            JupyterHub's answer to the wish for a start; a server that runs already counts as 201.
        """
        path = f"users/{student.name}/servers/{server}"
        answer = self.ask("POST", path, json={"display_name": "Trial"})
        deadline = time.monotonic() + WAIT_S
        while answer.status_code in (202, 400) and time.monotonic() < deadline:
            model = self.ask("GET", path).json()
            if model.get("ready"):
                return httpx.Response(201)
            if not model.get("pending"):
                if not _is_of_a_stop(answer):
                    return answer
                answer = self.ask("POST", path, json={"display_name": "Trial"})
            time.sleep(0.1)
        return answer

    def stop_server(self, student: Student, server: str, **body: Any) -> None:
        """Stop a server as HexHub's pages do, and wait until it has."""
        path = f"users/{student.name}/servers/{server}"
        answer = self.ask("DELETE", path, json=body)
        assert answer.status_code in (202, 204), answer.text
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            answer = self.ask("GET", path)
            if answer.status_code == 404 or not (
                answer.json()["pending"] or answer.json()["ready"]
            ):
                return
            time.sleep(0.1)
        raise AssertionError(f"{server} did not stop: {answer.text}")

    def forget(self, student: Student) -> None:
        """Remove a student's machines: each one that runs takes time from the tests to come."""
        machines = self.machines(student)
        if machines:
            # Not checked: the hub may remove one at this moment.
            docker("rm", "--force", "--volumes", *machines, is_checked=False)

    def machines(self, student: Student, *more: str) -> list[str]:
        """Give the ids of a student's containers, running or not, also those put aside."""
        names = {machine_name(self.hub_id, student.name, server) for server in all_servers()}
        listed = self.containers(*more).items()
        return [container for container, name in listed if name.partition(".")[0] in names]

    @property
    def hub_id(self) -> str:
        """Id of this HexHub."""
        return (self.state / "secrets" / "hub-id").read_text()

    def containers(self, *more: str) -> dict[str, str]:
        """Give all containers of this hub: id → name."""
        lines = docker(
            *("ps", "--all", "--no-trunc", "--format", "{{.ID}} {{.Names}}"),
            *("--filter", f"label=hexhub.hub={self.hub_id}"),
            *more,
        ).splitlines()
        return dict(line.split() for line in lines)
