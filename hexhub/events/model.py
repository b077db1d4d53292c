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
    TERMINAL_COMMAND_FINISHED = "terminal_command_finished"
    FILE_SAVED = "file_saved"
    CELL_EXECUTED = "cell_executed"
    PREVIEW_OPENED = "preview_opened"
    STEP_VIEWED = "step_viewed"
    IDE_FOCUS_CHANGED = "ide_focus_changed"


REPORTED = frozenset(
    {
        EventName.TERMINAL_COMMAND_FINISHED,
        EventName.FILE_SAVED,
        EventName.CELL_EXECUTED,
        EventName.PREVIEW_OPENED,
        EventName.STEP_VIEWED,
        EventName.IDE_FOCUS_CHANGED,
    }
)
"""What the student's side tells us: claims of a machine in which the student may be root. All
other events are made by our own processes."""


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

    @property
    def is_reported(self) -> bool:
        """Tell whether it is a claim of the student's side."""
        return self.name in REPORTED
