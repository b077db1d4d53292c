"""The lesson below ``{base_url}hexhub/`` and on the unix socket: one table of routes for both.

The browser's side is authenticated and XSRF-checked as all of Jupyter Server is. The unix socket
has neither: whoever may open it is this very user (``private_folder``).
"""

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError, RequestHandler, authenticated

from hexhub_lesson.hub_client import MAX_WAIT_S, Answer, HubClient, HubUnreachable
from hexhub_lesson.wire import write_error

STEP = r"(?P<step>[a-z0-9-]{1,40})"
ATTEMPT = r"(?P<attempt>[0-9a-f]{32})"
IMAGE = r"(?P<image>[A-Za-z0-9][A-Za-z0-9._-]{0,99})"
ORIGIN_HEADER = "X-HexHub-Origin"
"""Tells the ``lesson`` command at which address the student's browser sees the hub."""

_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})?")
_KEY = re.compile(r"[0-9a-f]{32}")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.:\[\]-]{1,255}")


@dataclass(frozen=True)
class Route:
    """One request that is handed on.

    Attributes:
        pattern: Regular expression of the path below ``hexhub/``.
        api_path: The API's path; named groups of the pattern, ``{course}`` and ``{lesson}`` are
            filled in.
        query: Names of query arguments that are handed on; the API refuses others.
    """

    method: str
    pattern: str
    api_path: str
    query: tuple[str, ...] = ()


_LESSON_API_PATH = "lessons/{course}/{lesson}"

ROUTES = (
    Route("GET", "lesson", _LESSON_API_PATH, ("locale",)),
    Route(
        "POST",
        f"steps/{STEP}/attempts",
        "lessons/{course}/{lesson}/steps/{step}/attempts",
        ("locale", "key"),
    ),
    Route("GET", f"attempts/{ATTEMPT}", "attempts/{attempt}", ("wait", "locale")),
    Route("POST", f"attempts/{ATTEMPT}/cancel", "attempts/{attempt}/cancel", ("locale",)),
    Route(
        "GET",
        f"steps/{STEP}/history",
        "lessons/{course}/{lesson}/steps/{step}/history",
        ("locale",),
    ),
    Route("GET", f"images/{IMAGE}", "lessons/{course}/{lesson}/images/{image}", ("locale",)),
    Route(
        "POST", f"steps/{STEP}/hints", "lessons/{course}/{lesson}/steps/{step}/hints", ("locale",)
    ),
    Route("POST", f"steps/{STEP}/done", "lessons/{course}/{lesson}/steps/{step}/done", ("locale",)),
    Route("GET", "solution", "lessons/{course}/{lesson}/solution"),
    Route("POST", "reset", "lessons/{course}/{lesson}/reset", ("locale",)),
    Route("POST", "reset/undo", "lessons/{course}/{lesson}/reset/undo", ("locale",)),
    Route("GET", "starter", "lessons/{course}/{lesson}/starter"),
)

LESSON_PATH = "lesson"
"""The route whose answers are remembered for the greeting."""


@dataclass
class Memory:
    """What the browser last said and saw, so that the terminal speaks the same language.

    Attributes:
        locale: Language of the last request that named one; empty before the first.
        origin: Address of the hub in the student's browser, such as ``http://127.0.0.1:8000``.
        lesson: The last lesson that was handed on, or None.
        asking: The lesson's being asked for, before anybody wants it; or None.
    """

    locale: str = ""
    origin: str = ""
    lesson: bytes | None = field(default=None, repr=False)
    asking: asyncio.Task[None] | None = field(default=None, repr=False)

    def see_page(self, request: HTTPServerRequest, locale: str) -> None:
        """Keep the language and the address that a page of the browser is asked for with."""
        if _LOCALE.fullmatch(locale):
            self.locale = locale
        origin = f"{request.protocol}://{request.host}"
        if _ORIGIN.fullmatch(origin):
            self.origin = origin

    def ask_ahead(self, client: HubClient) -> None:
        """Ask for the lesson, where it is not known yet: a terminal's greeting will want it."""
        if self.lesson is None and self.asking is None:
            self.asking = asyncio.ensure_future(self._ask(client))

    async def _ask(self, client: HubClient) -> None:
        query = {"locale": self.locale} if self.locale else {}
        with suppress(HubUnreachable):
            answer = await client.request("GET", _LESSON_API_PATH, query)
            if answer.status == HTTPStatus.OK and self.lesson is None:
                self.lesson = answer.body
        self.asking = None


class Answering(RequestHandler):
    """Answers with JSON, also where something is wrong."""

    method = "GET"
    """What this address takes; told where another method is tried."""

    def send(self, answer: Answer) -> None:
        """Write status and JSON."""
        self.set_status(answer.status)
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")
        if answer.retry_after:
            self.set_header("Retry-After", answer.retry_after)
        self.finish(answer.body)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer errors made on this side in the API's own form."""
        if status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            self.set_header("Allow", self.method)
        self.send(Answer(status_code, make_error(status_code, kwargs.get("exc_info"))))


