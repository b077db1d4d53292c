"""A HexHub for measuring: one lesson of ours, and stock DockerSpawner's servers beside it.

All of it is one: the hub, the proxy, the image, the network, the limits. Which spawner a server
gets is decided by its name. Stock DockerSpawner has its best settings: the image is on this
computer, containers stay when they are stopped (``remove = False``), the proxy reaches them at
their own address (``use_internal_ip``). Nothing else of it is changed but the hub's address as
machines see it, which DockerSpawner takes from a setting that JupyterHub has once for all servers.
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import docker
import httpx

from hexhub.catalog.published import PublishedCatalog
from hexhub.catalog.reader import read_course
from hexhub.names import CourseName, LessonName, make_server_name
from tests.hub.trial_hub import Student, TrialHub

COURSE = CourseName("bench")
LESSON = LessonName("start")
OURS = make_server_name(COURSE, LESSON)
STOCK = "stock"
IMAGE = "hexhub/base"
MEMORY = "512M"
ASK_SHARE = 0.03
"""Of the time waited so far, between two questions whether a server is there: the error."""
PATIENCE_S = 120.0

_CONFIG = """
import os
from urllib.parse import urlparse

from dockerspawner import DockerSpawner
from jupyterhub.utils import url_path_join

from spawner.lesson_spawner import LessonSpawner


class StockSpawner(DockerSpawner):
    def get_env(self):
        env = super().get_env()
        for key in ("JUPYTERHUB_API_URL", "JUPYTERHUB_ACTIVITY_URL"):
            env[key] = url_path_join(os.environ["HEXHUB_INTERNET_GATE"], urlparse(env[key]).path)
        return env


class BenchSpawner(LessonSpawner):
    def __new__(cls, **kwargs):
        orm_spawner = kwargs.get("orm_spawner")
        if orm_spawner is not None and orm_spawner.name == "{stock}":
            return StockSpawner(**kwargs)
        return super().__new__(cls, **kwargs)


