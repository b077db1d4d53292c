"""What each event may say, and the one way to make one.

The files ``<name>/v<version>.yaml`` have the form of jupyter_events, so that its tools read them.
Each description ends with what the event does not say. A published schema never changes: a new
property is a new version.

Design choices: jsonschema and jupyter_events are imported with the first event. They take half a
second of processor time, which ``hexhub up`` and a worker that waits have no use for.
"""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from hexhub.errors import EventInvalid
from hexhub.events.model import Event, EventName, EventValue

if TYPE_CHECKING:
    from jupyter_events.schema import EventSchema

LATEST: Mapping[EventName, int] = dict.fromkeys(EventName, 1)
"""The schema version in which each event is made today."""


@cache
def read_schema(name: EventName, version: int) -> "EventSchema":
    """Give the schema of one version of an event."""
    from jupyter_events.schema import EventSchema

    return EventSchema(Path(__file__).parent / name.value / f"v{version}.yaml")


def make_event(
    name: EventName, at: datetime, data: Mapping[str, EventValue], *, id: str | None = None
) -> Event:
    """Make an event that keeps to its schema.

    Args:
        at: When it happened; aware.
        id: 32 hex digits, for whoever tells of the same thing twice; None makes a new one.

    Raises:
        EventInvalid: ``data`` breaks the schema, or ``at`` has no time zone.
    """
    from jsonschema import ValidationError

    if at.tzinfo is None:
        raise EventInvalid(name, f"the time {at} has no zone")
    values = dict(data)
    try:
        read_schema(name, LATEST[name]).validate(values)
    except ValidationError as exc:
        where = "/".join(str(part) for part in exc.absolute_path) or "event"
        raise EventInvalid(name, f"{where}: {exc.message}") from exc
    return Event(id or uuid.uuid4().hex, name, LATEST[name], at.astimezone(UTC), values)
