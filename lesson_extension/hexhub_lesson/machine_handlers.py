"""What this machine answers by itself, below ``{base_url}hexhub/`` and on the unix socket.

::

    GET   machine                    what the API says of it, with when it is stopped as known here
    POST  here                       the student is here: the machine is in use; the same answer
    GET   memory                     how much is used, how often it was short
    POST  files/reset?path= | step=  files as a new machine has them; the student's are kept once
    POST  files/undo?path= | step=   the student's again; without argument all that is kept
"""

import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado.web import HTTPError, authenticated

from hexhub_lesson.activity import IdleWatch
from hexhub_lesson.handlers import Answering, HandlerRow
from hexhub_lesson.hub_client import Answer, HubClient, HubUnreachable
from hexhub_lesson.memory import read_memory
from hexhub_lesson.starter_files import FileRefused, StarterFiles
from hexhub_lesson.wire import (
    VERSION,
    AnswerInvalid,
    parse_starter,
    parse_starter_file,
    read_body,
    write_error,
)

STARTER = "lessons/{course}/{lesson}/starter"
MACHINE = "lessons/{course}/{lesson}/machine"


class _Handed(Exception):
    """The API refused; its answer is handed on."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(answer.status)


class LocalAnswers:
    """What the machine knows and does without the hub, or with only the starter from it."""

    def __init__(self, client: HubClient, home: Path) -> None:
        """Take the client of the API, and the student's home folder."""
        self._client = client
        self._files = StarterFiles(home)
        self.watch: IdleWatch | None = None

    async def machine(self, _query: dict[str, str]) -> Answer:
        """Give what becomes of the machine; of its use, this side knows sooner than the hub."""
        content = await self._ask(MACHINE, {})
        if self.watch is None or not isinstance(content, dict):
            raise AnswerInvalid("The hub's answer breaks the contract: it is not an object.")
        if content.get("idle_stop_at") is not None:
            stop_at = self.watch.stop_at
            text = None if stop_at is None else stop_at.isoformat().replace("+00:00", "Z")
            content["idle_stop_at"] = text
        return _json(content)

    async def here(self, query: dict[str, str]) -> Answer:
        """Count the machine as used just now, and give what becomes of it."""
        if self.watch is not None:
            await self.watch.use()
        return await self.machine(query)

    async def memory(self, _query: dict[str, str]) -> Answer:
        """Give the machine's memory."""
        memory = read_memory()
        if memory is None:
            message = "This machine does not tell how much memory it uses."
            return Answer(HTTPStatus.NOT_FOUND, write_error("not_found", message))
        return _json({"version": VERSION, **asdict(memory)})

    async def reset_files(self, query: dict[str, str]) -> Answer:
        """Put one file, or the files of one step, back as a new machine has them."""
        changed = []
        for path in await self._named(query):
            file = parse_starter_file(await self._ask(f"{STARTER}/file", {"path": path}))
            data = base64.b64decode(file.data)
            if self._files.put_back(path, data, is_executable=file.is_executable):
                changed.append(path)
        return _files(changed)

    async def undo_files(self, query: dict[str, str]) -> Answer:
        """Take one file, the files of one step or all files back as the student had them."""
        if "path" in query:
            paths = [query["path"]]
        elif "step" in query:
            paths = await self._named(query)
        else:
            paths = self._files.kept()
        changed = [path for path in paths if self._files.take_back(path)]
        if not changed:
            message = "Nothing of that is kept: no file was put back, or it was undone already."
            return Answer(HTTPStatus.CONFLICT, write_error("nothing_to_undo", message))
        return _files(changed)

    async def _named(self, query: dict[str, str]) -> list[str]:
        """Give the paths that a request names by ``path`` or ``step``."""
        if "path" in query:
            return [query["path"]]
        if "step" not in query:
            raise FileRefused("Name a file with 'path', or a step with 'step'.")
        step = query["step"]
        starter = parse_starter(await self._ask(STARTER, {}))
        paths = [entry.path for entry in starter if step in entry.steps]
        if not paths:
            raise FileRefused(f"No file of the lesson belongs to step '{step}' alone; name a file.")
        return paths

    async def _ask(self, path: str, query: dict[str, str]) -> object:
        answer = await self._client.request("GET", path, query)
        if answer.status != HTTPStatus.OK:
            raise _Handed(answer)
        return read_body(answer.body)


