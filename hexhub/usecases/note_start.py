"""The hub tells that a student's machine has started."""

from dataclasses import dataclass
from datetime import datetime

from hexhub.catalog.published import PublishedCatalog
from hexhub.errors import EventInvalid, RequestInvalid
from hexhub.events.model import EventName, EventValue
from hexhub.events.schemas import make_event
from hexhub.names import ServerName, UserName
from hexhub.progress.store import Store


@dataclass(frozen=True)
class ServerStarted:
    """A start, as the hub tells of it.

    Attributes:
        id: 32 hex digits; the same start told twice has the same.
        at: Aware.
        start: ``cold``, ``warm`` or ``resumed``.
        duration_ms: Until the server listened.
    """

    id: str
    at: datetime
    user: UserName
    server: ServerName
    start: str
    duration_ms: int


def note_start(store: Store, catalog: PublishedCatalog, started: ServerStarted) -> bool:
    """Store the event ``server_started``; False where it is stored already.

    Raises:
        RequestInvalid: No published lesson has this server, or the event's schema does not know
            such a start.
        StoreError: The database refuses.
    """
    found = catalog.at_server(started.server)
    if found is None:
        raise RequestInvalid(f"No published lesson has the server '{started.server}'.")
    course, lesson = found
    data: dict[str, EventValue] = {
        "user": started.user,
        "course": course.name,
        "lesson": lesson.name,
        "server": started.server,
        "start": started.start,
        "duration_ms": started.duration_ms,
    }
    try:
        event = make_event(EventName.SERVER_STARTED, started.at, data, id=started.id)
    except EventInvalid as exc:
        raise RequestInvalid(str(exc)) from exc
    return store.add_event(event)
