"""The spawner of HexHub: opens the machine of the lesson that a server's name stands for.

Design choices: a subclass of DockerSpawner, so that its options of the Docker connection (TLS,
``client_kwargs``, ``tls_config``) stay, but with a ``start`` of its own. DockerSpawner makes a
container out of traits, some of which students can reach through ``user_options``, sends all calls
of all students through one thread, and gives a resumed container the token it had before. Here

- the lesson comes from the name of the server and the published catalog, and ``user_options`` must
  be empty;
- a container is made once and started again each time, with a new environment each time
  (``spawner.machine_channel``), so that for JupyterHub nothing is ever resumed;
- names are enough to find a container again: nothing need be remembered between hubs, and a hub
  that was killed half-way leaves nothing that the next start does not use or replace.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlparse

import docker
from docker.errors import NotFound
from dockerspawner import DockerSpawner
from jupyterhub.spawner import SpawnException
from jupyterhub.utils import url_path_join
from traitlets import Bool, Dict, Float, Unicode, default

from hexhub.archives import Archives
from hexhub.catalog.model import Course, Lesson, Network
from hexhub.catalog.published import PublishedCatalog
from hexhub.docker_client import connect
from hexhub.ended_containers import last_state
from hexhub.hub_reports import HubReports
from hexhub.machine_facts import MachineEnd, MachineFacts
from hexhub.names import machine_name
from hexhub.runtimes import USUAL_RUNTIMES
from spawner.admission import admit, refuse_options
from spawner.container import PORT, STOP_TIMEOUT_S, address_of, lesson_environment
from spawner.docker_threads import THREADS, DockerThreads, DockerTrouble
from spawner.endings import (
    STOPPED_BY_SOMEBODY,
    STOPPED_IDLE,
    MachineLife,
    how_it_ended,
    idle_stop_at,
    stop_reason,
)
from spawner.fail_points import pass_point
from spawner.listening import listens
from spawner.machine_channel import make_message
from spawner.machine_site import MachineSite
from spawner.machine_start import MachineStart, Started, Workshop, clean_up
from spawner.phases import Phases
from spawner.pool import MachinePool
from spawner.refusals import refuse
from spawner.resets import machines_aside, put_aside, remove_all, take_back, undo_until
from spawner.starting_places import StartingPlaces

_STATE_POLL_S = 0.5
_EMPTY_S = 3.0
_REPORT_EVERY_S = 60
"""How often a machine tells the hub that it is used."""
_HUB_BEGAN_AT = datetime.now(UTC)

_Result = TypeVar("_Result")


class LessonSpawner(DockerSpawner):
    """Starts, stops and removes the container of one student in one lesson."""

    hub_id = Unicode(config=True, help="Id of this HexHub; all containers bear it as a label.")
    catalog_folder = Unicode(config=True, help="Folder of the published catalog.")
    archive_folder = Unicode(config=True, help="Folder of the files of old machines.")
    internet_network = Unicode(config=True, help="Docker network of lessons with the internet.")
    internet_gate = Unicode(config=True, help="URL of HexHub as machines on that network see it.")
    isolated_network = Unicode(config=True, help="Docker network of lessons without the internet.")
    isolated_gate = Unicode(config=True, help="URL of HexHub as machines on that network see it.")
    api_prefix = Unicode(
        "/services/hexhub/api/", config=True, help="Path of HexHub's API, with both slashes."
    )
    public_prefix = Unicode(
        "/services/hexhub/", config=True, help="Path of HexHub's pages, with both slashes."
    )
    stops_idle = Bool(True, config=True, help="Stop machines after the idle time of their lesson.")
    idle_slack_s = Float(
        1.25 * _REPORT_EVERY_S,
        config=True,
        help="How much later than told an idle machine is stopped, to hear of a late use.",
    )
    holds_quota = Bool(False, config=True, help="Docker's storage can limit a container's disk.")
    counts_image = Bool(False, config=True, help="Such a limit counts the lesson's image, too.")
    runtimes = Dict(
        dict(USUAL_RUNTIMES), config=True, help="Docker's runtime for each isolation of a lesson."
    )
    docker_timeout_s = Float(30.0, config=True, help="Longest wait for one answer of Docker.")
    docker_ping_s = Float(5.0, config=True, help="Longest wait for a sign of life of Docker.")
    ready_timeout_s = Float(
        60.0, config=True, help="Longest wait for JupyterLab to listen; below start_timeout."
    )

    report_url = Unicode(
        config=True,
        help="Where HexHub is told of starts and stops, with the last slash; empty: nowhere.",
    )
    report_token = Unicode(config=True, help="Token of HexHub's service at JupyterHub.")

    _reports: ClassVar[dict[str, HubReports]] = {}
    _catalogs: ClassVar[dict[str, PublishedCatalog]] = {}
    _lives: ClassVar[dict[str, MachineLife]] = {}
    _pools: ClassVar[dict[str, MachinePool]] = {}
    _places: ClassVar[StartingPlaces] = StartingPlaces()
    _moves: ClassVar[dict[str, asyncio.Lock]] = {}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._phases = Phases()
        self._is_refused = False
        self._has_listened = False

    # What JupyterHub asks

    @property
    def executor(self) -> ThreadPoolExecutor:
        """The threads in which Docker is asked, shared by all students."""
        if LessonSpawner._executor is None:
            LessonSpawner._executor = ThreadPoolExecutor(THREADS, thread_name_prefix="docker")
        executor: ThreadPoolExecutor = LessonSpawner._executor
        return executor

    @property
    def client(self) -> docker.APIClient:
        """The connection to Docker, shared by all students; made in a thread at its first use."""
        cls = LessonSpawner
        if cls._client is None:
            tls = docker.tls.TLSConfig(**self.tls_config) if self.tls_config else None
            more = {"timeout": self.docker_timeout_s, **self.client_kwargs}
            cls._client = connect(more.pop("timeout"), tls=tls, **more)
        client: docker.APIClient = cls._client
        return client

    @default("client_kwargs")
    def _default_client_kwargs(self) -> dict[str, Any]:
        return {"timeout": self.docker_timeout_s, "max_pool_size": THREADS}

    @default("object_name")
    def _object_name_default(self) -> str:
        """Give the container's name; DockerSpawner's templates have no part in it."""
        return machine_name(self.hub_id, self.user.name, self.name)

    @default("options_from_form")
    def _default_options_from_form(self) -> str:
        """Let a form through as it is: ``start`` refuses whatever is in it."""
        return "simple"

    @property
    def will_resume(self) -> bool:
        """Tell JupyterHub that each start is a new one, with a new token."""
        return False

    def get_state(self) -> dict[str, Any]:
        """Give nothing to remember: the names are enough to find the container."""
        return {}

    def load_state(self, state: dict[str, Any]) -> None:
        """Remember nothing."""

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """Tell each phase of the start once, in order, as it begins (``spawner.phases``)."""
        async for event in self._phases.listen():
            yield event

    async def rename(self, old_name: str, new_name: str) -> None:  # noqa: ARG002
        """Refuse: the name of a server says which lesson it is."""
        raise refuse("A lesson's server cannot be renamed.", "rename", 400)

    async def start(self) -> tuple[str, int]:
        """Start the machine of this server's lesson and give address and port once it listens.

        Raises:
            SpawnException: There is no such lesson, it is not for this student, or the machine
                cannot be started now; with a sentence for the student.
        """
        self._phases.forget()
        self._is_refused = True
        self._has_listened = False
        began_s = time.monotonic()
        self._phases.tell("lesson")
        course, lesson = self._allowed_lesson()
        async with self._moving:
            started = await self._start_machine(course, lesson)
        self.object_id = started.container_id
        self._has_listened = True
        self._phases.tell("ready")
        duration_ms = round(1000 * (time.monotonic() - began_s))
        self.log.info(
            "%s: %s start of %s in %d ms",
            self._log_name,
            started.kind,
            self.object_name,
            duration_ms,
        )
        self._life.is_told_of = True
        self._reporter.tell(
            "server-started",
            user=self.user.name,
            server=self.name,
            start=started.kind,
            duration_ms=duration_ms,
        )
        return started.address, PORT

    async def stop(self, now: bool = False) -> None:  # noqa: ARG002 - JupyterHub's signature
        """Stop the container; it stays, with everything in it."""
        await self._stop(STOPPED_BY_SOMEBODY)

    async def _stop(self, reason: str) -> None:
        self._phases.forget()
        # JupyterHub also stops what it has found to have ended: that is not forgotten.
        if not self._life.has_ended:
            self._life.was_stopped = True
            self._life.ended = None
        pass_point("stop.asked")
        try:
            await self._docker_call("stop", self.object_name, timeout=STOP_TIMEOUT_S)
            pass_point("stop.done")
        except NotFound:
            self.log.info("%s is gone already", self.object_name)
        if self._life.is_told_of is not False:
            self._tell_stop(reason)

    def _tell_stop(self, reason: str) -> None:
        self._life.is_told_of = False
        self._reporter.tell("server-stopped", user=self.user.name, server=self.name, reason=reason)

    async def poll(self) -> int | str | None:
        """Tell whether the container runs: None if so, else how it ended.

        Only Docker's own word that it is gone or has ended counts. Where Docker does not answer,
        the machine may well be running: to call it dead would cut the student off. After a start
        that was refused before Docker was touched there is nothing to ask: JupyterHub polls before
        it tells the student why, and a Docker that hangs would delay that.
        """
        if self._is_refused:
            return 0
        try:
            container = await asyncio.wait_for(
                self._docker_call("inspect_container", self.object_name), self.docker_timeout_s
            )
            state = await asyncio.wait_for(self._last_state(container), self.docker_timeout_s)
        except NotFound:
            self._note_end(None)
            return 0
        except (TimeoutError, *DockerTrouble) as exc:
            self.log.warning("Docker does not tell how %s is: %s", self.object_name, exc)
            return None
        if state["Running"]:
            return await self._stop_if_empty(container) or await self._stop_if_idle()
        self._note_end(self._how_it_ended(state))
        return f"exit code {state['ExitCode']}{', out of memory' if state['OOMKilled'] else ''}"

    def _note_end(self, end: MachineEnd | None) -> None:
        """Remember that the machine was found not to run, and tell HexHub so, once."""
        life = self._life
        life.ended = end
        life.has_ended = True
        # Where a hub before this one may have told of it, JupyterHub's own memory says so.
        is_serving = self.orm_spawner.server is not None
        if life.is_told_of or (life.is_told_of is None and is_serving):
            self._tell_stop(stop_reason(end))

    # What HexHub's pages ask, through spawner.machine_api

    async def machine_facts(self) -> MachineFacts:
        """Give what becomes of the machine."""
        container = await self._find()
        aside = await self._docker_call_with(partial(machines_aside, machine=self.object_name))
        used_at = self.orm_spawner.last_activity
        found = self._catalog.at_server(self.name) if self.stops_idle and self.ready else None
        return MachineFacts(
            idle_stop_at=None
            if found is None or used_at is None
            else idle_stop_at(used_at.replace(tzinfo=UTC), _HUB_BEGAN_AT, found[1].limits.idle_s),
            undo_until=undo_until(aside, datetime.now(UTC)),
            ended=self.ended
            if container is None or container["State"]["Running"]
            else self._how_it_ended(await self._last_state(container)),
        )

    @property
    def ended(self) -> MachineEnd | None:
        """How the machine last ended by itself, as far as this hub has seen."""
        return self._life.ended

    @property
    def _life(self) -> MachineLife:
        return LessonSpawner._lives.setdefault(self.object_name, MachineLife())

    @property
    def _moving(self) -> asyncio.Lock:
        """Held by whoever changes the machine; JupyterHub may make a second spawner for it."""
        return LessonSpawner._moves.setdefault(self.object_name, asyncio.Lock())

    async def put_aside(self) -> None:
        """Put the machine of this stopped server aside: a reset."""
        async with self._moving:
            await self._docker_call_with(partial(put_aside, machine=self.object_name))
            self._life.ended = None

    async def take_back(self) -> None:
        """Put the machine back that was put aside last.

        Raises:
            NothingToUndo: There is none.
        """
        async with self._moving:
            await self._docker_call_with(partial(take_back, machine=self.object_name))
            self._life.ended = None

    async def _last_state(self, container: dict[str, Any]) -> dict[str, Any]:
        """Give ``State`` of the inspected machine; of one that ended by itself, the reason too."""
        state: dict[str, Any] = container["State"]
        if state["Running"] or self._life.was_stopped:
            return state
        return await self._docker_call_with(partial(last_state, container=container))

    def _how_it_ended(self, state: dict[str, Any]) -> MachineEnd | None:
        found = self._catalog.at_server(self.name)
        memory_bytes = found[1].limits.memory_bytes if found else 0
        return how_it_ended(state, was_stopped=self._life.was_stopped, memory_bytes=memory_bytes)

    async def get_url(self) -> str:
        """Give the URL of the machine as it is now, for a hub that was killed while it started.

        JupyterHub stores the address only after ``start`` has returned.
        """
        try:
            container = await self._docker_call("inspect_container", self.object_name)
        except DockerTrouble:
            url: str = await super().get_url()
            return url
        return f"http://{address_of(container) or '127.0.0.1'}:{PORT}{self.server.base_url}"

    async def _stop_if_empty(self, container: dict[str, Any]) -> str | None:
        """Stop a machine in which no server listens, as a hub leaves it that is killed in a start.

        A server that runs is always reached, however busy it is, since the kernel takes its
        connections. JupyterHub would wait for this one until ``http_timeout``.
        """
        if self._has_listened:
            return None
        address = address_of(container)
        deadline = time.monotonic() + _EMPTY_S
        while not (address and await listens(address, PORT)):
            if time.monotonic() > deadline:
                self.log.warning("Stopping %s: no server listens in it", self.object_name)
                await clean_up(self.docker_threads, self.object_name, "", self.log)
                return "no server in it"
            await asyncio.sleep(_STATE_POLL_S)
        self._has_listened = True
        return None

    async def _stop_if_idle(self) -> str | None:
        """Stop a machine that nobody has used for as long as its lesson allows.

        JupyterHub learns of use from the proxy and from the machine itself. While the hub was away
        it learned nothing, so that no machine is idle for longer than this hub has been there.
        """
        found = self._catalog.at_server(self.name) if self.stops_idle else None
        last_activity = self.orm_spawner.last_activity
        if found is None or last_activity is None:
            return None
        idle_s = found[1].limits.idle_s
        stop_at = idle_stop_at(last_activity.replace(tzinfo=UTC), _HUB_BEGAN_AT, idle_s)
        # A machine that is used at the last moment tells so with its next report.
        if datetime.now(UTC) < stop_at + timedelta(seconds=self.idle_slack_s):
            return None
        self.log.info("Stopping %s: not used for %d s", self.object_name, idle_s)
        try:
            await self._stop(STOPPED_IDLE)
        except DockerTrouble as exc:
            self.log.warning("Could not stop %s: %s", self.object_name, exc)
            return None
        return f"not used for {idle_s} s"

    async def delete_forever(self) -> None:
        """Remove the machine and all that was kept of it; called when server or user is deleted.

        Whoever comes later under the same name would be given it.
        """
        try:
            await self._docker_call_with(partial(remove_all, machine=self.object_name))
        finally:
            LessonSpawner._lives.pop(self.object_name, None)
            if self.archive_folder:
                archives = Archives(Path(self.archive_folder))
                await self.docker_threads.run(partial(archives.remove, self.object_name))

    def get_env(self) -> dict[str, str]:
        """Give the environment that the machine gets when it starts.

        URLs of the hub are those of the gate, as seen from the lesson's network.
        """
        env: dict[str, str] = super().get_env()
        found = self._catalog.at_server(self.name)
        if found is None:
            return env
        _course, lesson = found
        gate = self.isolated_gate if lesson.network is Network.NONE else self.internet_gate
        for key in ("JUPYTERHUB_API_URL", "JUPYTERHUB_ACTIVITY_URL"):
            env[key] = url_path_join(gate, urlparse(env[key]).path)
        env["JUPYTER_IMAGE_SPEC"] = lesson.image
        env["HEXHUB_API_URL"] = url_path_join(gate, self.api_prefix)
        env["HEXHUB_PUBLIC_PREFIX"] = self.public_prefix
        env |= lesson_environment(lesson, holds_quota=self.holds_quota)
        env["HEXHUB_IDLE_S"] = str(lesson.limits.idle_s if self.stops_idle else 0)
        env["JUPYTERHUB_ACTIVITY_INTERVAL"] = str(_REPORT_EVERY_S)
        return {key: value for key, value in env.items() if value is not None}

    # The steps of a start

    async def _start_machine(self, course: Course, lesson: Lesson) -> Started:
        """Start the machine; what fails has been cleaned up when this ends."""
        container = await self._expect_docker()
        self._is_refused = False
        life = self._life
        life.ended = (
            None if container is None else self._how_it_ended(await self._last_state(container))
        )
        life.was_stopped = life.has_ended = life.is_told_of = False
        start = MachineStart(
            self._workshop,
            self._phases.tell,
            course,
            lesson,
            self._site.arguments(lesson, self.user.name),
            self._message(lesson),
            self.user.name,
        )
        try:
            self.pool.start()
            with self.pool.busy():
                return await start.run(container)
        except BaseException as exc:
            # A cancelled start (the student pressed Stop, or start_timeout) must clean up too.
            await asyncio.shield(start.clean_up())
            if isinstance(exc, DockerTrouble):
                self.log.error("Docker failed at %s: %s", self.object_name, exc)
                raise refuse(
                    "Docker on this computer could not start your machine. Try again in a moment; "
                    "the hub's log says why.",
                    "docker",
                    503,
                ) from exc
            raise

    def _allowed_lesson(self) -> tuple[Course, Lesson]:
        """Give the lesson of this server, if this student may open it."""
        options = self.user_options
        if options:
            # JupyterHub keeps options for the next start, which would be refused for ever.
            self.orm_spawner.user_options = {}
        refuse_options(options)
        groups = {group.name for group in self.user.groups}
        try:
            return admit(self._catalog, self.name, groups, can_isolate=bool(self.isolated_gate))
        except SpawnException as exc:
            if exc.__cause__ is not None:
                self.log.error("The published catalog cannot be read: %s", exc.__cause__)
            raise

    def _message(self, lesson: Lesson) -> bytes:
        return make_message(self.get_env(), self.get_args(), str(lesson.user.home), lesson.services)

    async def _find(self) -> dict[str, Any] | None:
        """Give the student's machine as Docker has it, or None where there is none yet."""
        try:
            found: dict[str, Any] = await self._docker_call("inspect_container", self.object_name)
        except NotFound:
            return None
        return found

    async def _expect_docker(self) -> dict[str, Any] | None:
        """Find the machine; refuse at once where Docker is not there, instead of at each call."""
        try:
            return await asyncio.wait_for(self._find(), self.docker_ping_s)
        except (TimeoutError, *DockerTrouble) as exc:
            self.log.error("Docker does not answer: %s", exc)
            raise refuse(
                "Docker is not running on this computer, or does not answer. Whoever runs HexHub "
                "can see what to do with: hexhub doctor",
                "docker-away",
                503,
            ) from exc

    @cached_property
    def docker_threads(self) -> DockerThreads:
        """Docker, asked from threads."""
        return DockerThreads(lambda: self.client, self.executor)

    @cached_property
    def _site(self) -> MachineSite:
        return MachineSite(
            self.hub_id,
            self.internet_network,
            self.isolated_network,
            self.holds_quota,
            self.counts_image,
            self.runtimes,
        )

    @property
    def _workshop(self) -> Workshop:
        return Workshop(
            self.docker_threads,
            self._site,
            self.pool,
            self._catalog,
            self.log,
            self.ready_timeout_s,
            LessonSpawner._places,
        )

    @property
    def _reporter(self) -> HubReports:
        """What tells HexHub's service of starts and stops, shared by all spawners of this hub."""
        reports = LessonSpawner._reports
        if self.report_url not in reports:
            reports[self.report_url] = HubReports(self.report_url, self.report_token, self.log)
        return reports[self.report_url]

    @property
    def pool(self) -> MachinePool:
        """The containers that wait for students, shared by all spawners of this hub."""
        pools = LessonSpawner._pools
        if self.hub_id not in pools:
            pools[self.hub_id] = MachinePool(
                self.docker_threads,
                self._site,
                self._catalog,
                Path(self.catalog_folder),
                parent=self,
            )
        return pools[self.hub_id]

    @cached_property
    def _catalog(self) -> PublishedCatalog:
        """The published catalog, shared by all spawners of this hub."""
        catalogs = LessonSpawner._catalogs
        if self.catalog_folder not in catalogs:
            catalogs[self.catalog_folder] = PublishedCatalog(Path(self.catalog_folder))
        return catalogs[self.catalog_folder]

    async def _docker_call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return await self._docker_call_with(lambda client: getattr(client, method)(*args, **kwargs))

    async def _docker_call_with(self, call: Callable[[docker.APIClient], _Result]) -> _Result:
        return await self.docker_threads.with_client(call)
