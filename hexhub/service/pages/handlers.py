"""The pages: views of the same use cases as the API, as HTML for people."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property, partial
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jupyterhub.services.auth import HubOAuthCallbackHandler
from tornado.web import HTTPError

from hexhub.archives import read_pieces
from hexhub.catalog.model import Course, Lesson, Locale
from hexhub.errors import (
    AccessDenied,
    ArchiveNotFound,
    HexHubError,
    HubUnreachable,
    LoginRequired,
    RequestInvalid,
)
from hexhub.hub_api import ServerState, ServerStatus
from hexhub.names import ServerName
from hexhub.progress.model import Place, current_step, solution_refusal
from hexhub.service import wire
from hexhub.service.context import base_url
from hexhub.service.handlers import BaseHandler, as_hexhub_error
from hexhub.service.pages.markup import (
    render_code,
    render_inline,
    render_markdown,
    render_notebook,
)
from hexhub.service.pages.text import LOCALES, choose_locale, messages, say
from hexhub.service.wire import LessonView
from hexhub.usecases.show_solution import show_solution

STATIC_FOLDER = Path(__file__).parent.parent / "static"
MACHINES_WAIT_S = 0.06
"""How long a page waits for JupyterHub to tell which machines run."""
_LOCALE_COOKIE_DAYS = 365
_NOT_FOR_SCRIPTS = "This is a page to visit, not one for scripts; they have the API."
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class PageHandler(BaseHandler):
    """What all pages have in common: log-in by redirect, language, HTML."""

    needs_login = True

    async def prepare(self) -> None:
        """Take a choice of language, and find out who looks, or send them to the log-in."""
        chosen = self.get_query_argument("locale", "")
        if chosen in LOCALES and self.request.method == "GET":
            self.set_cookie(
                "hexhub_locale",
                chosen,
                path=base_url(self.context.settings),
                # Panels in machines read it, too.
                domain=urlsplit(self.context.settings.subdomain_host).hostname,
                expires_days=_LOCALE_COOKIE_DAYS,
                samesite="lax",
            )
            self.redirect(self._url_without_locale())
            return
        if not self.needs_login:
            return
        is_visit = self.request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
        if not is_visit and "X-XSRFToken" not in self.request.headers:
            raise AccessDenied(_NOT_FOR_SCRIPTS)
        try:
            identity = await self.identify()
        except LoginRequired:
            self.redirect(self.get_login_url())
            return
        if not is_visit:
            self.check_script()
        # From here on pages carry the token, pages of errors too.
        self.identity = identity
        self.identity.check_person()

    def check_script(self) -> None:
        """Pass a script that fetches the page and has the XSRF token of its log-in already.

        A page carries that token. JupyterHub lets a script of the same origin, which without
        subdomains may be that of another student's machine, fetch it with ``no-cors``, and read it.
        What the script of one of our pages holds, it can learn from no other.

        Raises:
            AccessDenied: The browser says that it is no visit, and the token is missing or another.
                Browsers say nothing where the address is neither HTTPS nor this computer; then we
                cannot tell.
        """
        if not self.holds_xsrf_token():
            raise AccessDenied(_NOT_FOR_SCRIPTS)

    def _url_without_locale(self) -> str:
        rest = [
            (name, value.decode("utf-8", "replace"))
            for name, values in self.request.query_arguments.items()
            if name != "locale"
            for value in values
        ]
        # A path that begins with two slashes would be another host.
        path = "/" + self.request.path.lstrip("/")
        return f"{path}?{urlencode(rest)}" if rest else path

    @cached_property
    def locale_name(self) -> Locale:
        """Language of our own words on the page."""
        return choose_locale(self.wanted_locales, LOCALES)

    def course_locale(self, course: Course) -> Locale:
        """Language of an author's words on the page: the page's, else what the person reads."""
        return choose_locale([self.locale_name, *self.wanted_locales], course.locales)

    def show(self, template: str, **values: object) -> None:
        """Finish with a page."""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Content-Security-Policy", _POLICY)
        self.add_header("Vary", "Accept-Language, Cookie")
        self.finish(self._render(template, values))

    def _render(self, template: str, values: Mapping[str, object]) -> str:
        identity = getattr(self, "identity", None)
        hub = f"{base_url(self.context.settings)}hub/"
        locale = self.locale_name
        return _TEMPLATES.get_template(template).render(
            say=partial(say, locale),
            locale=locale,
            languages={tag: messages(tag)["language"] for tag in LOCALES},
            language_url=lambda tag: "?" + urlencode({"locale": tag}),
            prefix=self.context.prefix,
            api=f"{self.context.prefix}api/",
            static=self.static_url,
            user=identity.user if identity else None,
            logout_url=f"{hub}logout",
            home_url=self.context.prefix,
            xsrf=self.xsrf_token.decode() if identity else "",
            markdown=render_markdown,
            inline=render_inline,
            **values,
        )

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Finish with a page that says what is wrong and how out."""
        if status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            self.set_header("Retry-After", "2")
        self.set_status(status_code)
        raised = kwargs.get("exc_info", (None, None, None))[1]
        self.show_error(as_hexhub_error(raised), status_code)

    def show_error(self, error: HexHubError, status_code: int, *, key: str = "") -> None:
        """Finish with the page of an error.

        Args:
            error: What happened.
            status_code: Of HTTP.
            key: Message to show in place of the error's own.
        """
        code = (
            "not_found" if status_code == HTTPStatus.NOT_FOUND and _is_plain(error) else error.code
        )
        chosen = key or f"error.{code}"
        if chosen not in messages(self.locale_name):
            chosen = "error.error"
        self.show(
            "error.html",
            message=say(self.locale_name, chosen),
            detail="" if _is_plain(error) or key or self.locale_name != "en" else str(error),
            status_code=status_code,
            can_retry=status_code >= 500 or status_code == HTTPStatus.TOO_MANY_REQUESTS,
            request_id=self.request_id,
        )


