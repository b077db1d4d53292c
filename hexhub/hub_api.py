"""JupyterHub's REST API, as the web service needs it: start, follow and stop a named server.

Design choices: a start is followed by one task per server (:class:`_Start`), which asks JupyterHub
for the start and reads its stream of progress at the same time. Pages ask this process for the
state, so that a student who has ten tabs open costs the hub one stream. Nothing of it has to
survive: a copy that knows of no start asks JupyterHub, which keeps the truth, also about the last
failure (jupyterhub ``apihandlers/users.py``, ``SpawnProgressAPIHandler``).

JupyterHub's own wish for a start blocks until the server is ready or ``slow_spawn_timeout`` has
passed. Until it has answered, a "failed" or "ready" in the stream may be about the start before
this one, and only the messages in between are believed.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from urllib.parse import quote

import httpx

from hexhub.certificates import trusted_by
from hexhub.errors import HubUnreachable
from hexhub.machine_facts import MachineFacts, read_facts
from hexhub.names import ServerName, UserName

START_TIMEOUT_S = 180.0
"""After this long without "ready" or "failed" a start counts as failed for us."""
HUB_AWAY = "JupyterHub does not answer just now; waiting for it."
"""Message of a start that goes on when JupyterHub is there again."""
GONE_AT_ONCE = "The machine ended as soon as it had started. Try again, or begin the lesson afresh."
"""Message where it did so twice."""
_HUB_PATIENCE_S = 20.0
_STOP_PATIENCE_S = 30.0
_RETRY_S = 0.1
_KEEP_FAILURE_S = 600.0
_LISTEN_AFTER_S = 0.4
"""When a start's messages are first asked for: one that is over by then has nobody to read them."""
_QUICK_S = 0.8
"""How long a start waits for a machine that is ready at once, before it answers "starting"."""


class ServerState(StrEnum):
    """Where a student's server is."""

    STOPPED = "stopped"
    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True)
class ServerStatus:
    """What is known of one server.

    Attributes:
        progress: Per cent, 0 to 100.
        message: One plain sentence: the phase of the start, or why it failed.
        url: Path (or URL, with subdomains) of JupyterLab in it.
    """

    state: ServerState
    url: str
    progress: int = 0
    message: str = ""


class Replacement(StrEnum):
    """What takes the place of a machine; the words are those of ``spawner.machine_api``."""

    NEW = "reset"
    EARLIER = "undo"


_REPLACING = {
    Replacement.NEW: "Putting your machine aside; it is kept for 7 days",
    Replacement.EARLIER: "Bringing your earlier machine back",
}


class _Start:
    """One start under way, or one that has ended: its newest status, and a bell for changes."""

    def __init__(self, status: ServerStatus) -> None:
        self.status = status
        self.changed = asyncio.Event()
        self.ended_at: float | None = None
        self.is_replacement = False
        self.task: asyncio.Task[None] | None = None

    def show(self, **changes: Any) -> None:
        """Replace parts of the status, and wake whoever waits for a change."""
        status = replace(self.status, **changes)
        if status != self.status:
            self.status = status
            self.changed.set()
            self.changed = asyncio.Event()

    @property
    def is_under_way(self) -> bool:
        return self.status.state is ServerState.STARTING


