"""What JupyterHub's process tells us: no part of API v1, and on loopback only.

Design choices: the hub has the service's own token, which nobody else but this process has, so
that comparing it is enough; asking the hub whose token it is would be a circle.
"""

import hmac
import json
from datetime import datetime
from typing import Any

from hexhub.errors import AccessDenied, RequestInvalid
from hexhub.names import ServerName, UserName
from hexhub.service.handlers import ApiHandler
from hexhub.service.wire import MAX_BODY_BYTES
from hexhub.usecases.note_start import ServerStarted, note_start

_FIELDS = {"id": str, "at": str, "user": str, "server": str, "start": str, "duration_ms": int}


def read_server_started(body: bytes) -> ServerStarted:
    """Read what the hub tells of a start.

    Raises:
        RequestInvalid: It is too large, not JSON, or of another shape.
    """
    if len(body) > MAX_BODY_BYTES:
        raise RequestInvalid(f"The body has {len(body)} bytes; {MAX_BODY_BYTES} are allowed.")
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise RequestInvalid("The body is not JSON.") from None
    if not isinstance(content, dict) or {k: type(v) for k, v in content.items()} != _FIELDS:
        names = ", ".join(f"{name} ({kind.__name__})" for name, kind in _FIELDS.items())
        raise RequestInvalid(f"The body must be a JSON object of exactly these fields: {names}.")
    return _as_started(content)


def _as_started(content: dict[str, Any]) -> ServerStarted:
    try:
        at = datetime.fromisoformat(content["at"])
    except ValueError:
        raise RequestInvalid(f"Field 'at' is {content['at'][:40]!r}; it takes a time.") from None
    if at.tzinfo is None:
        raise RequestInvalid("Field 'at' has no time zone.")
    report_id = content["id"]
    if len(report_id) != 32 or not set(report_id) <= set("0123456789abcdef"):
        raise RequestInvalid("Field 'id' takes 32 hex digits.")
    return ServerStarted(
        id=report_id,
        at=at,
        user=UserName(content["user"]),
        server=ServerName(content["server"]),
        start=content["start"],
        duration_ms=content["duration_ms"],
    )


class ServerStartedHandler(ApiHandler):
    """A machine has started."""

    async def prepare(self) -> None:
        """Let only the hub in.

        Raises:
            AccessDenied: It is somebody else.
        """
        given = self.request.headers.get("Authorization", "").removeprefix("token ")
        token = self.context.settings.api_token
        if not token or not hmac.compare_digest(given.encode(), token.encode()):
            raise AccessDenied("Only JupyterHub may tell this.")

    async def post(self) -> None:
        """Store the event, once."""
        started = read_server_started(self.request.body)
        is_new = await self.run(note_start, self.context.store, self.context.catalog, started)
        self.write_json({"is_new": is_new}, 201 if is_new else 200)


HUB_ROUTES = (("hub/server-started", ServerStartedHandler),)
"""Path below the service's prefix → who answers."""
