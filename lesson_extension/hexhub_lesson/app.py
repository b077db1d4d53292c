"""The Jupyter Server extension of a lesson: the browser's handlers, and the terminal's socket."""

import asyncio
import os
from functools import partial
from pathlib import Path
from typing import Any

from jupyter_server.extension.application import ExtensionApp
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerRequest
from tornado.netutil import bind_unix_socket
from tornado.web import Application
from traitlets import Unicode, default

from hexhub_lesson.activity import IdleTime, IdleWatch, ignore_polls, report_use
from hexhub_lesson.early_view import OPENS_VARIABLE, EarlyViews, add_early_view, page_locale
from hexhub_lesson.event_bus import connect_events
from hexhub_lesson.handlers import (
    BrowserHandler,
    Memory,
    NothingHere,
    SocketHandler,
    make_handlers,
)
from hexhub_lesson.hub_client import Answer, HubAddress, HubClient
from hexhub_lesson.lab_language import set_lab_language
from hexhub_lesson.limit_watch import LimitWatch
from hexhub_lesson.machine_handlers import (
    BrowserActing,
    LocalAnswers,
    SocketActing,
    make_local_handlers,
)
from hexhub_lesson.page_code import PAGE_CODE
from hexhub_lesson.private_folder import FolderUnsafe, make_private_folder, socket_path
from hexhub_lesson.reporter import Reporter

MAX_REQUEST_BYTES = 64 * 1024
"""Largest request on the unix socket; the terminal sends no bodies."""


class LessonExtension(ExtensionApp):
    """Serves the lesson below ``{base_url}hexhub/`` and on a unix socket for the terminal."""

    name = "hexhub_lesson"
    load_other_extensions = True

    socket_path = Unicode(
        config=True, help="Unix socket for the 'lesson' command, in a folder of its user alone."
    )

    @default("socket_path")
    def _default_socket_path(self) -> str:
        return socket_path(os.getuid())

    def initialize_settings(self) -> None:
        """Read the hub's address; the entrypoint takes the token out of the environment later."""
        ignore_polls()
        self._idle = IdleTime.from_environment(os.environ)
        self._watching: list[asyncio.Task[None]] = []
        self._memory = Memory()
        self._client = HubClient(HubAddress.from_environment(os.environ))
        self._local = LocalAnswers(self._client, Path.home())
        self._reporter = Reporter(self._send_report)
        self._reporting: asyncio.Task[None] | None = None
        self._socket_server: HTTPServer | None = None

    async def _send_report(self, body: bytes) -> Answer:
        return await self._client.request("POST", "lessons/{course}/{lesson}/events", {}, body=body)

    def initialize_handlers(self) -> None:
        """Add the browser's handlers. Jupyter Server puts its base URL before them."""
        self.handlers.extend(make_handlers("/", BrowserHandler, self._client, self._memory))
        self.handlers.extend(make_local_handlers("/", BrowserActing, self._local))

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        """Open the socket, report, follow the machine's use, now that the event loop runs."""
        connect_events(serverapp.event_logger, self._reporter)
        self._reporting = asyncio.create_task(self._reporter.run())
        settings = serverapp.web_app.settings
        views = EarlyViews(
            terminals=settings.get("terminal_manager"),
            opens=os.environ.get(OPENS_VARIABLE, ""),
        )
        add_early_view(settings, views, self._before_first_view, PAGE_CODE)
        self._local.watch = IdleWatch(
            self._idle,
            settings,
            used_at=serverapp.web_app.last_activity,
            report=partial(report_use, serverapp),
            language=lambda: self._memory.locale,
        )
        limits = LimitWatch(settings, language=lambda: self._memory.locale)
        self._watching = [asyncio.create_task(w.run()) for w in (self._local.watch, limits)]
        path = Path(self.socket_path)
        try:
            make_private_folder(path.parent)
            socket = bind_unix_socket(str(path), mode=0o600)  # takes the place of a stale one
        except (FolderUnsafe, OSError, ValueError) as exc:
            self.log.error("The 'lesson' command will not work: %s", exc)
            return
        rows = make_handlers("/", SocketHandler, self._client, self._memory)
        rows += make_local_handlers("/", SocketActing, self._local)
        application = Application([*rows, (r".*", NothingHere)])
        self._socket_server = HTTPServer(application, max_body_size=MAX_REQUEST_BYTES)
        self._socket_server.add_socket(socket)

    def _before_first_view(self, request: HTTPServerRequest) -> None:
        """Ask for what the greeting of the page's terminal will say, in the page's language."""
        locale = page_locale(request)
        self._memory.see_page(request, locale)
        set_lab_language(locale)
        self._memory.ask_ahead(self._client)

    async def stop_extension(self) -> None:
        """Close the socket and the connections to the hub."""
        for watching in self._watching:
            watching.cancel()
        if self._reporting is not None:
            self._reporting.cancel()
            await self._reporter.close()
        if self._socket_server is not None:
            self._socket_server.stop()
            Path(self.socket_path).unlink(missing_ok=True)
            self._socket_server = None
        await self._client.close()
