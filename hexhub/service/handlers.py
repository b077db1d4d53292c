"""API v1: parse → use case → wire; and what all our handlers have in common.

Every route is in ``docs/openapi.yaml``; a test holds both together.
"""

import hmac
import logging
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from http import HTTPStatus
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from jupyterhub.services.auth import HubOAuth, HubOAuthenticated
from tornado.web import HTTPError, RequestHandler

from hexhub import errors
from hexhub.catalog.images import find_image
from hexhub.catalog.model import Course, Lesson, Locale
from hexhub.errors import (
    AccessDenied,
    HexHubError,
    HubUnreachable,
    RequestInvalid,
)
from hexhub.events.reports import ReportProblem
from hexhub.names import CourseName, LessonName, UserName
from hexhub.progress.model import Place
from hexhub.service import wire
from hexhub.service.context import ServiceContext
from hexhub.service.identity import Identity, identity_of
from hexhub.service.pages.text import choose_locale, preferred_locales
from hexhub.usecases.open_lesson import open_lesson
from hexhub.usecases.pass_step import pass_step
from hexhub.usecases.read_starter import list_starter, read_starter_file
from hexhub.usecases.record_report import count_refused_report, record_report
from hexhub.usecases.reset_machine import reset_machine
from hexhub.usecases.show_solution import show_solution
from hexhub.usecases.take_hint import take_hint
from hexhub.usecases.undo_reset import undo_reset

log = logging.getLogger("hexhub.service")

P = ParamSpec("P")
T = TypeVar("T")

STATUS: Mapping[type[HexHubError], int] = {
    errors.CourseNotFound: 404,
    errors.LessonNotFound: 404,
    errors.StepNotFound: 404,
    errors.VersionNotFound: 404,
    errors.AttemptNotFound: 404,
    errors.StarterFileNotFound: 404,
    errors.ArchiveNotFound: 404,
    errors.LoginRequired: 403,
    errors.AccessDenied: 403,
    errors.StepLocked: 409,
    errors.HintLocked: 409,
    errors.NothingToUndo: 409,
    errors.SolutionLocked: 403,
    errors.RequestInvalid: 400,
    errors.TooManyRequests: 429,
    errors.HubUnreachable: 503,
    errors.StoreError: 503,
    errors.HexHubError: 500,
}
"""HTTP status of every error; an error without a line has its parent's."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_RETRY_AFTER = "2"


def status_of(error: BaseException | None) -> int:
    """Give the HTTP status of an error that was raised on purpose; 500 for others."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return 500


def as_hexhub_error(error: BaseException | None) -> HexHubError:
    """Give what a person may read of an error: our own sentence, nothing of others' insides."""
    if isinstance(error, HexHubError) and status_of(error) != 500:
        return error
    if isinstance(error, HTTPError) and 400 <= error.status_code < 500:
        phrase = HTTPStatus(error.status_code).phrase
        hint = {404: "There is no such address", 405: "This address does not take that method"}
        return RequestInvalid(f"{hint.get(error.status_code, phrase)} ({error.status_code}).")
    return HexHubError("An error on our side. It is in the log, under the id of this request.")


