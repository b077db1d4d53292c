"""``hexhub up``: four processes, kept alive as long as this one lives.

::

    proxy   configurable-http-proxy on node     the public port; its API on loopback
    hub     JupyterHub with spawner/            loopback
    web     hexhub web                          loopback
    worker  hexhub worker                       no port

Design choices: systemd does this better where it is, and cannot be counted on in a container, on a
laptop or for a user without root; supervisord is one more thing to install and configure. What is
needed is small: start in order, start again with growing pauses, give a new proxy its routes, end
together. Each child is told by the kernel when this process dies (PR_SET_PDEATHSIG), so that
nothing is left behind even after a kill -9. The students' containers are Docker's children: they
stay.
"""

import asyncio
import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from hexhub.certificates import trusted_by
from hexhub.errors import SetupError
from hexhub.machine_gate import MachineGate
from hexhub.machine_network import MachineNetwork
from hexhub.state_folder import StateFolder
from hexhub.subdomains import SubdomainHost, gate_routes

PROJECT = Path(__file__).resolve().parents[1]
"""The checkout; ``config/`` and ``courses/`` are there."""
SERVICE_PREFIX = "/services/hexhub/"

_PAUSES_S = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
_STEADY_S = 30.0
_PATIENCE_S = 120.0
_HOPELESS = 4
_TERM_S = 8.0
_MOST_FILES = 65_536
_TAIL_BYTES = 3_000
_PR_SET_PDEATHSIG = 1
_ANSWERS = {200, 301, 302, 303, 307, 401, 403}

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Plan:
    """All that the four processes need to know.

    Attributes:
        port: Public one, on 127.0.0.1.
        ports: Of ``proxy-api``, ``hub``, ``web`` and ``gate``.
        internet, isolated: Docker networks of the students' containers.
        holds_quota: Docker's storage can limit a container's disk.
        counts_image: That limit counts the container's image, too.
        node, proxy: Programs.
        gate_address: Of this computer, as machines reach it on a Docker that is elsewhere; empty
            where Docker is here, and machines reach it at the gateway of their network.
        subdomain_host: Name below which every student has one; None where all share one address.
    """

    state: StateFolder
    port: int
    ports: Mapping[str, int]
    internet: MachineNetwork
    isolated: MachineNetwork
    holds_quota: bool
    node: Path
    proxy: Path
    gate_address: str = ""
    counts_image: bool = False
    subdomain_host: SubdomainHost | None = None

    @property
    def gate_addresses(self) -> tuple[str, ...]:
        """Where on this computer the gate listens."""
        if self.gate_address:
            return (self.gate_address,)
        return (self.internet.gateway, self.isolated.gateway)

    @property
    def internet_gate(self) -> str:
        """HexHub's URL for machines with the internet."""
        return f"http://{self.gate_addresses[0]}:{self.ports['gate']}"

    @property
    def isolated_gate(self) -> str:
        """HexHub's URL for machines without; empty where they cannot reach it."""
        if self.gate_address:
            return ""  # a network without the internet leads nowhere but to Docker's own computer
        return f"http://{self.isolated.gateway}:{self.ports['gate']}"

    @property
    def public_url(self) -> str:
        """Where people go."""
        return self.subdomain_host.url if self.subdomain_host else self.bind_url

    @property
    def bind_url(self) -> str:
        """Where the proxy listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def public_netloc(self) -> str:
        """Name and port that browsers ask for."""
        return self.subdomain_host.netloc if self.subdomain_host else f"127.0.0.1:{self.port}"

    @property
    def hub_api_url(self) -> str:
        """JupyterHub's REST API, on loopback."""
        return f"http://127.0.0.1:{self.ports['hub']}/hub/api"


