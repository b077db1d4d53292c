"""Event: something that happened, named in the past tense; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

EventValue = str | int | float | bool | list[str]
"""What a property of an event may be."""


class EventName(StrEnum):
    """Every kind of event that HexHub makes; each has its schema in ``schemas/<name>/``."""

    STUDENT_REGISTERED = "student_registered"
    LESSON_STARTED = "lesson_started"
    STEP_PASSED = "step_passed"
    LESSON_FINISHED = "lesson_finished"
    ATTEMPT_FINISHED = "attempt_finished"
    ATTEMPT_REGRADED = "attempt_regraded"
    HINT_TAKEN = "hint_taken"
    SOLUTION_VIEWED = "solution_viewed"
    SERVER_STARTED = "server_started"
    SERVER_STOPPED = "server_stopped"


@dataclass(frozen=True)
class Event:
    """One thing that happened. Made by :func:`hexhub.events.schemas.make_event`, which validates.

    Attributes:
        id: UUID4 in hex, 32 characters; the same event sent twice has the same id.
        version: Of the schema of ``name``.
        at: Aware UTC.
        data: What the schema says, with the real user name; the sink makes a pseudonym of it.
        sequence: Place in the outbox, growing; None before it is stored. Order by this, not by
            ``at``: clocks step back.
    """

    id: str
    name: EventName
    version: int
    at: datetime
    data: Mapping[str, EventValue]
    sequence: int | None = None