class BaseHandler(HubOAuthenticated, RequestHandler):  # type: ignore[misc] # jupyterhub: no types
    """What pages and API have in common: who speaks, headers, request ids, errors.

    Tornado's ``xsrf_cookies`` stays off, because it refuses requests with a token. A cookie without
    a valid ``X-XSRFToken`` is refused in ``HubOAuth._get_user_cookie`` where JupyterHub holds that
    for needed, which is not enough for us: see :meth:`ApiHandler.check_xsrf_header`.
    """

    context: ServiceContext
    identity: Identity
    _counted: UserName | None = None

    def initialize(self, context: ServiceContext) -> None:
        """Keep the context."""
        self.context = context
        self._hub_auth: HubOAuth = context.auth

    @cached_property
    def request_id(self) -> str:
        """Id of this request: in the answer, the log, and on pages of errors."""
        given: str = self.request.headers.get("X-Request-Id", "")
        return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex

    def set_default_headers(self) -> None:
        """Say what browsers may do with an answer; nothing of ours is for caches or frames."""
        self.set_header("X-Request-Id", self.request_id)
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "same-origin")
        self.set_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        self.clear_header("Server")

    def get_current_user(self) -> Any:
        """Give JupyterHub's model of who speaks, once :meth:`identify` has asked for it."""
        return getattr(self, "_cached_hub_user", None)

    async def identify(self) -> Identity:
        """Find out who speaks.

        Raises:
            LoginRequired: Nobody that JupyterHub knows.
            AccessDenied: JupyterHub knows them, but this is not for them.
            HubUnreachable: JupyterHub does not answer.
        """
        try:
            model = await self.context.auth.get_user(self, sync=False)
        except HTTPError as exc:
            if exc.status_code < 500:
                raise
            raise HubUnreachable(
                "JupyterHub does not answer; it may be restarting. Try again in a few seconds."
            ) from exc
        identity = identity_of(model, has_token=getattr(self, "_token_authenticated", False))
        self.context.enter(identity.user)
        self._counted = identity.user
        return identity

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call something that waits for a disk, in a thread."""
        return await self.context.run(function, *args, **kwargs)

    def on_finish(self) -> None:
        """End the count of this request."""
        if self._counted is not None:
            self.context.leave(self._counted)
            self._counted = None

    def on_connection_close(self) -> None:
        """End the count of a request whose person has gone."""
        super().on_connection_close()
        self.on_finish()

    @property
    def is_gone(self) -> bool:
        """Tell whether nobody waits for the answer any more."""
        connection = self.request.connection
        stream = getattr(connection, "stream", None)
        return stream is None or stream.closed()

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Answer with the status that the table gives to our own errors."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, HexHubError):
            status_code = status_of(error)
        super().send_error(status_code, **kwargs)
        self.on_finish()

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log what was raised on purpose in one line, and the rest with all its insides."""
        where = f"{self.request.method} {self.request.path} [{self.request_id}]"
        if isinstance(value, HTTPError) and value.status_code < 500:
            log.info("%s: %s", where, value)
        elif isinstance(value, HexHubError) and status_of(value) < 500:
            log.info("%s: %s: %s", where, value.code, value)
        elif isinstance(value, HexHubError):
            log.warning("%s: %s: %s", where, value.code, value)
        else:
            log.error("%s failed", where, exc_info=(typ, value, tb) if typ and value else True)

    def holds_xsrf_token(self) -> bool:
        """Whether the request's header is the XSRF token of its log-in, once that is known."""
        given = self.request.headers.get("X-XSRFToken", "").encode("utf-8", "replace")
        # Without a header we do not ask for ours: on a visit JupyterHub would set a cookie for it.
        return bool(given) and hmac.compare_digest(given, self.xsrf_token)

    @property
    def wanted_locales(self) -> list[Locale]:
        """Languages of the person, best first."""
        return preferred_locales(
            self.get_cookie("hexhub_locale"), self.request.headers.get("Accept-Language", "")
        )


