"""The web process: its addresses, and how it is started.

Design choices: it is an *external* service of JupyterHub, started beside the hub and not by it, so
that a hub that dies takes neither pages nor attempts along. It listens twice: on loopback for the
proxy, with everything; and, where it is told to, for the students' containers, with the API alone
and without a log-in page, since hostile programs stand there.
"""

import asyncio
import contextlib
import logging
import signal
import socket
import time
from typing import Any
from urllib.parse import urlsplit

from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler, StaticFileHandler

from hexhub.errors import SetupError
from hexhub.service.context import ServiceContext, cookie_secret
from hexhub.service.handlers import BaseHandler, UnknownApiHandler
from hexhub.service.hub_reports import HUB_ROUTES
from hexhub.service.pages.handlers import (
    PAGE_ROUTES,
    STATIC_FOLDER,
    LoginCallbackHandler,
    UnknownPageHandler,
)
from hexhub.service.pages.recorded import RecordedPage
from hexhub.service.routes import API_ROUTES
from hexhub.service.wire import MAX_BODY_BYTES
from hexhub.settings import Settings

log = logging.getLogger("hexhub.service")

_PLACES = {"id": "([0-9a-f]{32})"}
_ANY_PLACE = "([^/]+)"
_BACKLOG = 128


def make_app(context: ServiceContext, *, pages: bool = True) -> Application:
    """Make the application.

    Args:
        context: What the requests need.
        pages: False leaves only the API, for the containers' side.
    """
    prefix = context.prefix
    given = {"context": context}
    routes: list[Any] = [
        (f"{prefix}api/{_pattern(path)}", handler, given) for _method, path, handler in API_ROUTES
    ]
    routes.append((f"{prefix}api(/.*)?", UnknownApiHandler, given))
    static: dict[str, Any] = {}
    if pages:
        routes.append((f"{prefix}oauth_callback", LoginCallbackHandler, given))
        routes.extend((f"{prefix}{path}", handler, given) for path, handler in HUB_ROUTES)
        pages_there = (*PAGE_ROUTES, ("recorded", RecordedPage))
        routes.extend((f"{prefix}{_pattern(path)}", page, given) for path, page in pages_there)
        static = {
            "static_path": str(STATIC_FOLDER),
            "static_url_prefix": f"{prefix}static/",
            "static_handler_class": _StaticFiles,
        }
    return Application(
        routes,
        default_handler_class=UnknownPageHandler if pages else UnknownApiHandler,
        default_handler_args=given,
        cookie_secret=cookie_secret(context.settings),
        **static,
        log_function=log_request,
        xsrf_cookies=False,
        # JupyterHub's helpers read this. Our scripts have the token from their page; a script that
        # could read the cookie would only have to give its own page our path (history.pushState).
        xsrf_cookie_kwargs={"httponly": True, "samesite": "Lax"},
    )


def _pattern(path: str) -> str:
    parts = path.split("/")
    return "/".join(
        _PLACES.get(part[1:-1], _ANY_PLACE) if part.startswith("{") else part for part in parts
    )


class _StaticFiles(StaticFileHandler):
    """Style and scripts; the same for everybody, so that nobody has to be logged in."""

    def set_default_headers(self) -> None:
        self.set_header("X-Content-Type-Options", "nosniff")
        self.clear_header("Server")


def log_request(handler: RequestHandler) -> None:
    """Log one line for a request: never the query, which may hold codes of the log-in."""
    status = handler.get_status()
    level = logging.INFO if status < 500 else logging.WARNING
    user = "-"
    request_id = "-"
    if isinstance(handler, BaseHandler):
        model = handler.get_current_user()
        user = str(model.get("name", "-")) if isinstance(model, dict) else "-"
        request_id = handler.request_id
    log.log(
        level,
        "%s %s %d %.0f ms user=%s id=%s",
        handler.request.method,
        handler.request.path,
        status,
        1000 * (time.time() - handler.request._start_time),
        user,
        request_id,
    )


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then answer what is under way and return.

    Raises:
        SetupError: There is no token, or an address is taken or malformed.
    """
    if not settings.api_token:
        raise SetupError(
            "The web process has no token of JupyterHub (JUPYTERHUB_API_TOKEN). "
            "Start everything by 'hexhub up'."
        )
    context = ServiceContext.from_settings(settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    servers = []
    try:
        servers.append(
            listen(
                make_app(context), *_address(urlsplit(settings.service_url).netloc), proxied=True
            )
        )
        log.info("Pages and API on %s%s", settings.service_url, settings.service_prefix)
        if settings.container_listen:
            host, port = _address(settings.container_listen)
            servers.append(listen(make_app(context, pages=False), host, port, proxied=False))
            log.info("API for containers on %s:%d", host, port)
        await stop.wait()
    finally:
        for server in servers:
            server.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(3):
                await asyncio.gather(*(server.close_all_connections() for server in servers))
        await context.close()


def listen(app: Application, host: str, port: int, *, proxied: bool) -> HTTPServer:
    """Serve an application on one address.

    Args:
        app: What answers.
        host: Address of one interface.
        port: 0 takes a free one.
        proxied: True where only our own proxy can reach it: its word on the visitor is believed.

    Raises:
        SetupError: The address cannot be had.
    """
    server = HTTPServer(
        app,
        xheaders=proxied,
        max_body_size=4 * MAX_BODY_BYTES,
        max_header_size=64 * 1024,
        idle_connection_timeout=120,
        body_timeout=20,
    )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        # Not tornado's bind_sockets, which leaves its socket open where this fails.
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as exc:
        raise SetupError(
            f"The web process cannot listen on {host}:{port} ({exc.strerror}). "
            "Another program has the port, or this computer has no such address."
        ) from exc
    listener.setblocking(False)
    server.add_sockets([listener])
    return server


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not (host and colon and port.isdigit() and int(port) < 65536):
        raise SetupError(f"'{text}' is no address to listen on; write host:port.")
    return host.strip("[]"), int(port)
