"""What JupyterHub's process tells us: no part of API v1, and on loopback only.

Design choices: the hub has the service's own token, which nobody else but this process has, so
that comparing it is enough; asking the hub whose token it is would be a circle.
"""

import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hexhub.errors import AccessDenied, RequestInvalid
from hexhub.names import ServerName, UserName
from hexhub.service.handlers import ApiHandler
from hexhub.service.wire import MAX_BODY_BYTES
from hexhub.usecases.note_sign_up import StudentRegistered, note_sign_up
from hexhub.usecases.note_start import ServerStarted, note_start
from hexhub.usecases.note_stop import ServerStopped, note_stop

_SIGNED_UP = {"id": str, "at": str, "user": str}
_OF_ALL = {**_SIGNED_UP, "server": str}
_STARTED = {**_OF_ALL, "start": str, "duration_ms": int}
_STOPPED = {**_OF_ALL, "reason": str}


def read_student_registered(body: bytes) -> StudentRegistered:
    """Read what the hub tells of a sign-up.

    Raises:
        RequestInvalid: It is too large, not JSON, or of another shape.
    """
    content = _read(body, _SIGNED_UP)
    return StudentRegistered(
        id=_read_id(content["id"]), at=_read_time(content["at"]), user=UserName(content["user"])
    )


def read_server_started(body: bytes) -> ServerStarted:
    """Read what the hub tells of a start.

    Raises:
        RequestInvalid: It is too large, not JSON, or of another shape.
    """
    content = _read(body, _STARTED)
    return ServerStarted(
        id=_read_id(content["id"]),
        at=_read_time(content["at"]),
        user=UserName(content["user"]),
        server=ServerName(content["server"]),
        start=content["start"],
        duration_ms=content["duration_ms"],
    )


def read_server_stopped(body: bytes) -> ServerStopped:
    """Read what the hub tells of a stop.

    Raises:
        RequestInvalid: It is too large, not JSON, or of another shape.
    """
    content = _read(body, _STOPPED)
    return ServerStopped(
        id=_read_id(content["id"]),
        at=_read_time(content["at"]),
        user=UserName(content["user"]),
        server=ServerName(content["server"]),
        reason=content["reason"],
    )


def _read(body: bytes, fields: Mapping[str, type]) -> dict[str, Any]:
    if len(body) > MAX_BODY_BYTES:
        raise RequestInvalid(f"The body has {len(body)} bytes; {MAX_BODY_BYTES} are allowed.")
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise RequestInvalid("The body is not JSON.") from None
    if not isinstance(content, dict) or {k: type(v) for k, v in content.items()} != fields:
        names = ", ".join(f"{name} ({kind.__name__})" for name, kind in fields.items())
        raise RequestInvalid(f"The body must be a JSON object of exactly these fields: {names}.")
    return content


def _read_time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise RequestInvalid(f"Field 'at' is {text[:40]!r}; it takes a time.") from None
    if at.tzinfo is None:
        raise RequestInvalid("Field 'at' has no time zone.")
    return at


def _read_id(text: str) -> str:
    if len(text) != 32 or not set(text) <= set("0123456789abcdef"):
        raise RequestInvalid("Field 'id' takes 32 hex digits.")
    return text


class _HubHandler(ApiHandler):
    """Takes reports of the hub."""

    async def prepare(self) -> None:
        """Let only the hub in.

        Raises:
            AccessDenied: It is somebody else.
        """
        given = self.request.headers.get("Authorization", "").removeprefix("token ")
        token = self.context.settings.api_token
        if not token or not hmac.compare_digest(given.encode(), token.encode()):
            raise AccessDenied("Only JupyterHub may tell this.")

    def answer(self, *, is_new: bool) -> None:
        """Say whether the report was stored, or was there already."""
        self.write_json({"is_new": is_new}, 201 if is_new else 200)


class StudentRegisteredHandler(_HubHandler):
    """Somebody has signed up."""

    async def post(self) -> None:
        """Store the event, once."""
        registered = read_student_registered(self.request.body)
        is_new = await self.run(note_sign_up, self.context.store, registered)
        self.answer(is_new=is_new)


class ServerStartedHandler(_HubHandler):
    """A machine has started."""

    async def post(self) -> None:
        """Store the event, once."""
        started = read_server_started(self.request.body)
        is_new = await self.run(note_start, self.context.store, self.context.catalog, started)
        self.answer(is_new=is_new)


class ServerStoppedHandler(_HubHandler):
    """A machine has stopped."""

    async def post(self) -> None:
        """Store the event, once."""
        stopped = read_server_stopped(self.request.body)
        is_new = await self.run(note_stop, self.context.store, self.context.catalog, stopped)
        self.answer(is_new=is_new)


HUB_ROUTES = (
    ("hub/student-registered", StudentRegisteredHandler),
    ("hub/server-started", ServerStartedHandler),
    ("hub/server-stopped", ServerStoppedHandler),
)
"""Path below the service's prefix → who answers."""