class ApiHandler(BaseHandler):
    """What all of API v1 has in common: JSON, no log-in page, bodies and queries read strictly."""

    arguments_allowed: tuple[str, ...] = ()

    async def prepare(self) -> None:
        """Find out who speaks and read the request, before anything else."""
        self.identity = await self.identify()
        self.check_xsrf_header()
        self.values = wire.read_arguments(self.request.query_arguments, self.arguments_allowed)
        self.read_body()

    def read_body(self) -> None:
        """Read the request's body; most have none.

        Raises:
            RequestInvalid: It is not what this request takes.
        """
        wire.read_empty_body(self.request.body)

    def check_xsrf_header(self) -> None:
        """Pass a token, or a cookie that comes together with the XSRF token of its log-in.

        Of every method and every ``Sec-Fetch-Mode``. JupyterHub asks for none where a GET says
        ``no-cors`` or nothing at all, since the page that asks could not read the answer; but on a
        hub without subdomains that page, of another student's machine, may be of our own origin,
        and then it can. Visits (``navigate``) are refused too: they come from frames and windows
        that such a page has opened, and nobody visits the API.

        Raises:
            LoginRequired: The header is missing, or is that of another log-in.
        """
        if getattr(self, "_token_authenticated", False):
            return
        if not self.holds_xsrf_token():
            raise errors.LoginRequired(
                "A log-in by cookie counts here only with its header X-XSRFToken. "
                "Load the page again."
            )

    def get_login_url(self) -> str:
        """Send nobody to a log-in page.

        Raises:
            LoginRequired: Always.
        """
        raise errors.LoginRequired("Log in first.")

    def write_json(self, content: wire.Json, status: int = 200) -> None:
        """Finish with JSON."""
        self.set_status(status)
        self.finish(content)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Finish with our form of an error."""
        if status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            self.set_header("Retry-After", _RETRY_AFTER)
        error = as_hexhub_error(kwargs.get("exc_info", (None, None, None))[1])
        self.write_json(wire.error_json(error), status_code)

    async def lesson(self, course: str, lesson: str) -> tuple[Course, Lesson, Place]:
        """Give a lesson that this identity may work in, and the key of its progress."""
        found, there = await self.run(self.context.lesson_for, self.identity, course, lesson)
        return found, there, Place(self.identity.user, found.name, there.name)

    def locale_for(self, there: tuple[Locale, ...]) -> Locale:
        """Give the language of the answer: ``?locale=`` where the course has it, else the best.

        Raises:
            RequestInvalid: It is not a language tag.
        """
        wanted = self.values.get("locale")
        if wanted is not None and not _LOCALE.fullmatch(wanted):
            raise RequestInvalid(
                f"Argument 'locale' is {wanted[:40]!r}; it takes a tag such as 'en' or 'pt-BR'."
            )
        return choose_locale([wanted] if wanted else self.wanted_locales, there)

    async def write_lesson(self, course: Course, lesson: Lesson) -> None:
        """Finish with a lesson as its panel shows it."""
        view = await self.run(self.context.lesson_view, self.identity, course, lesson)
        self.write_json(
            wire.lesson_json(
                view,
                locale=self.locale_for(course.locales),
                prefix=self.context.link_prefix,
                now=datetime.now(UTC),
            )
        )


class CoursesHandler(ApiHandler):
    """The catalogue with the person's own progress."""

    arguments_allowed = ("locale",)

    async def get(self) -> None:
        """Give every course that is open to this person."""
        self.identity.check_person()
        views = await self.run(self.context.course_views, self.identity)
        locales = tuple(dict.fromkeys(loc for v in views for loc in v[0].course.locales))
        self.write_json(
            wire.courses_json(
                views, locale=self.locale_for(locales or ("en",)), prefix=self.context.link_prefix
            )
        )


class LessonHandler(ApiHandler):
    """One lesson."""

    arguments_allowed = ("locale",)

    async def get(self, course: str, lesson: str) -> None:
        """Give the lesson as its panel shows it."""
        found, there, _place = await self.lesson(course, lesson)
        await self.write_lesson(found, there)


class OpenHandler(ApiHandler):
    """Start of a lesson's machine."""

    arguments_allowed = ("locale",)

    async def post(self, course: str, lesson: str) -> None:
        """Start the machine, or join the start under way."""
        found, _there, place = await self.lesson(course, lesson)
        status = await open_lesson(
            self.context.store,
            self.context.catalog,
            self.context.hub,
            place,
            groups=self.identity.groups,
            locale=self.locale_for(found.locales),
        )
        self.write_json(wire.server_json(status))


class ServerHandler(ApiHandler):
    """Where a lesson's machine is."""

    arguments_allowed = ("wait",)

    async def get(self, course: str, lesson: str) -> None:
        """Give the state; with ``wait``, while it starts, when there is news."""
        wait_s = wire.read_wait_s(self.values.get("wait"))
        _found, there, place = await self.lesson(course, lesson)
        status = await self.context.hub.server_status(place.user, there.server_name, wait_s=wait_s)
        self.write_json(wire.server_json(status))


class StopHandler(ApiHandler):
    """Stop of a lesson's machine."""

    async def post(self, course: str, lesson: str) -> None:
        """Stop the machine; files and progress stay."""
        _found, there, place = await self.lesson(course, lesson)
        status = await self.context.hub.stop_server(place.user, there.server_name)
        self.write_json(wire.server_json(status))


class MachineHandler(ApiHandler):
    """What becomes of a lesson's machine."""

    async def get(self, course: str, lesson: str) -> None:
        """Give when it is stopped, how it ended, and whether its reset can be undone."""
        found, there, place = await self.lesson(course, lesson)
        facts = await self.context.hub.machine_facts(place.user, there.server_name)
        archive = await self.run(self.context.archive_of, self.identity, there)
        url = wire.archive_url(self.context.prefix, found, there)
        self.write_json(
            wire.machine_json(facts, wire.archive_json(archive, url) if archive else None)
        )


class ResetHandler(ApiHandler):
    """Reset of a lesson's machine."""

    arguments_allowed = ("locale",)

    async def post(self, course: str, lesson: str) -> None:
        """Begin to put the machine aside and to start a new one."""
        found, _there, place = await self.lesson(course, lesson)
        status = await reset_machine(
            self.context.store,
            self.context.catalog,
            self.context.hub,
            place,
            groups=self.identity.groups,
            locale=self.locale_for(found.locales),
        )
        self.write_json(wire.server_json(status))