@dataclass(frozen=True)
class Program:
    """One process to keep alive.

    Attributes:
        name: Also of its log.
        argv: Program and arguments.
        env: All of its environment.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]


def shared_environment(plan: Plan, outer: Mapping[str, str]) -> dict[str, str]:
    """Give what hub, web and worker have in common: ``outer``, and where everything is.

    Secrets of JupyterHub that ``outer`` may carry are not passed on.
    """
    state = plan.state
    return {
        "HEXHUB_DATABASE_URL": f"sqlite:///{state.path / 'hexhub.sqlite'}",
        **_without_foreign_hub(outer),
        "HEXHUB_STATE": str(state.path),
        "HEXHUB_HUB_ID": state.hub_id,
        "HEXHUB_SUBDOMAIN_HOST": plan.subdomain_host.url if plan.subdomain_host else "",
        "HEXHUB_SERVICE_URL": f"http://127.0.0.1:{plan.ports['web']}",
        "HEXHUB_DOCKER_NETWORK": plan.internet.name,
        "HEXHUB_CONTAINER_API_URL": f"{plan.internet_gate}{SERVICE_PREFIX}api/",
        "PYTHONUNBUFFERED": "1",
    }


def hub_environment(plan: Plan, outer: Mapping[str, str]) -> dict[str, str]:
    """Give the environment that ``config/jupyterhub_config.py`` reads."""
    secret = plan.state.secret
    return {
        **shared_environment(plan, outer),
        "HEXHUB_BIND_URL": f"{plan.bind_url}/",
        "HEXHUB_PROXY_ROUTES": json.dumps(_gate_routes(plan)),
        "HEXHUB_HUB_URL": f"http://127.0.0.1:{plan.ports['hub']}",
        "HEXHUB_PROXY_API_URL": f"http://127.0.0.1:{plan.ports['proxy-api']}",
        "HEXHUB_PROXY_TOKEN": secret("proxy-token"),
        "HEXHUB_SERVICE_TOKEN": secret("service-token"),
        "HEXHUB_SUPERVISOR_TOKEN": secret("supervisor-token"),
        "HEXHUB_INTERNET_GATE": plan.internet_gate,
        "HEXHUB_ISOLATED_NETWORK": plan.isolated.name,
        "HEXHUB_ISOLATED_GATE": plan.isolated_gate,
        "HEXHUB_HOLDS_QUOTA": "1" if plan.holds_quota else "0",
        "HEXHUB_COUNTS_IMAGE": "1" if plan.counts_image else "0",
        "HEXHUB_CONFIG": str(own_config(plan.state, outer)),
    }


def _gate_routes(plan: Plan) -> dict[str, str]:
    """Give the routes that a proxy needs which tells hosts apart; none where it does not."""
    if plan.subdomain_host is None:
        return {}
    return dict(
        gate_routes(plan.gate_addresses, SERVICE_PREFIX, f"http://127.0.0.1:{plan.ports['web']}")
    )


def web_environment(plan: Plan, outer: Mapping[str, str]) -> dict[str, str]:
    """Give the environment of the web service: that of a JupyterHub service, and no Docker."""
    shared = shared_environment(plan, outer)
    for name in ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        shared.pop(name, None)
    return {
        **shared,
        "JUPYTERHUB_SERVICE_NAME": "hexhub",
        "JUPYTERHUB_API_TOKEN": plan.state.secret("service-token"),
        "JUPYTERHUB_API_URL": plan.hub_api_url,
        "JUPYTERHUB_BASE_URL": "/",
        "JUPYTERHUB_HOST": "",
        "JUPYTERHUB_CLIENT_ID": "service-hexhub",
        "JUPYTERHUB_SERVICE_PREFIX": SERVICE_PREFIX,
        "JUPYTERHUB_SERVICE_URL": shared["HEXHUB_SERVICE_URL"],
        "JUPYTERHUB_OAUTH_CALLBACK_URL": f"{SERVICE_PREFIX}oauth_callback",
        "JUPYTERHUB_OAUTH_ACCESS_SCOPES": '["access:services", "access:services!service=hexhub"]',
        "JUPYTERHUB_OAUTH_SCOPES": '["access:services", "access:services!service=hexhub"]',
    }


def worker_environment(plan: Plan, outer: Mapping[str, str]) -> dict[str, str]:
    """Give the environment of the worker; it has no token of JupyterHub."""
    return {
        **shared_environment(plan, outer),
        "HEXHUB_PSEUDONYM_KEY": plan.state.secret("pseudonym-key"),
    }


def _without_foreign_hub(outer: Mapping[str, str]) -> dict[str, str]:
    return {
        key: value
        for key, value in outer.items()
        if not key.startswith(("JUPYTERHUB_", "CONFIGPROXY_"))
    }


def own_config(state: StateFolder, outer: Mapping[str, str]) -> Path:
    """Give the administrator's own settings of JupyterHub; the file may be missing.

    Raises:
        SetupError: ``HEXHUB_CONFIG`` names a file that is not there.
    """
    named = outer.get("HEXHUB_CONFIG")
    if not named:
        return state.path / "jupyterhub_config.py"
    path = Path(named).absolute()
    if not path.is_file():
        raise SetupError(f"HEXHUB_CONFIG names the file {path}, which is not there.")
    return path


def make_programs(plan: Plan, outer: Mapping[str, str]) -> list[Program]:
    """Give the four programs, in the order of their start."""
    python = sys.executable
    hexhub = str(Path(python).with_name("hexhub"))
    return [
        Program(
            "proxy",
            (
                str(plan.node),
                str(plan.proxy),
                *("--ip", "127.0.0.1", "--port", str(plan.port)),
                *("--api-ip", "127.0.0.1", "--api-port", str(plan.ports["proxy-api"])),
                *("--error-path", str(PROJECT / "config" / "proxy" / "errors")),
                *("--log-level", "warn"),
                *(("--host-routing",) if plan.subdomain_host else ()),
            ),
            {
                **_without_foreign_hub(outer),
                "CONFIGPROXY_AUTH_TOKEN": plan.state.secret("proxy-token"),
            },
        ),
        Program(
            "hub",
            (python, "-m", "spawner.hub", "-f", str(PROJECT / "config" / "jupyterhub_config.py")),
            hub_environment(plan, outer),
        ),
        Program("web", (hexhub, "web"), web_environment(plan, outer)),
        Program("worker", (hexhub, "worker"), worker_environment(plan, outer)),
    ]


def open_many_files() -> None:
    """Let this process and its children open as many files as the administrator allows.

    A student who works has several connections, and each takes two files here and in the proxy.
    Distributions let a program begin with 1024 in all, and raise that to half a million by itself.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def die_with(parent: int) -> Callable[[], None]:
    """Give what a child does before it becomes its program: ask to be ended with its parent."""

    def ask() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return ask


