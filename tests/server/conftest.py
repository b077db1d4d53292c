"""The web service on loopback, with a real store and catalog and a stub of JupyterHub."""

import secrets
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import httpx
import pytest
from tornado.httpserver import HTTPServer

from hexhub.certificates import trusted_by
from hexhub.checks.model import Outcome
from hexhub.hub_api import HubApi
from hexhub.names import StepName, UserName
from hexhub.progress.model import Attempt, Place
from hexhub.progress.store import Store
from hexhub.service.app import listen, make_app
from hexhub.service.context import ServiceContext, make_auth
from hexhub.settings import Settings

from .small_courses import FIRST, FIRST_SERVER, TINY, publish_small_courses
from .stub_hub import StubHub, callback_url

PREFIX = "/services/hexhub/"
API = f"{PREFIX}api/"
LESSON = f"{API}lessons/tiny/first"
BROWSER = MappingProxyType({"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin"})
SCRIPT = MappingProxyType({"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"})


@dataclass
class Service:
    """A running web service, and the ways to talk to it."""

    hub: StubHub
    context: ServiceContext
    url: str
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    @property
    def store(self) -> Store:
        """The real store behind it."""
        return self.context.store

    def client(self, token: str = "") -> httpx.AsyncClient:
        """Give a program that speaks with a token, or without."""
        headers = {"Authorization": f"token {token}"} if token else {}
        client = httpx.AsyncClient(
            base_url=self.url,
            headers=headers,
            trust_env=False,
            timeout=30,
            verify=trusted_by(self.url),
        )
        self.clients.append(client)
        return client

    def machine(self, user: str = "ada", server: str = FIRST_SERVER) -> httpx.AsyncClient:
        """Give the lesson extension of a student's machine; by default of lesson ``first``."""
        return self.client(self.hub.machine(user, server))

    async def browser(
        self, user: str, *, groups: tuple[str, ...] = (), language: str = "en"
    ) -> httpx.AsyncClient:
        """Give a browser that has logged in through JupyterHub's OAuth."""
        client = self.client()
        client.headers.update({**BROWSER, "Accept-Language": language})
        first = await client.get(PREFIX)
        assert first.status_code == 302, first.text
        code = secrets.token_hex(8)
        self.hub.codes[code] = self.hub.person(user, groups=groups)
        back = await client.get(callback_url(first.headers["Location"], code))
        assert back.status_code == 302, back.text
        return client

    def place(self, user: str = "ada") -> Place:
        """Give the key of a student in lesson ``first``."""
        return Place(UserName(user), TINY, FIRST)

    def finish(self, attempt_id: str, outcome: Outcome) -> Attempt:
        """Be the worker: take the oldest attempt, which must be this one, and finish it."""
        claim = self.store.claim("test", 30.0)
        assert claim is not None
        assert claim.attempt.id == attempt_id
        course = self.context.catalog.course("tiny")
        return self.store.finish(attempt_id, claim.lease, outcome, course.lesson("first"))

    def pass_steps(self, *steps: str, user: str = "ada") -> None:
        """Pass steps of lesson ``first`` behind the service's back."""
        course = self.context.catalog.course("tiny")
        for step in steps:
            self.store.pass_step(
                self.place(user), StepName(step), course.version, course.lesson("first")
            )


@pytest.fixture
async def stub() -> AsyncIterator[StubHub]:
    """Give a stub of JupyterHub that listens."""
    hub = StubHub()
    yield hub
    await hub.close()


@pytest.fixture(scope="session")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a state folder with all tables and two published courses, to be copied.

    Migrating and publishing take longer than most tests.
    """
    folder = tmp_path_factory.mktemp("laid-out")
    store = Store(f"sqlite:///{folder / 'state' / 'hexhub.sqlite'}")
    store.migrate()
    store.close()
    publish_small_courses(folder / "sources", folder / "state" / "catalog")
    return folder / "state"


@pytest.fixture
def settings(tmp_path: Path, stub: StubHub, laid_out: Path) -> Settings:
    """Give settings that point to the stub, with two published courses."""
    shutil.copytree(laid_out, tmp_path / "state")
    settings = Settings(
        state=tmp_path / "state",
        database_url=f"sqlite:///{tmp_path / 'state' / 'hexhub.sqlite'}",
        hub_api_url=stub.api_url,
        api_token="service-token",
    )
    assert settings.published.is_dir()
    return settings


@pytest.fixture
async def context(settings: Settings) -> AsyncIterator[ServiceContext]:
    """Give the context of a service whose starts answer at once."""
    context = ServiceContext.from_settings(settings)
    await context.hub.close()
    context.hub = HubApi(settings.hub_api_url, settings.api_token, quick_s=0.3)
    context.auth = make_auth(settings)
    yield context
    await context.close()


async def running(
    context: ServiceContext, stub: StubHub, *, pages: bool = True
) -> AsyncIterator[Service]:
    """Serve the context on a free port of loopback."""
    server: HTTPServer = listen(make_app(context, pages=pages), "127.0.0.1", 0, proxied=pages)
    sockets = list(server._sockets.values())
    service = Service(stub, context, f"http://127.0.0.1:{sockets[0].getsockname()[1]}")
    yield service
    for client in service.clients:
        await client.aclose()
    server.stop()
    await server.close_all_connections()


@pytest.fixture
async def service(context: ServiceContext, stub: StubHub) -> AsyncIterator[Service]:
    """Give a running web service as the proxy sees it."""
    async for service in running(context, stub):
        yield service


@pytest.fixture
async def container_side(context: ServiceContext, stub: StubHub) -> AsyncIterator[Service]:
    """Give a running web service as the students' containers see it."""
    async for service in running(context, stub, pages=False):
        yield service
