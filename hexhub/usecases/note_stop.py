"""The hub tells that a student's machine has stopped."""

from dataclasses import dataclass
from datetime import datetime

from hexhub.catalog.published import PublishedCatalog
from hexhub.errors import EventInvalid, RequestInvalid
from hexhub.events.model import EventName
from hexhub.events.schemas import make_event
from hexhub.names import ServerName, UserName
from hexhub.progress.store import Store


@dataclass(frozen=True)
class ServerStopped:
    """A stop, as the hub tells of it.

    Attributes:
        id: 32 hex digits; the same stop told twice has the same.
        at: Aware.
        reason: ``student``, ``idle``, ``ended`` or ``memory``.
    """

    id: str
    at: datetime
    user: UserName
    server: ServerName
    reason: str


def note_stop(store: Store, catalog: PublishedCatalog, stopped: ServerStopped) -> bool:
    """Store the event ``server_stopped``; False where it is stored already.

    Raises:
        RequestInvalid: No published lesson has this server, or the event's schema does not know
            such a reason.
        StoreError: The database refuses.
    """
    found = catalog.at_server(stopped.server)
    if found is None:
        raise RequestInvalid(f"No published lesson has the server '{stopped.server}'.")
    course, lesson = found
    data = {
        "user": stopped.user,
        "course": course.name,
        "lesson": lesson.name,
        "server": stopped.server,
        "reason": stopped.reason,
    }
    try:
        event = make_event(EventName.SERVER_STOPPED, stopped.at, data, id=stopped.id)
    except EventInvalid as exc:
        raise RequestInvalid(str(exc)) from exc
    return store.add_event(event)