class HubApi:
    """JupyterHub's REST API, with the web service's own token."""

    def __init__(
        self,
        api_url: str,
        token: str,
        *,
        base_url: str = "/",
        quick_s: float = _QUICK_S,
        patience_s: float = _HUB_PATIENCE_S,
    ) -> None:
        """Make a client.

        Args:
            api_url: Such as ``http://127.0.0.1:8081/hub/api``.
            token: Of a service that may read, start and delete (that is, stop) servers.
            base_url: Of JupyterHub as browsers see it, for servers it does not know yet.
            quick_s: How long :meth:`start_server` waits for a server that is ready at once.
            patience_s: How long a start waits for a JupyterHub that restarts.
        """
        self._base_url = base_url
        self._quick_s = quick_s
        self._patience_s = patience_s
        self._starts: dict[tuple[UserName, ServerName], _Start] = {}
        self._client = httpx.AsyncClient(
            base_url=api_url,
            headers={"Authorization": f"token {token}"},
            timeout=httpx.Timeout(10.0),
            trust_env=False,
            verify=trusted_by(api_url),
        )

    async def close(self) -> None:
        """Leave every start that is followed, and close the connections."""
        tasks = [start.task for start in self._starts.values() if start.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.aclose()

    async def start_server(
        self, user: UserName, server: ServerName, display_name: str
    ) -> ServerStatus:
        """Start a named server, or join the start under way; gives the state some 0.8 s later.

        Raises:
            HubUnreachable: JupyterHub does not answer. (A refusal is a ``failed`` status.)
        """
        start = self._starts.get((user, server))
        if start is None or not start.is_under_way:
            start = self._follow(user, server, display_name=display_name)
        if start.task is not None:
            await asyncio.wait([start.task], timeout=self._quick_s)
        return start.status

    async def stop_server(self, user: UserName, server: ServerName) -> ServerStatus:
        """Stop a named server, or interrupt its start; the machine keeps its files.

        Raises:
            HubUnreachable: JupyterHub does not answer, or refuses.
        """
        start = self._starts.pop((user, server), None)
        if start is not None and start.task is not None:
            start.task.cancel()
        answer = await self._request("DELETE", self._path(user, server), timeout=40.0)
        if answer.status_code not in (202, 204, 404):
            raise HubUnreachable(f"JupyterHub did not stop the machine: {_reason(answer)}")
        if start is not None:
            start.show(state=ServerState.STOPPED, progress=0, message="")
        return await self.server_status(user, server)

    async def replace_machine(
        self, user: UserName, server: ServerName, display_name: str, by: Replacement
    ) -> ServerStatus:
        """Begin to put another machine into the place of this one, and start it.

        Gives the state at once, before the machine is stopped, since it may have asked for this
        itself. One replacement at a time: while one is under way, another wish joins it.
        """
        start = self._starts.get((user, server))
        if start is None or not (start.is_under_way and start.is_replacement):
            if start is not None and start.task is not None:
                start.task.cancel()
            start = self._begin(user, server)
            start.is_replacement = True
            start.show(message=_REPLACING[by])
            start.task = asyncio.create_task(self._replace(start, user, server, display_name, by))
        return start.status

    async def machine_facts(self, user: UserName, server: ServerName) -> MachineFacts:
        """Tell what becomes of a machine; nothing is known of one that JupyterHub never had.

        Raises:
            HubUnreachable: JupyterHub does not answer, or refuses.
        """
        answer = await self._request("GET", self._path(user, server, "/machine"), timeout=40.0)
        if answer.status_code == 404:
            return MachineFacts()
        if answer.status_code != 200:
            raise HubUnreachable(f"JupyterHub told nothing of the machine: {_reason(answer)}")
        return read_facts(answer.json())

    async def server_status(
        self, user: UserName, server: ServerName, *, wait_s: float = 0.0
    ) -> ServerStatus:
        """Tell where a server is.

        Args:
            user: Whose server.
            server: Its name.
            wait_s: While it starts, wait this long for news.

        Raises:
            HubUnreachable: JupyterHub does not answer.
        """
        start = self._starts.get((user, server))
        if start is None or not start.is_under_way:
            model = await self._server(user, server)
            status = self._status_of(user, server, model)
            if status.state is ServerState.STOPPED and model is not None and not status.message:
                return await self._with_last_failure(user, server, start, status)
            if status.state is not ServerState.STARTING:
                self._starts.pop((user, server), None)
                return status
            start = self._follow(user, server)
        if wait_s > 0 and start.is_under_way:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(start.changed.wait(), wait_s)
        return start.status

    async def running_servers(self, user: UserName) -> Mapping[ServerName, ServerStatus]:
        """Give every server of a user that is ready or starting.

        Raises:
            HubUnreachable: JupyterHub does not answer.
        """
        answer = await self._request("GET", f"users/{quote(user, safe='')}")
        if answer.status_code == 404:
            return {}
        if answer.status_code != 200:
            raise HubUnreachable(f"JupyterHub did not list the machines: {_reason(answer)}")
        servers = answer.json().get("servers") or {}
        statuses = {
            ServerName(name): self._status_of(user, ServerName(name), model)
            for name, model in servers.items()
            if name
        }
        return {
            name: status
            for name, status in statuses.items()
            if status.state is not ServerState.STOPPED
        }

    def _path(self, user: UserName, server: ServerName, tail: str = "") -> str:
        return f"users/{quote(user, safe='')}/servers/{quote(server, safe='')}{tail}"

    def _stopped(self, user: UserName, server: ServerName, message: str = "") -> ServerStatus:
        url = f"{self._base_url}user/{quote(user, safe='@~')}/{server}/lab"
        return ServerStatus(ServerState.STOPPED, url, message=message)

    def _status_of(
        self, user: UserName, server: ServerName, model: Mapping[str, Any] | None
    ) -> ServerStatus:
        status = self._stopped(user, server)
        if model is None:
            return status
        url = str(model.get("full_url") or model.get("url") or "")
        if url:
            status = replace(status, url=f"{url.rstrip('/')}/lab")
        if model.get("ready"):
            return replace(status, state=ServerState.READY, progress=100)
        if model.get("pending") == "spawn":
            return replace(status, state=ServerState.STARTING)
        if model.get("pending"):
            return replace(status, message="The machine is being stopped.")
        return status

    async def _with_last_failure(
        self, user: UserName, server: ServerName, start: _Start | None, status: ServerStatus
    ) -> ServerStatus:
        """Say "failed" instead of "stopped" where the last start failed a short while ago."""
        if start is not None and start.status.state is ServerState.FAILED:
            if start.ended_at is not None and time.monotonic() - start.ended_at < _KEEP_FAILURE_S:
                return start.status
            del self._starts[user, server]
        async with contextlib.aclosing(self._progress(user, server)) as events:
            event: dict[str, Any] = await anext(events, {})
        if event.get("failed"):
            return replace(status, state=ServerState.FAILED, progress=100, message=_failure(event))
        return status

    def _follow(
        self, user: UserName, server: ServerName, *, display_name: str | None = None
    ) -> _Start:
        """Follow a start, and ask for it first where a display name is given."""
        start = self._begin(user, server)
        start.task = asyncio.create_task(self._drive(start, user, server, display_name))
        return start

    def _begin(self, user: UserName, server: ServerName) -> _Start:
        """Make and keep a start that nothing drives yet; forget old failures."""
        for key, old in list(self._starts.items()):
            if old.ended_at and time.monotonic() - old.ended_at > _KEEP_FAILURE_S:
                del self._starts[key]
        first = replace(self._stopped(user, server), state=ServerState.STARTING)
        start = self._starts[user, server] = _Start(first)
        return start

    async def _replace(
        self,
        start: _Start,
        user: UserName,
        server: ServerName,
        display_name: str,
        by: Replacement,
    ) -> None:
        """Stop a server, have the hub change its machine, and start it."""
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                answer = await self._change_machine(start, user, server, by)
                while answer.status_code == 409:  # somebody started it meanwhile
                    await asyncio.sleep(_RETRY_S)
                    answer = await self._change_machine(start, user, server, by)
        except TimeoutError:
            self._end_badly(start, "The machine could not be stopped. Try again.")
        except HubUnreachable as error:
            self._end_badly(start, str(error))
        else:
            if answer.status_code in (204, 404):
                await self._drive(start, user, server, display_name)
            else:
                self._end_badly(start, _reason(answer))

    async def _change_machine(
        self, start: _Start, user: UserName, server: ServerName, by: Replacement
    ) -> httpx.Response:
        """Stop a server, have its machine changed, and give JupyterHub's answer to that.

        Raises:
            HubUnreachable: JupyterHub was away for too long, or cannot do it now.
        """
        answered = httpx.Response(409)

        async def stop() -> None:
            answer = await self._request("DELETE", self._path(user, server), timeout=40.0)
            if answer.status_code >= 500:
                raise HubUnreachable(f"JupyterHub did not stop the machine: {_reason(answer)}")

        async def change() -> None:
            nonlocal answered
            path = self._path(user, server, f"/machine/{by}")
            answered = await self._request("POST", path, timeout=60.0)
            if answered.status_code >= 500:
                raise HubUnreachable(_reason(answered))

        await self._patiently(start, stop)
        await self._patiently(start, change)
        start.show(message=_REPLACING[by])
        return answered

    def _end_badly(self, start: _Start, message: str) -> None:
        start.show(state=ServerState.FAILED, progress=100, message=message)
        start.ended_at = time.monotonic()

    async def _drive(
        self, start: _Start, user: UserName, server: ServerName, display_name: str | None
    ) -> None:
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                if display_name is not None:
                    listener = asyncio.create_task(self._listen_later(start, user, server))
                    try:
                        await self._patiently(
                            start, lambda: self._ask(start, user, server, display_name)
                        )
                    finally:
                        listener.cancel()
                        await asyncio.gather(listener, return_exceptions=True)
                while start.is_under_way:
                    await self._patiently(
                        start, lambda: self._listen(start, user, server, is_believed=True)
                    )
        except TimeoutError:
            start.show(
                state=ServerState.FAILED,
                message=f"The machine did not start within {START_TIMEOUT_S:.0f} s. Try again.",
            )
        except HubUnreachable as error:
            start.show(state=ServerState.FAILED, message=str(error))
        finally:
            start.ended_at = time.monotonic()

    async def _patiently(self, start: _Start, act: Callable[[], Awaitable[None]]) -> None:
        """Do something, and again while JupyterHub is away; a start may be asked for twice.

        Raises:
            HubUnreachable: JupyterHub was away for too long.
        """
        away_since: float | None = None
        while True:
            try:
                await act()
            except HubUnreachable:
                now = time.monotonic()
                away_since = away_since or now
                if now - away_since >= self._patience_s:
                    raise
                start.show(message=HUB_AWAY)
                await asyncio.sleep(_RETRY_S)
            else:
                return

    async def _ask(
        self, start: _Start, user: UserName, server: ServerName, display_name: str
    ) -> None:
        """Ask for a start; return when JupyterHub has answered, with the status set."""
        deadline = time.monotonic() + _STOP_PATIENCE_S
        was_lost = was_refused = False
        while True:
            answer = await self._request(
                "POST",
                self._path(user, server),
                json={"display_name": display_name},
                timeout=START_TIMEOUT_S,
            )
            if answer.status_code == 202:
                return
            # Where JupyterHub is away behind something that answers for it, this raises.
            model = await self._server(user, server)
            status = self._status_of(user, server, model)
            start.show(url=status.url)
            if status.state is ServerState.READY:
                start.show(state=ServerState.READY, progress=100, message="")
                return
            is_stopping = answer.status_code == 400 and bool(model and model.get("pending"))
            if is_stopping and time.monotonic() < deadline:
                if status.state is ServerState.STARTING:
                    return
                start.show(message=status.message)
                await asyncio.sleep(_RETRY_S)
                continue
            # Refused while it was being stopped, which was over when we looked.
            if answer.status_code == 400 and model is not None and not was_refused:
                was_refused = True
                continue
            # It stood, and was gone when we looked: Docker had ended it. Once that may be chance.
            if answer.status_code == 201 and not was_lost:
                was_lost = True
                await asyncio.sleep(_RETRY_S)
                continue
            reason = GONE_AT_ONCE if answer.status_code == 201 else _reason(answer)
            start.show(state=ServerState.FAILED, progress=100, message=reason)
            return

    async def _listen_later(self, start: _Start, user: UserName, server: ServerName) -> None:
        await asyncio.sleep(_LISTEN_AFTER_S)
        await self._listen(start, user, server)

    async def _listen(
        self, start: _Start, user: UserName, server: ServerName, *, is_believed: bool = False
    ) -> None:
        """Show the messages of a start; without ``is_believed`` until cancelled, else to its end.

        Returns early where the stream ends; the caller listens again while the start goes on.
        """
        while start.is_under_way:
            async with contextlib.aclosing(self._progress(user, server)) as events:
                async for event in events:
                    if event.get("ready"):
                        break
                    if event.get("failed"):
                        if is_believed:
                            start.show(
                                state=ServerState.FAILED, progress=100, message=_failure(event)
                            )
                            return
                        break
                    start.show(
                        progress=_percent(event.get("progress"), start.status.progress),
                        message=str(event.get("message") or start.status.message),
                    )
            if is_believed:
                model = await self._server(user, server)
                status = self._status_of(user, server, model)
                start.show(url=status.url)
                if status.state is ServerState.READY:
                    start.show(state=ServerState.READY, progress=100, message="")
                    return
                if status.state is ServerState.STOPPED:
                    failure = await self._with_last_failure(user, server, None, status)
                    start.show(
                        state=ServerState.FAILED,
                        progress=100,
                        message=failure.message or "The machine stopped while it was starting.",
                    )
                    return
            await asyncio.sleep(_RETRY_S)

    async def _progress(
        self, user: UserName, server: ServerName
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Give the events of JupyterHub's progress stream; none where it has no stream."""
        path = self._path(user, server, "/progress")
        try:
            async with self._client.stream(
                "GET", path, timeout=httpx.Timeout(10.0, read=30.0)
            ) as answer:
                if answer.status_code != 200:
                    return
                async for line in answer.aiter_lines():
                    if line.startswith("data:"):
                        with contextlib.suppress(json.JSONDecodeError):
                            event = json.loads(line[5:])
                            if isinstance(event, dict):
                                yield event
        except httpx.HTTPError:
            return

    async def _server(self, user: UserName, server: ServerName) -> dict[str, Any] | None:
        answer = await self._request("GET", self._path(user, server))
        if answer.status_code == 404:
            return None
        if answer.status_code != 200:
            raise HubUnreachable(f"JupyterHub did not tell the machine's state: {_reason(answer)}")
        model: dict[str, Any] = answer.json()
        return model

    async def _request(
        self, method: str, path: str, *, json: object = None, timeout: float = 10.0
    ) -> httpx.Response:
        try:
            return await self._client.request(method, path, json=json, timeout=timeout)
        except httpx.HTTPError as exc:
            raise HubUnreachable(
                "JupyterHub does not answer; it may be restarting. Try again in a few seconds."
            ) from exc


def _percent(value: object, default: int) -> int:
    return min(100, max(0, int(value))) if isinstance(value, int | float) else default


def _failure(event: Mapping[str, Any]) -> str:
    message = str(event.get("message") or "")
    return message.removeprefix("Spawn failed:").strip() or "The machine did not start."


def _reason(answer: httpx.Response) -> str:
    """Give the sentence in a refusal of JupyterHub."""
    try:
        message = answer.json().get("message")
    except (json.JSONDecodeError, AttributeError, UnicodeDecodeError):
        message = None
    return str(message or f"JupyterHub answered {answer.status_code}.")