def _is_plain(error: HexHubError) -> bool:
    """Tell whether an error says no more than its code does."""
    return type(error) in (HexHubError, RequestInvalid)


class CatalogPage(PageHandler):
    """All courses, with the person's own progress."""

    async def get(self) -> None:
        """Show the catalogue."""
        views = await self.run(self.context.course_views, self.identity)
        running = await self._running()
        courses = [self._course(lessons, running or {}) for lessons in views]
        self.show(
            "catalog.html",
            machines_to_come=running is None,
            courses=courses,
            next=self._next(views),
            has_started=any(view.progress for lessons in views for view in lessons),
        )

    async def _running(self) -> Mapping[ServerName, ServerStatus] | None:
        """Give the machines that run; none where JupyterHub cannot tell just now.

        Returns:
            None where JupyterHub takes its time: the page is shown without, and its script asks
            again, with ``machines=wait``.
        """
        waits = self.get_query_argument("machines", "") == "wait"
        asked = asyncio.create_task(self.context.hub.running_servers(self.identity.user))
        done, _ = await asyncio.wait([asked], timeout=None if waits else MACHINES_WAIT_S)
        if not done:
            asked.cancel()
            return None
        try:
            return asked.result()
        except HubUnreachable:
            return {}

    def _course(
        self, views: Sequence[LessonView], running: Mapping[ServerName, ServerStatus]
    ) -> dict[str, object]:
        course = views[0].course
        locale = self.course_locale(course)
        steps = sum(len(view.lesson.steps) for view in views)
        following = _next_of(views)
        return {
            "name": course.name,
            "locale": locale,
            "title": course.title.in_locale(locale),
            "summary": course.summary.in_locale(locale),
            "about": course.about.in_locale(locale) if course.about else "",
            "url": wire.course_url(self.context.prefix, course),
            "with_text": [
                lesson.title.in_locale(locale)
                for lesson in course.lessons
                if lesson.records_commands
            ],
            "is_finished": all(view.is_finished for view in views),
            "lessons_finished": sum(view.is_finished for view in views),
            "percent": round(100 * sum(view.steps_passed for view in views) / steps),
            "lessons": [
                {**self._lesson(view, number, running), "is_next": view is following}
                for number, view in enumerate(views, start=1)
            ],
        }

    def _lesson(
        self, view: LessonView, number: int, running: Mapping[ServerName, ServerStatus]
    ) -> dict[str, object]:
        course, lesson = view.course, view.lesson
        status = running.get(lesson.server_name)
        can_see_solution = (
            view.progress is not None
            and solution_refusal(lesson.reveal, view.progress, datetime.now(UTC)) is None
        )
        return {
            "name": lesson.name,
            "number": number,
            "title": lesson.title.in_locale(self.course_locale(course)),
            "url": wire.open_url(self.context.prefix, course, lesson),
            "state": _state_of(view),
            "steps_passed": view.steps_passed,
            "steps": [
                {
                    "title": step.title.in_locale(self.course_locale(course)),
                    "is_passed": step.name in view.passed,
                    "is_current": step.name == current_step(lesson, view.passed).name
                    and not view.is_finished,
                }
                for step in lesson.steps
            ],
            "machine": status.state.value if status else ServerState.STOPPED.value,
            "api": wire.lesson_api(self.context.prefix, course, lesson),
            "solution_url": f"{wire.course_url(self.context.prefix, course)}"
            f"/lessons/{lesson.name}/solution"
            if can_see_solution
            else None,
        }

    def _next(self, views: Sequence[Sequence[LessonView]]) -> dict[str, object] | None:
        """Give what the catalogue says of the lesson to go on with."""
        view = _next_of([view for lessons in views for view in lessons])
        if view is None:
            return None
        locale = self.course_locale(view.course)
        return {
            "course": view.course.title.in_locale(locale),
            "lesson": view.lesson.title.in_locale(locale),
            "step": current_step(view.lesson, view.passed).title.in_locale(locale),
            "url": wire.open_url(self.context.prefix, view.course, view.lesson),
            "api": wire.lesson_api(self.context.prefix, view.course, view.lesson),
            "is_started": view.progress is not None,
            "steps_passed": view.steps_passed,
            "steps_total": len(view.lesson.steps),
        }