class UndoHandler(ApiHandler):
    """Undo of the last reset."""

    arguments_allowed = ("locale",)

    async def post(self, course: str, lesson: str) -> None:
        """Begin to bring the machine from before the reset back."""
        found, _there, place = await self.lesson(course, lesson)
        status = await undo_reset(
            self.context.catalog,
            self.context.hub,
            place,
            groups=self.identity.groups,
            locale=self.locale_for(found.locales),
        )
        self.write_json(wire.server_json(status))


class StarterHandler(ApiHandler):
    """The files that a new machine has."""

    async def get(self, course: str, lesson: str) -> None:
        """Give their names."""
        found, there, _place = await self.lesson(course, lesson)
        entries = await self.run(list_starter, self.context.catalog, found.name, there.name)
        self.write_json(wire.starter_json(entries))


class StarterFileHandler(ApiHandler):
    """One file that a new machine has."""

    arguments_allowed = ("path",)

    async def get(self, course: str, lesson: str) -> None:
        """Give the file.

        Raises:
            RequestInvalid: No path is given.
            StarterFileNotFound: There is no such file.
        """
        found, there, _place = await self.lesson(course, lesson)
        path = self.values.get("path")
        if path is None:
            raise RequestInvalid("Argument 'path' is missing; it names a file of the starter.")
        file = await self.run(read_starter_file, self.context.catalog, found.name, there.name, path)
        self.write_json(wire.starter_file_json(path, file))


class ImageHandler(ApiHandler):
    """Pictures in the texts of a lesson."""

    arguments_allowed = ("locale",)

    async def get(self, course: str, lesson: str, name: str) -> None:
        """Give a picture as data."""
        found, there, _place = await self.lesson(course, lesson)
        locales = (self.locale_for(found.locales), *found.locales)
        folder = self.context.catalog.folder(found.name, found.version)
        image = await self.run(find_image, folder, there, name, locales)
        if image is None:
            raise HTTPError(404)
        self.write_json(wire.image_json(image))


class HintsHandler(ApiHandler):
    """Hints of a step."""

    arguments_allowed = ("locale",)

    async def post(self, course: str, lesson: str, step: str) -> None:
        """Take the next hint."""
        found, there, place = await self.lesson(course, lesson)
        taken = await self.run(take_hint, self.context.store, self.context.catalog, place, step)
        self.write_json(
            wire.hint_json(
                there.step(step).name,
                taken.hint.text.in_locale(self.locale_for(found.locales)),
                taken=taken.taken,
                total=taken.total,
            )
        )


class DoneHandler(ApiHandler):
    """Steps without a check."""

    arguments_allowed = ("locale",)

    async def post(self, course: str, lesson: str, step: str) -> None:
        """Store that the student has done the step, and give the lesson."""
        found, there, place = await self.lesson(course, lesson)
        await self.run(pass_step, self.context.store, self.context.catalog, place, step)
        await self.write_lesson(found, there)


class SolutionHandler(ApiHandler):
    """The author's solution."""

    async def get(self, course: str, lesson: str) -> None:
        """Give the solution, once it may be seen."""
        _found, _there, place = await self.lesson(course, lesson)
        solution = await self.run(show_solution, self.context.store, self.context.catalog, place)
        self.write_json(wire.solution_json(solution.files, solution.script))


class EventsHandler(ApiHandler):
    """What a student's machine reports."""

    def read_body(self) -> None:
        """Leave the body for :meth:`post`, which counts what is wrong with it."""

    async def post(self, course: str, lesson: str) -> None:
        """Store a batch of events; what is refused is named one by one."""
        place = Place(self.identity.user, CourseName(course), LessonName(lesson))
        try:
            self.identity.check_machine()
            _found, there, place = await self.lesson(course, lesson)
            report = wire.read_report(self.request.body)
        except (AccessDenied, RequestInvalid) as exc:
            await self.run(count_refused_report, self.context.store, place, ReportProblem(exc.code))
            raise
        recorded = await self.run(
            record_report, self.context.store, self.context.reports, place, there, report
        )
        self.write_json(wire.report_json(recorded))


class UnknownApiHandler(ApiHandler):
    """Every other address below ``api/``."""

    async def prepare(self) -> None:
        """Refuse.

        Raises:
            HTTPError: Always 404.
        """
        raise HTTPError(404)