class Forwarding(Answering):
    """Hands one route on to the hub's API, and the answer back."""

    def initialize(self, client: HubClient, memory: Memory, route: Route) -> None:
        """Take what all requests share."""
        self._client = client
        self._memory = memory
        self._route = route
        self.method = route.method
        self._task: asyncio.Task[Answer] | None = None

    async def hand_on(self, method: str, names: Mapping[str, str]) -> None:
        """Answer this request with what the API says."""
        if method != self._route.method:
            raise HTTPError(HTTPStatus.METHOD_NOT_ALLOWED)
        query = self.read_query()
        # {course} and {lesson} stay for the client, which knows them.
        path = self._route.api_path
        for name, value in names.items():
            path = path.replace(f"{{{name}}}", value)
        self._task = asyncio.ensure_future(self._client.request(method, path, query))
        try:
            answer = await self._task
        except HubUnreachable as exc:
            answer = Answer(HTTPStatus.SERVICE_UNAVAILABLE, write_error(exc.code, str(exc)))
        except asyncio.CancelledError:
            return  # the other side went away: nobody is there to be answered
        if self._route.pattern == LESSON_PATH and answer.status == HTTPStatus.OK:
            self._memory.lesson = answer.body
        self.send(answer)

    def read_query(self) -> dict[str, str]:
        """Give the query to hand on: ``locale``, as the browser last chose it, and ``wait``.

        Raises:
            HTTPError: 400, with a sentence, where one of them is not usable.
        """
        query: dict[str, str] = {}
        locale = self.get_query_argument("locale", self._memory.locale)
        if locale and "locale" in self._route.query:
            if not _LOCALE.fullmatch(locale):
                raise HTTPError(400, reason="'locale' must be a language tag such as 'en'.")
            query["locale"] = locale
        key = self.get_query_argument("key", "", strip=False)
        if key and "key" in self._route.query:
            if not _KEY.fullmatch(key):
                raise HTTPError(400, reason="'key' must be 32 hex digits.")
            query["key"] = key
        if "wait" in self._route.query:
            wait = self.get_query_argument("wait", "0")
            if not (wait.isascii() and wait.isdecimal() and len(wait) <= 4):
                raise HTTPError(400, reason="'wait' must be a whole number of seconds.")
            query["wait"] = str(min(int(wait), MAX_WAIT_S))
        return query

    def on_connection_close(self) -> None:
        """Stop asking the hub when the other side has gone."""
        if self._task is not None:
            self._task.cancel()
        super().on_connection_close()


OWN_ERRORS = {
    400: ("request_invalid", "The request cannot be read."),
    403: ("access_denied", "This page is not signed in any more. Reload it."),
    404: ("not_found", "There is nothing at this address."),
    405: ("request_invalid", "This address takes another method."),
}
"""Errors that do not come from the API: status → code and message."""


def make_error(status: int, exc_info: Any) -> bytes:
    """Make ``error.json`` for a status that did not come from the API."""
    code, message = OWN_ERRORS.get(status, ("error", "This went wrong in the lesson's server."))
    error = exc_info[1] if exc_info else None
    if status == HTTPStatus.BAD_REQUEST and isinstance(error, HTTPError) and error.reason:
        message = error.reason
    return write_error(code, message)


class BrowserHandler(Forwarding, APIHandler):
    """The browser's side, behind Jupyter's authentication, authorization and XSRF check."""

    auth_resource = "hexhub_lesson"

    def initialize(self, client: HubClient, memory: Memory, route: Route) -> None:
        """Take what all requests share."""
        super().initialize(client, memory, route)
        # The panel asks by itself too: that must not keep an idle machine awake.
        self._track_activity = route.method == "POST"

    @authenticated
    @authorized
    async def get(self, **names: str) -> None:
        """Hand a GET on."""
        self.remember()
        await self.hand_on("GET", names)

    @authenticated
    @authorized
    async def post(self, **names: str) -> None:
        """Hand a POST on."""
        self.remember()
        await self.hand_on("POST", names)

    def remember(self) -> None:
        """Keep the browser's language and the address it sees, for the terminal."""
        self._memory.see_page(self.request, self.get_query_argument("locale", ""))


class SocketHandler(Forwarding):
    """The terminal's side, on the unix socket."""

    async def get(self, **names: str) -> None:
        """Hand a GET on; ``?remembered=1`` is answered from memory where possible."""
        if self._memory.origin:
            self.set_header(ORIGIN_HEADER, self._memory.origin)
        is_greeting = self._route.pattern == LESSON_PATH and self.get_query_argument(
            "remembered", ""
        )
        if is_greeting and self._memory.asking is not None:
            await asyncio.shield(self._memory.asking)
        if is_greeting and self._memory.lesson is not None:
            self.send(Answer(HTTPStatus.OK, self._memory.lesson))
        else:
            await self.hand_on("GET", names)

    async def post(self, **names: str) -> None:
        """Hand a POST on."""
        await self.hand_on("POST", names)

    def check_xsrf_cookie(self) -> None:
        """Let everything pass: no browser can open a unix socket."""


class NothingHere(RequestHandler):
    """Answers any other path on the unix socket."""

    def prepare(self) -> None:
        """Answer with 404."""
        self.set_status(404)
        self.set_header("Content-Type", "application/json")
        self.finish(write_error("not_found", f"Nothing is at '{self.request.path}'."))


HandlerRow = tuple[str, type[RequestHandler], dict[str, object]]


def make_handlers(
    base_url: str, handler: type[Forwarding], client: HubClient, memory: Memory
) -> list[HandlerRow]:
    """Give tornado's rows for all routes.

    Args:
        base_url: What stands before ``hexhub/``.
        handler: :class:`BrowserHandler` or :class:`SocketHandler`.
    """
    return [
        (
            url_path_join(base_url, "hexhub", route.pattern),
            handler,
            {"client": client, "memory": memory, "route": route},
        )
        for route in ROUTES
    ]