def _next_of(views: Sequence[LessonView]) -> LessonView | None:
    """Give the lesson to go on with: the one worked in last, else the first unfinished."""
    unfinished = [view for view in views if not view.is_finished]
    begun = [view for view in unfinished if view.progress]
    return max(begun, key=_last_worked) if begun else next(iter(unfinished), None)


def _state_of(view: LessonView) -> str:
    if view.is_finished:
        return "finished"
    return "started" if view.progress else "new"


def _last_worked(view: LessonView) -> datetime:
    if view.progress is None:
        return datetime.min.replace(tzinfo=UTC)
    return max([view.progress.started_at, *view.progress.passed_at.values()])


class CoursePage(CatalogPage):
    """One course: what it is about, its lessons, the machines that run."""

    async def get(self, course: str) -> None:  # type: ignore[override] # another address
        """Show the course."""
        found = await self.run(self.context.course_for, self.identity, course)
        views = await self.run(self.context.course_views, self.identity)
        lessons = next(lessons for lessons in views if lessons[0].course.name == found.name)
        running = await self._running()
        self.show(
            "course.html",
            machines_to_come=running is None,
            course=self._course(lessons, running or {}),
            archives=await self.run(self._archives, found),
        )

    def _archives(self, course: Course) -> Mapping[str, object]:
        """Give what the page says of the files of old machines: lesson → size and address."""
        return {lesson.name: self._archive(course, lesson) for lesson in course.lessons}

    def _archive(self, course: Course, lesson: Lesson) -> Mapping[str, object] | None:
        archive = self.context.archive_of(self.identity, lesson)
        if archive is None:
            return None
        megabytes = f"{archive.size_bytes / 1024**2:.1f}"
        return {
            "size": say(self.locale_name, "size.mb", n=megabytes),
            "url": wire.archive_url(self.context.prefix, course, lesson),
        }


