"""When the machine was last used, and what is said before it is stopped for not being used.

Design choices: JupyterLab asks again and again for kernels, terminals, sessions and the folder that
it shows, as long as its tab can be seen. A tab that only stands open is no use, so that these
questions do not count; what a student does, and what a kernel or a terminal says, does. The hub
decides and stops; this side knows sooner, tells terminals, and reports a use at once when it comes
late.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from jupyter_server.services.contents.handlers import ContentsHandler
from jupyter_server.services.kernels.handlers import MainKernelHandler
from jupyter_server.services.kernelspecs.handlers import MainKernelSpecHandler
from jupyter_server.services.sessions.handlers import SessionRootHandler
from jupyter_server_terminals.api_handlers import TerminalRootHandler

from hexhub_lesson.terminals import tell_terminals

NOTICE = timedelta(minutes=2)
"""How long before its end an unused machine says so; at most a quarter of its idle time."""
LOOK_EVERY_S = 10.0

_POLLED = (MainKernelHandler, MainKernelSpecHandler, SessionRootHandler, TerminalRootHandler)
_TRACKS = "_track_activity"
_HERE = "hexhub_last_activity"
"""A setting whose name ends so counts as use (jupyter_server ``ServerWebApplication``)."""

_SAYS = {
    "en": "This machine is not being used and will be stopped in {minutes} min. Nothing is lost. "
    "Press any key to keep it running.",
    "ru": "Этой машиной не пользуются; через {minutes} мин она будет остановлена. Ничего не "
    "пропадёт. Нажмите любую клавишу, чтобы она работала дальше.",
}


def ignore_polls() -> None:
    """Let no question count as use that a page asks by itself (``APIHandler._track_activity``)."""
    for handler in _POLLED:
        setattr(handler, _TRACKS, property(lambda asked: asked.request.method != "GET"))
    setattr(ContentsHandler, _TRACKS, property(_is_use_of_contents))


def _is_use_of_contents(handler: Any) -> bool:
    """Tell opening and changing files, which are use, from looking at a folder again."""
    if handler.request.method != "GET":
        return True
    is_opening = bool(handler.get_argument("type", ""))
    return is_opening and handler.get_argument("content", "1") != "0"


async def report_use(server: Any) -> None:
    """Have a single-user server tell the hub at once when it was last used.

    Args:
        server: Jupyter Server, in which JupyterHub's extension does this from time to time.
    """
    apps = (app for apps in server.extension_manager.extension_apps.values() for app in apps)
    for app in apps:
        if hasattr(app, "notify_activity"):
            await app.notify_activity()


@dataclass(frozen=True)
class IdleTime:
    """How long a machine may be unused.

    Attributes:
        idle: None where it is never stopped.
    """

    idle: timedelta | None

    @classmethod
    def from_environment(cls, environment: MutableMapping[str, str]) -> "IdleTime":
        """Read ``HEXHUB_IDLE_S``; what is no number of seconds means never."""
        text = environment.get("HEXHUB_IDLE_S", "")
        return cls(timedelta(seconds=int(text)) if text.isdecimal() and int(text) else None)

    def stop_at(self, used_at: datetime) -> datetime | None:
        """Tell when the machine is stopped if it is not used again; None: never."""
        return None if self.idle is None else used_at + self.idle

    def notice_at(self, used_at: datetime) -> datetime | None:
        """Tell when that is to be said."""
        if self.idle is None:
            return None
        return used_at + self.idle - min(NOTICE, self.idle / 4)


class IdleWatch:
    """Follows the use of one server; makes the notice in its terminals."""

    def __init__(
        self,
        idle: IdleTime,
        settings: MutableMapping[str, Any],
        used_at: Callable[[], datetime],
        report: Callable[[], Awaitable[None]],
        language: Callable[[], str],
    ) -> None:
        """Take what it needs of the server.

        Args:
            idle: How long it may be unused.
            settings: Of the server's web application.
            used_at: Gives when the server was last used, aware UTC.
            report: Tells the hub of it.
            language: Gives the student's language, such as ``ru``.
        """
        self._idle = idle
        self._settings = settings
        self._used_at = used_at
        self._report = report
        self._language = language
        self._told_for: datetime | None = None

    @property
    def stop_at(self) -> datetime | None:
        """When the machine is stopped unless it is used; None: never."""
        return self._idle.stop_at(self._used_at())

    async def use(self) -> None:
        """Count as used, and tell the hub."""
        self._settings[_HERE] = datetime.now(UTC)
        self._told_for = None
        await self._report()

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self.look(datetime.now(UTC))
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self, now: datetime) -> None:
        """Say in the terminals, once, that the end is near; report a use that came after that."""
        used_at = self._used_at()
        if self._told_for is not None and used_at > self._told_for:
            self._told_for = None
            await self._report()
        notice_at, stop_at = self._idle.notice_at(used_at), self._idle.stop_at(used_at)
        if notice_at is None or stop_at is None or now < notice_at or self._told_for is not None:
            return
        self._told_for = used_at
        minutes = max(1, round((stop_at - now).total_seconds() / 60))
        say = _SAYS.get(self._language().split("-")[0], _SAYS["en"])
        tell_terminals(self._settings, say.format(minutes=minutes))