def _json(content: dict[str, object]) -> Answer:
    return Answer(HTTPStatus.OK, json.dumps(content, ensure_ascii=False).encode())


def _files(paths: list[str]) -> Answer:
    return _json({"version": VERSION, "files": list(paths)})


@dataclass(frozen=True)
class LocalRoute:
    """One request that is answered here.

    Attributes:
        pattern: Path below ``hexhub/``.
        act: What answers, from the query.
        query: Names of query arguments that are read.
    """

    method: str
    pattern: str
    act: Callable[[LocalAnswers, dict[str, str]], Awaitable[Answer]]
    query: tuple[str, ...] = ()


LOCAL_ROUTES = (
    LocalRoute("GET", "machine", LocalAnswers.machine),
    LocalRoute("POST", "here", LocalAnswers.here),
    LocalRoute("GET", "memory", LocalAnswers.memory),
    LocalRoute("POST", "files/reset", LocalAnswers.reset_files, ("path", "step")),
    LocalRoute("POST", "files/undo", LocalAnswers.undo_files, ("path", "step")),
)


class Acting(Answering):
    """Answers one route on this machine."""

    def initialize(self, local: LocalAnswers, route: LocalRoute) -> None:
        """Take what answers."""
        self._local = local
        self._local_route = route
        self.method = route.method

    async def act(self, method: str) -> None:
        """Answer this request."""
        route = self._local_route
        if method != route.method:
            raise HTTPError(HTTPStatus.METHOD_NOT_ALLOWED)
        query = {name: self.get_query_argument(name, "") for name in route.query}
        try:
            answer = await route.act(self._local, {k: v for k, v in query.items() if v})
        except _Handed as handed:
            answer = handed.answer
        except HubUnreachable as exc:
            answer = Answer(HTTPStatus.SERVICE_UNAVAILABLE, write_error(exc.code, str(exc)))
        except AnswerInvalid as exc:
            answer = Answer(HTTPStatus.BAD_GATEWAY, write_error("hub_unreachable", str(exc)))
        except FileRefused as exc:
            answer = Answer(HTTPStatus.BAD_REQUEST, write_error("request_invalid", str(exc)))
        self.send(answer)


class BrowserActing(Acting, APIHandler):
    """The browser's side, behind Jupyter's authentication, authorization and XSRF check."""

    auth_resource = "hexhub_lesson"

    def initialize(self, local: LocalAnswers, route: LocalRoute) -> None:
        """Take what answers."""
        super().initialize(local, route)
        # The panel asks by itself too: that must not keep an idle machine awake.
        self._track_activity = route.method == "POST"

    @authenticated
    @authorized
    async def get(self) -> None:
        """Answer a GET."""
        await self.act("GET")

    @authenticated
    @authorized
    async def post(self) -> None:
        """Answer a POST."""
        await self.act("POST")


class SocketActing(Acting):
    """The terminal's side, on the unix socket."""

    async def get(self) -> None:
        """Answer a GET."""
        await self.act("GET")

    async def post(self) -> None:
        """Answer a POST."""
        await self.act("POST")

    def check_xsrf_cookie(self) -> None:
        """Let everything pass: no browser can open a unix socket."""


def make_local_handlers(
    base_url: str, handler: type[Acting], local: LocalAnswers
) -> list[HandlerRow]:
    """Give tornado's rows for all routes that are answered here.

    Args:
        base_url: What stands before ``hexhub/``.
        handler: :class:`BrowserActing` or :class:`SocketActing`.
        local: What answers.
    """
    values: dict[str, Any] = {"local": local}
    return [
        (url_path_join(base_url, "hexhub", route.pattern), handler, {**values, "route": route})
        for route in LOCAL_ROUTES
    ]