class Keeper:
    """Keeps one program running: starts it again when it ends, with growing pauses."""

    def __init__(
        self,
        program: Program,
        state: StateFolder,
        say: Callable[[str], None],
        after_restart: Callable[[], Awaitable[None]] | None = None,
        *,
        term_s: float = _TERM_S,
    ) -> None:
        """Make a keeper.

        Args:
            program: What to run.
            state: Where its log goes.
            say: Takes one line for the person at the terminal.
            after_restart: Run each time the program was started again.
            term_s: Seconds it has to end before it is killed.
        """
        self.program = program
        self.failures = 0
        self._state = state
        self._say = say
        self._after_restart = after_restart
        self._term_s = term_s
        self._process: asyncio.subprocess.Process | None = None
        self._ending = asyncio.Event()

    @property
    def process_id(self) -> int | None:
        """Id of the process now, or None between two."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def run(self) -> None:
        """Run the program until :meth:`end`."""
        log = self._state.open_log(self.program.name)
        try:
            is_first = True
            while not self._ending.is_set():
                began = time.monotonic()
                self._process = await asyncio.create_subprocess_exec(
                    *self.program.argv,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=dict(self.program.env),
                    cwd=self._state.path,
                    start_new_session=True,
                    preexec_fn=die_with(os.getpid()),
                )
                after = None
                if not is_first and self._after_restart is not None:
                    after = asyncio.ensure_future(self._after_restart())
                is_first = False
                code = await self._process.wait()
                if after is not None:
                    after.cancel()
                if self._ending.is_set():
                    return
                steady = time.monotonic() - began >= _STEADY_S
                self.failures = 1 if steady else self.failures + 1
                pause = _PAUSES_S[min(self.failures, len(_PAUSES_S)) - 1]
                self._say(
                    f"{self.program.name} ended ({_how_it_ended(code)}); starting it again. "
                    f"Its log: {self._state.logs / (self.program.name + '.log')}"
                )
                await asyncio.sleep(pause)
        finally:
            os.close(log)

    async def end(self) -> None:
        """Ask the program to end, and make it, some seconds later; not to be started again."""
        self._ending.set()
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), self._term_s)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def last_words(self) -> str:
        """Give the end of the log."""
        data = (self._state.logs / f"{self.program.name}.log").read_bytes()
        return data[-_TAIL_BYTES:].decode(errors="replace").strip()


class Supervisor:
    """Runs the four programs and the gate until it is told to stop."""

    def __init__(self, plan: Plan, outer: Mapping[str, str], say: Callable[[str], None]) -> None:
        """Make a supervisor.

        Args:
            plan: What to run.
            outer: Environment of the caller; what is not overridden is passed on.
            say: Takes one line for the person at the terminal.
        """
        self._plan = plan
        self._say = say
        self._stop = asyncio.Event()
        proxy, *others = make_programs(plan, outer)
        self._proxy = Keeper(proxy, plan.state, say, self._restore_routes)
        self._others = [Keeper(program, plan.state, say) for program in others]
        self._client = httpx.AsyncClient(timeout=3.0, trust_env=False, verify=trusted_by("http:"))

    async def run(self, on_ready: Callable[[], None]) -> None:
        """Start everything, call ``on_ready`` once all of it answers, and run until a signal.

        Raises:
            SetupError: A program ends again and again before all of it has answered once, or it
                does not answer within two minutes; with the end of its log.
        """
        open_many_files()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._stop.set)
        plan = self._plan
        tasks = [asyncio.create_task(self._proxy.run())]
        try:
            async with MachineGate(plan.gate_addresses, plan.ports["gate"], plan.port):
                await self._until_port_answers(plan.ports["proxy-api"])
                tasks += [asyncio.create_task(keeper.run()) for keeper in self._others]
                if await self._until_all_answers():
                    on_ready()
                    stopping = asyncio.create_task(self._stop.wait())
                    done, _ = await asyncio.wait(
                        [stopping, *tasks], return_when=asyncio.FIRST_COMPLETED
                    )
                    stopping.cancel()
                    for task in done - {stopping}:
                        task.result()
        finally:
            # The proxy last, so that whoever looks meanwhile is told to wait a moment.
            await asyncio.gather(*(keeper.end() for keeper in self._others))
            await self._proxy.end()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._client.aclose()

    async def _until_all_answers(self) -> bool:
        """Wait until everything answers through the public port; False when told to stop."""
        deadline = time.monotonic() + _PATIENCE_S
        while not self._stop.is_set():
            for keeper in (self._proxy, *self._others):
                if keeper.failures >= _HOPELESS:
                    raise SetupError(
                        f"{keeper.program.name} does not start. Its log ends with:\n\n"
                        f"{keeper.last_words()}"
                    )
            if (
                all(keeper.process_id for keeper in self._others)
                and await self._answers(f"{self._plan.hub_api_url}/")
                and await self._answers(f"{self._plan.bind_url}/hub/api/")
                and await self._answers(f"{self._plan.bind_url}{SERVICE_PREFIX}")
            ):
                return True
            if time.monotonic() > deadline:
                raise SetupError(
                    f"HexHub does not answer at {self._plan.bind_url} after "
                    f"{_PATIENCE_S:.0f} s. The logs are in {self._plan.state.logs}."
                )
            await self._pause(0.1)
        return False

    async def _answers(self, url: str) -> bool:
        try:
            answer = await self._client.get(url, headers={"Host": self._plan.public_netloc})
        except httpx.HTTPError:
            return False
        return answer.status_code in _ANSWERS

    async def _until_port_answers(self, port: int) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while not self._stop.is_set():
            if self._proxy.failures >= _HOPELESS or time.monotonic() > deadline:
                raise SetupError(
                    f"The proxy does not start. Its log ends with:\n\n{self._proxy.last_words()}"
                )
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await self._pause(0.05)
                continue
            writer.close()
            return

    async def _restore_routes(self) -> None:
        """Have the hub give a new proxy its routes; else it would notice within minutes only."""
        await self._until_port_answers(self._plan.ports["proxy-api"])
        token = self._plan.state.secret("supervisor-token")
        while not self._stop.is_set():
            try:
                answer = await self._client.post(
                    f"{self._plan.hub_api_url}/proxy", headers={"Authorization": f"token {token}"}
                )
            except httpx.HTTPError:
                await self._pause(0.5)
                continue
            if answer.is_success:
                self._say("The proxy has its routes again.")
                return
            await self._pause(0.5)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
