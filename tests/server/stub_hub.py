"""A JupyterHub made of plain values, on real HTTP: what the web service asks, and nothing more."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

SERVICE_SCOPE = "access:services!service=hexhub"


@dataclass
class StartScript:
    """How a start goes.

    Attributes:
        events: What the progress stream says, in order, with a pause before each.
        pause_s: That pause.
        answers_after_s: When ``POST`` answers 202 at the latest (``slow_spawn_timeout``).
        failure: Message of the failure at the end; None: it becomes ready.
        failure_status: HTTP status of a failure that ``POST`` itself reports.
        lost: How many starts are answered with 201 by a server that is gone at once.
        stop_ends_at_once: A stop is over as soon as a start was refused for it.
    """

    events: list[dict[str, Any]] = field(default_factory=list)
    pause_s: float = 0.0
    answers_after_s: float = 10.0
    failure: str | None = None
    failure_status: int = 500
    lost: int = 0
    stop_ends_at_once: bool = False


@dataclass
class StubServer:
    """One named server as the stub knows it."""

    pending: str | None = None
    ready: bool = False
    display_name: str = ""
    task: asyncio.Task[None] | None = None
    told: list[dict[str, Any]] = field(default_factory=list)
    failure: str | None = None


class StubHub:
    """JupyterHub's side of the API; tests read and change its attributes."""

    def __init__(self) -> None:
        self.identities: dict[str, dict[str, Any]] = {}
        self.servers: dict[tuple[str, str], StubServer] = {}
        self.script = StartScript()
        self.starts: list[tuple[str, str]] = []
        self.streams = 0
        self.codes: dict[str, str] = {}
        self.down = False
        self.may_list = asyncio.Event()
        self.may_list.set()
        self.facts: dict[str, Any] = {"idle_stop_at": None, "undo_until": None, "ended": None}
        self.replacements: list[str] = []
        app = Application(
            [
                (r"/hub/api/user", _User, {"hub": self}),
                (r"/hub/api/oauth2/token", _Token, {"hub": self}),
                (r"/hub/api/users/([^/]+)", _Servers, {"hub": self}),
                (r"/hub/api/users/([^/]+)/servers/([^/]+)", _Server, {"hub": self}),
                (r"/hub/api/users/([^/]+)/servers/([^/]+)/progress", _Progress, {"hub": self}),
                (r"/hub/api/users/([^/]+)/servers/([^/]+)/machine", _Facts, {"hub": self}),
                (
                    r"/hub/api/users/([^/]+)/servers/([^/]+)/machine/(reset|undo)",
                    _Replacement,
                    {"hub": self},
                ),
            ]
        )
        sockets = bind_sockets(0, "127.0.0.1")
        self.api_url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}/hub/api"
        self._http = HTTPServer(app)
        self._http.add_sockets(sockets)

    async def close(self) -> None:
        """Stop listening, and what still runs."""
        tasks = [server.task for server in self.servers.values() if server.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._http.stop()
        await self._http.close_all_connections()

    def person(self, name: str, *, groups: tuple[str, ...] = ()) -> str:
        """Let somebody log in by browser; gives the token that the log-in makes."""
        return self._know(f"person-{name}", name, groups, [SERVICE_SCOPE, "read:users:name!user"])

    def machine(self, name: str, server: str, *, groups: tuple[str, ...] = ()) -> str:
        """Give the token of a student's server."""
        scopes = [f"access:servers!server={name}/{server}", SERVICE_SCOPE]
        return self._know(f"machine-{name}-{server}", name, groups, scopes)

    def stranger(self, name: str) -> str:
        """Give a token that JupyterHub knows and that opens nothing of HexHub."""
        return self._know(f"stranger-{name}", name, (), ["read:users:name!user"])

    def _know(self, token: str, name: str, groups: tuple[str, ...], scopes: list[str]) -> str:
        self.identities[token] = {
            "kind": "user",
            "name": name,
            "groups": list(groups),
            "scopes": scopes,
        }
        return token

    def model(self, user: str, name: str) -> dict[str, Any]:
        """Give JupyterHub's model of a server."""
        server = self.servers[user, name]
        return {
            "name": name,
            "display_name": server.display_name,
            "pending": server.pending,
            "ready": server.ready,
            "stopped": not (server.pending or server.ready),
            "url": f"/user/{user}/{name}/",
            "full_url": None,
        }

    def is_active(self, user: str, name: str) -> bool:
        """Tell whether a server runs or starts."""
        server = self.servers.get((user, name))
        return server is not None and bool(server.pending or server.ready)

    def begin(self, user: str, name: str, display_name: str) -> StubServer:
        """Begin a start as the script says."""
        self.starts.append((user, name))
        script = self.script
        server = self.servers[user, name] = StubServer(pending="spawn", display_name=display_name)

        async def run() -> None:
            for event in script.events:
                await asyncio.sleep(script.pause_s)
                server.told.append(event)
            await asyncio.sleep(script.pause_s)
            server.pending = None
            server.failure = script.failure
            server.ready = script.failure is None

        server.task = asyncio.create_task(run())
        return server


class _Handler(RequestHandler):
    def initialize(self, hub: StubHub) -> None:
        self.hub = hub

    def prepare(self) -> None:
        if self.hub.down:
            self.refuse(502, "gone")

    def refuse(self, status: int, message: str) -> None:
        self.set_status(status)
        self.finish({"status": status, "message": message})


class _User(_Handler):
    def get(self) -> None:
        token = self.request.headers["Authorization"].removeprefix("token ")
        model = self.hub.identities.get(token)
        if model is None:
            self.refuse(403, "Forbidden")
        else:
            self.finish(model)


class _Token(_Handler):
    def post(self) -> None:
        code = parse_qs(self.request.body.decode())["code"][0]
        if code not in self.hub.codes:
            self.refuse(400, "invalid_grant")
        else:
            self.finish({"access_token": self.hub.codes.pop(code), "token_type": "Bearer"})


class _Servers(_Handler):
    async def get(self, user: str) -> None:
        await self.hub.may_list.wait()
        names = [name for owner, name in self.hub.servers if owner == user]
        self.finish(
            {
                "name": user,
                "servers": {
                    name: self.hub.model(user, name)
                    for name in names
                    if self.hub.is_active(user, name)
                },
            }
        )


class _Server(_Handler):
    def get(self, user: str, name: str) -> None:
        if (user, name) not in self.hub.servers:
            self.refuse(404, "No such server")
        else:
            self.finish(self.hub.model(user, name))

    async def post(self, user: str, name: str) -> None:
        hub = self.hub
        server = hub.servers.get((user, name))
        if server and server.pending == "spawn":
            self.set_status(202)
            return
        if server and server.pending:
            self.refuse(400, f"{user}:{name} is pending {server.pending}")
            if hub.script.stop_ends_at_once:
                server.pending = None
            return
        if server and server.ready:
            self.refuse(400, f"{user}:{name} is already running")
            return
        server = hub.begin(user, name, json.loads(self.request.body)["display_name"])
        assert server.task is not None
        await asyncio.wait([server.task], timeout=hub.script.answers_after_s)
        if server.pending:
            self.set_status(202)
        elif server.failure is not None:
            self.refuse(hub.script.failure_status, server.failure)
        else:
            if hub.script.lost:
                hub.script.lost -= 1
                server.ready = False
            self.set_status(201)

    def delete(self, user: str, name: str) -> None:
        server = self.hub.servers.get((user, name))
        if server is None:
            self.refuse(404, "No such server")
            return
        if server.task:
            server.task.cancel()
        server.pending = None
        server.ready = False
        self.set_status(204)


class _Progress(_Handler):
    async def get(self, user: str, name: str) -> None:
        server = self.hub.servers.get((user, name))
        if server is None:
            self.refuse(404, "No such server")
            return
        self.set_header("Content-Type", "text/event-stream")
        if not server.pending and not server.ready and server.failure is None:
            self.refuse(400, f"{name} is not starting")
            return
        self.hub.streams += 1
        told = 0
        while server.pending == "spawn" or told < len(server.told):
            while told < len(server.told):
                await self._tell(server.told[told])
                told += 1
            await asyncio.sleep(0.01)
        if server.ready:
            await self._tell({"progress": 100, "ready": True, "message": "Server ready"})
        elif server.failure is not None:
            message = f"Spawn failed: {server.failure}"
            await self._tell({"progress": 100, "failed": True, "message": message})

    async def _tell(self, event: dict[str, Any]) -> None:
        self.write(f"data: {json.dumps(event)}\n\n")
        await self.flush()


class _Facts(_Handler):
    def get(self, user: str, name: str) -> None:
        if (user, name) not in self.hub.servers:
            self.refuse(404, "No such server")
        else:
            self.finish(self.hub.facts)


class _Replacement(_Handler):
    def post(self, user: str, name: str, verb: str) -> None:
        if (user, name) not in self.hub.servers:
            self.refuse(404, "No such server")
        elif self.hub.is_active(user, name):
            self.refuse(409, f"{user}:{name} runs. Stop it first.")
        else:
            self.hub.replacements.append(verb)
            self.set_status(204)


def callback_url(login_url: str, code: str) -> str:
    """Give where JupyterHub sends a browser after the log-in that ``login_url`` asks for."""
    query = parse_qs(login_url.partition("?")[2])
    return f"{query['redirect_uri'][0]}?{urlencode({'code': code, 'state': query['state'][0]})}"
