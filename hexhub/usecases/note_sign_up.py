"""The hub tells that somebody has signed up."""

from dataclasses import dataclass
from datetime import datetime

from hexhub.errors import EventInvalid, RequestInvalid
from hexhub.events.model import EventName, EventValue
from hexhub.events.schemas import make_event
from hexhub.names import UserName
from hexhub.progress.store import Store


@dataclass(frozen=True)
class StudentRegistered:
    """A sign-up, as the hub tells of it.

    Attributes:
        id: 32 hex digits; the same sign-up told twice has the same.
        at: Aware.
        user: The new account.
    """

    id: str
    at: datetime
    user: UserName


def note_sign_up(store: Store, registered: StudentRegistered) -> bool:
    """Store the event ``student_registered``; False where it is stored already.

    Raises:
        RequestInvalid: The event's schema does not take it.
        StoreError: The database refuses.
    """
    data: dict[str, EventValue] = {"user": registered.user}
    try:
        event = make_event(EventName.STUDENT_REGISTERED, registered.at, data, id=registered.id)
    except EventInvalid as exc:
        raise RequestInvalid(str(exc)) from exc
    return store.add_event(event)