class OpenPage(PageHandler):
    """The waiting page: asks for the machine, says what is happening, opens it."""

    async def get(self, course: str, lesson: str) -> None:
        """Show the page; its script does the rest, since a link must not start anything."""
        found, there = await self.run(self.context.lesson_for, self.identity, course, lesson)
        locale = self.course_locale(found)
        self.show(
            "open.html",
            course_title=found.title.in_locale(locale),
            course_url=wire.course_url(self.context.prefix, found),
            lesson_title=there.title.in_locale(locale),
            lesson_api=wire.lesson_api(self.context.prefix, found, there),
            content_locale=locale,
            phases=json.dumps(self._phases(), ensure_ascii=False),
        )

    def _phases(self) -> Mapping[str, str]:
        """Give what the spawner says while it starts a machine → the same in the page's words."""
        english, own = messages(LOCALES[0]), messages(self.locale_name)
        said = [key for key in english if key.startswith(("phase.", "refusal."))]
        return {english[key]: own[key] for key in said}


class ArchivePage(PageHandler):
    """The files of a person's old machine, to download.

    A page and not a part of the API, since a link cannot send what the API wants with a cookie.
    """

    async def get(self, course: str, lesson: str) -> None:
        """Send the archive, a piece at a time.

        Raises:
            ArchiveNotFound: There is none of this person.
        """
        found, there = await self.run(self.context.lesson_for, self.identity, course, lesson)
        archive = await self.run(self.context.archive_of, self.identity, there)
        if archive is None:
            raise ArchiveNotFound(
                f"No files of an old machine of lesson '{there.name}' are kept. Open the lesson: "
                "your files may still be there."
            )
        self.set_header("Content-Type", "application/gzip")
        self.set_header("Content-Length", str(archive.size_bytes))
        self.set_header(
            "Content-Disposition", f'attachment; filename="{found.name}-{there.name}.tar.gz"'
        )
        pieces = read_pieces(archive)
        while piece := await self.run(lambda: next(pieces, b"")):
            self.write(piece)
            await self.flush()


class SolutionPage(PageHandler):
    """The author's solution, to read."""

    async def get(self, course: str, lesson: str) -> None:
        """Show the solution, once it may be seen."""
        found, there = await self.run(self.context.lesson_for, self.identity, course, lesson)
        place = Place(self.identity.user, found.name, there.name)
        solution = await self.run(show_solution, self.context.store, self.context.catalog, place)
        locale = self.course_locale(found)
        texts = {path: wire.text_of(solution.files[path].data) for path in sorted(solution.files)}
        self.show(
            "solution.html",
            course_title=found.title.in_locale(locale),
            course_url=wire.course_url(self.context.prefix, found),
            lesson_title=there.title.in_locale(locale),
            content_locale=locale,
            files=[
                {"path": path, "is_text": text is not None, **_readable(path, text or "")}
                for path, text in texts.items()
            ],
            script=None
            if solution.script is None
            else render_code("solve.sh", solution.script.decode("utf-8", "replace")),
        )


def _readable(path: str, text: str) -> dict[str, object]:
    """Give a file of a solution as HTML; a notebook as its cells."""
    notebook = render_notebook(text) if path.endswith(".ipynb") else None
    return {"code": notebook or render_code(path, text), "is_notebook": notebook is not None}


class UnknownPageHandler(PageHandler):
    """Every other address."""

    needs_login = False

    async def prepare(self) -> None:
        """Refuse.

        Raises:
            HTTPError: Always 404.
        """
        raise HTTPError(404)


class LoginCallbackHandler(PageHandler, HubOAuthCallbackHandler):  # type: ignore[misc]
    """Where JupyterHub sends a person back to after the log-in."""

    needs_login = False

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Say that the log-in did not come through; mostly a page that was open for too long."""
        self.set_status(status_code)
        error = as_hexhub_error(kwargs.get("exc_info", (None, None, None))[1])
        if status_code >= 500:
            self.show_error(HubUnreachable(str(error)), HTTPStatus.SERVICE_UNAVAILABLE)
            return
        self.show_error(error, status_code, key="error.login_failed")


PAGE_ROUTES: tuple[tuple[str, type[PageHandler]], ...] = (
    ("", CatalogPage),
    ("courses/{course}", CoursePage),
    ("courses/{course}/lessons/{lesson}/open", OpenPage),
    ("courses/{course}/lessons/{lesson}/archive", ArchivePage),
    ("courses/{course}/lessons/{lesson}/solution", SolutionPage),
)
"""Path below the service's prefix and handler of every page."""