c.JupyterHub.spawner_class = BenchSpawner
c.JupyterHub.concurrent_spawn_limit = 200
c.JupyterHub.active_server_limit = 0
c.StockSpawner.image = "{image}"
c.StockSpawner.remove = False
c.StockSpawner.start_timeout = 180
c.StockSpawner.http_timeout = 180
c.StockSpawner.use_internal_ip = True
c.StockSpawner.network_name = os.environ["HEXHUB_DOCKER_NETWORK"]
c.StockSpawner.mem_limit = "{memory}"
c.StockSpawner.cpu_limit = 1.0
c.StockSpawner.name_template = "bench-" + os.environ["HEXHUB_HUB_ID"][:6] + "-{{username}}-stock"
c.StockSpawner.cmd = ["/opt/hexhub/bin/jupyterhub-singleuser"]
c.StockSpawner.args = ["--ServerApp.jpserver_extensions={{'hexhub_lesson': False}}"]
c.StockSpawner.extra_create_kwargs = {{
    "entrypoint": ["/usr/bin/tini", "-g", "--"],
    "labels": {{"hexhub.hub": os.environ["HEXHUB_HUB_ID"]}},
}}
"""
_POOL = """
c.MachinePool.least = {pool}
c.MachinePool.most = {pool}
c.MachinePool.memory = "4G" if {pool} else 0
c.MachinePool.quiet_s = 1.0
c.MachinePool.patience_s = 600.0
c.MachinePool.busy_load = 100.0
"""
"""As many wait as wanted, whatever the demand; and none is made between two starts that follow
each other at once, so that it is known which start finds one."""


@dataclass(frozen=True)
class Opened:
    """How a start ended.

    Attributes:
        total_ms: From the request to the hub until the server answers through the proxy.
        fault: Empty where it did.
    """

    total_ms: float
    fault: str = ""


class BenchHub:
    """A running HexHub with the lesson, and what is done with it."""

    def __init__(self, folder: Path, *, pool: int) -> None:
        """Prepare.

        Args:
            folder: Of its own, for all that it keeps.
            pool: How many containers wait; 0 for a hub without a pool.
        """
        config = _CONFIG.format(stock=STOCK, image=IMAGE, memory=MEMORY)
        self.trial = TrialHub(folder, config=config + _POOL.format(pool=pool))
        # The one lesson alone, or the pool would make machines of the tests' own lessons too.
        shutil.rmtree(self.trial.state / "catalog")
        _publish(folder / "bench-sources", self.trial.state / "catalog")
        self.pool = pool
        self.client = docker.APIClient(version="auto", timeout=120)
        self._students = 0

    @property
    def url(self) -> str:
        """Where people go."""
        return self.trial.url

    @property
    def hub_id(self) -> str:
        """Id of this HexHub."""
        return (self.trial.state / "secrets" / "hub-id").read_text()

    def student(self, word: str) -> Student:
        """Log a new student in."""
        self._students += 1
        return Student(self.trial, f"{word}{self._students}")

    def open(self, student: Student, server: str) -> Opened:
        """Start a server as HexHub's pages do, and wait until it answers through the proxy.

        The first redirect or answer of the server itself counts; those of the hub, which answers
        for servers that are not there, do not.
        """
        try:
            return self._open(student, server)
        except (httpx.HTTPError, ValueError) as exc:
            return Opened(0.0, f"{type(exc).__name__}: {exc}")

    def _open(self, student: Student, server: str) -> Opened:
        began = time.perf_counter()
        answer = self.trial.ask(
            "POST", f"users/{student.name}/servers/{server}", json={"display_name": "Bench"}
        )
        if answer.status_code not in (201, 202):
            return Opened(0.0, f"{answer.status_code}: {answer.text[:200]}")
        if answer.status_code == 202:
            # It takes longer than JupyterHub lets anybody wait. HexHub's pages are then told of the
            # end; whoever asks all the time takes the time that they measure.
            self.trial.wait_for_end(student, server)
        while time.perf_counter() - began < PATIENCE_S:
            page = student.client.get(f"/user/{student.name}/{server}/lab", follow_redirects=False)
            is_hubs = "/hub/" in page.headers.get("Location", "") and (
                "oauth2/authorize" not in page.headers["Location"]
            )
            if page.status_code in (200, 302) and not is_hubs:
                return Opened((time.perf_counter() - began) * 1000)
            if answer.status_code == 202 and self._has_failed(student, server):
                return Opened(0.0, "the start failed; see the hub's log")
            time.sleep(max(0.01, ASK_SHARE * (time.perf_counter() - began)))
        return Opened(0.0, f"not in {PATIENCE_S:g} s")

    def _has_failed(self, student: Student, server: str) -> bool:
        model = self.trial.ask("GET", f"users/{student.name}/servers/{server}").json()
        return not model.get("ready") and not model.get("pending")

    def stop(self, student: Student, server: str) -> None:
        """Stop a server and wait until it has."""
        self.trial.stop_server(student, server)

    def remove(self, student: Student, server: str) -> None:
        """Remove a student's server and its container."""
        self.trial.stop_server(student, server)
        self.trial.ask("DELETE", f"users/{student.name}/servers/{server}", json={"remove": True})
        for container in self.containers():
            name = container["Names"][0][1:]
            if server == STOCK and name == f"bench-{self.hub_id[:6]}-{student.name}-stock":
                self.client.remove_container(container["Id"], force=True, v=True)

    def containers(self) -> list[dict[str, object]]:
        """Give Docker's list of this hub's containers."""
        found: list[dict[str, object]] = self.client.containers(
            all=True, filters={"label": f"hexhub.hub={self.hub_id}"}
        )
        return found

    def waiting(self) -> dict[str, bool]:
        """Give the containers that wait for a student: id → has loaded all it can."""
        return {
            str(each["Id"]): b"waiting for a student" in self.client.logs(each["Id"], tail=5)
            for each in self.containers()
            if ".waiting." in str(each["Names"])
        }

    def fill(self) -> list[str]:
        """Wait until as many containers wait as are wanted, ready; give their ids."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            waiting = self.waiting()
            if len(waiting) == self.pool and all(waiting.values()):
                return list(waiting)
            if time.monotonic() > deadline:
                raise RuntimeError(f"{len(waiting)} of {self.pool} wait:\n{self.trial.output}")
            time.sleep(0.1)

    def machine_ids(self) -> dict[str, str]:
        """Give all containers of this hub: name → id."""
        return {str(each["Names"][0])[1:]: str(each["Id"]) for each in self.containers()}  # type: ignore[index]


@contextmanager
def running(folder: Path, *, pool: int) -> Iterator[BenchHub]:
    """Run a HexHub for measuring while the block lasts, and remove all that it made."""
    hub = BenchHub(folder, pool=pool)
    try:
        hub.trial.start()
        yield hub
    finally:
        hub.trial.remove()
        hub.client.close()


def _publish(folder: Path, catalog: Path) -> None:
    texts = {
        "course.yml": "schema: 1\ntitle: {en: Bench}\nsummary: {en: One lesson.}\n"
        f"locales: [en]\nimage: {IMAGE}\nlessons: [{LESSON}]\n",
        f"lessons/{LESSON}/lesson.yml": "schema: 1\ntitle: {en: Start}\nnetwork: internet\n"
        f"limits: {{memory: {MEMORY}, cpus: 1.0, processes: 256, disk: 1G, idle: 2h}}\n"
        "open: [terminal]\nsteps:\n  - id: step\n",
        f"lessons/{LESSON}/en/README.md": "Theory.\n",
        f"lessons/{LESSON}/en/steps/step.md": "# Do it\n\nText.\n",
        f"lessons/{LESSON}/starter/hello.txt": "Hello\n",
    }
    course = folder / COURSE
    for name, text in texts.items():
        path = course / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    PublishedCatalog(catalog).publish(course, read_course(course), {})


def is_alive(student: Student, server: str) -> bool:
    """Tell whether a server answers through the proxy."""
    try:
        answer = student.client.get(f"/user/{student.name}/{server}/api/status")
    except httpx.HTTPError:
        return False
    return answer.status_code == 200
