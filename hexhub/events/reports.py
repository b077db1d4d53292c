"""What a student's machine reports: a batch of claims, read as strictly as hostile input; pure.

An event of a batch is refused alone, with a word for programs and a sentence for people, so that
one bad event costs the others nothing. A batch does not say whom it is about: the token does.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from hexhub.errors import EventInvalid, RequestInvalid
from hexhub.events.model import REPORTED, Event, EventName, EventValue
from hexhub.events.schemas import make_event

REPORT_VERSION = 1
MAX_REPORT_BYTES = 48 * 1024
MAX_EVENTS = 100
"""Events of one batch."""
MAX_EVENT_BYTES = 4096
MAX_AGE_S = 24 * 3600.0
"""A machine keeps events while the hub is away, but not for ever."""
MAX_DROPPED = 1_000_000
_ID = re.compile(r"[0-9a-f]{32}")
_OWN = frozenset({"user", "course", "lesson"})
_NOT_TEXT = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


class ReportProblem(StrEnum):
    """Why something that a machine reported was not stored."""

    INVALID = "event_invalid"
    TOO_LARGE = "event_too_large"
    NOT_YOURS = "event_not_yours"
    NOT_WANTED = "event_not_wanted"
    TOO_MANY = "event_too_many"
    REQUEST_INVALID = "request_invalid"
    ACCESS_DENIED = "access_denied"
    DROPPED = "dropped_by_machine"
    """The machine says so: its buffer was full, or too much happened at once."""


@dataclass(frozen=True)
class Claim:
    """One event of a batch, before it is known to be an event.

    Attributes:
        size_bytes: What it took in the batch.
        content: Any JSON value.
    """

    content: object
    size_bytes: int


@dataclass(frozen=True)
class Report:
    """A batch of a student's machine.

    Attributes:
        dropped: Events that the machine says it has thrown away since its last batch.
    """

    claims: tuple[Claim, ...]
    dropped: int = 0


@dataclass(frozen=True)
class RefusedClaim:
    """A claim that was not stored: its place in the batch, its id where it has one, and why."""

    index: int
    id: str | None
    problem: ReportProblem
    message: str


@dataclass(frozen=True)
class Origin:
    """Whom a batch is about, and what of it is wanted.

    Attributes:
        steps: Names of the lesson's steps.
        records_commands: The lesson says that the text of commands is recorded.
    """

    user: str
    course: str
    lesson: str
    steps: frozenset[str]
    records_commands: bool


def read_events(
    report: Report, origin: Origin, received_at: datetime, is_allowed: Callable[[], bool]
) -> tuple[list[Event], list[RefusedClaim]]:
    """Split a batch into events and what is refused, in the order of the batch.

    Args:
        received_at: Aware UTC, by our clock; the machine says only how long ago a thing was.
        is_allowed: Asked once for each event that is in order: False means that this student has
            reported too much.
    """
    events: list[Event] = []
    refused: list[RefusedClaim] = []
    for index, claim in enumerate(report.claims):
        try:
            event = _read_event(claim, origin, received_at)
            if not is_allowed():
                raise _Refuse(ReportProblem.TOO_MANY, "This student has reported too much.")
        except _Refuse as exc:
            refused.append(RefusedClaim(index, _id_of(claim.content), exc.problem, str(exc)))
        else:
            events.append(event)
    return events, refused


class _Refuse(Exception):
    def __init__(self, problem: ReportProblem, message: str) -> None:
        self.problem = problem
        super().__init__(message)


def _id_of(content: object) -> str | None:
    given = content.get("id") if isinstance(content, dict) else None
    return given if isinstance(given, str) and _ID.fullmatch(given) else None


def _read_event(claim: Claim, origin: Origin, received_at: datetime) -> Event:
    content = claim.content
    if claim.size_bytes > MAX_EVENT_BYTES:
        raise _Refuse(
            ReportProblem.TOO_LARGE,
            f"The event has {claim.size_bytes} bytes; {MAX_EVENT_BYTES} are allowed.",
        )
    if not isinstance(content, dict) or content.keys() != {"id", "name", "age_s", "data"}:
        raise _Refuse(
            ReportProblem.INVALID, "An event is an object of 'id', 'name', 'age_s' and 'data'."
        )
    id = _id_of(content)
    if id is None:
        raise _Refuse(ReportProblem.INVALID, "'id' is not 32 hex digits.")
    name = _read_name(content["name"])
    age_s = content["age_s"]
    if isinstance(age_s, bool) or not isinstance(age_s, (int, float)) or not age_s >= 0:
        raise _Refuse(ReportProblem.INVALID, "'age_s' is not a number of seconds.")
    if age_s > MAX_AGE_S:
        raise _Refuse(ReportProblem.INVALID, "The event is older than a day.")
    data = _read_data(content["data"], name, origin)
    whom = {"user": origin.user, "course": origin.course, "lesson": origin.lesson}
    try:
        return make_event(name, received_at - timedelta(seconds=age_s), {**whom, **data}, id=id)
    except EventInvalid as exc:
        raise _Refuse(ReportProblem.INVALID, str(exc)[:300]) from exc


def _read_name(given: object) -> EventName:
    try:
        name = EventName(str(given))
    except ValueError:
        raise _Refuse(ReportProblem.INVALID, f"There is no event {str(given)[:40]!r}.") from None
    if name not in REPORTED:
        raise _Refuse(
            ReportProblem.NOT_YOURS, f"'{name}' is told by HexHub itself, never by a machine."
        )
    return name


def _read_data(given: object, name: EventName, origin: Origin) -> Mapping[str, EventValue]:
    if not isinstance(given, dict):
        raise _Refuse(ReportProblem.INVALID, "'data' is not an object.")
    if _OWN & given.keys():
        raise _Refuse(
            ReportProblem.NOT_YOURS,
            "An event does not say whom it is about: the token of the machine does.",
        )
    for value in given.values():
        # No event has a fraction; 1.0 passes for a whole number, but not at the sink.
        if isinstance(value, float):
            raise _Refuse(ReportProblem.INVALID, "A number that is not whole.")
        # Neither can be stored everywhere, nor shown on a page.
        if isinstance(value, str) and _NOT_TEXT.search(value):
            raise _Refuse(ReportProblem.INVALID, "A text with control characters.")
    if name is EventName.STEP_VIEWED and given.get("step") not in origin.steps:
        raise _Refuse(ReportProblem.INVALID, "The lesson has no such step.")
    is_text_wanted = origin.records_commands or name is not EventName.TERMINAL_COMMAND_FINISHED
    if not is_text_wanted and given.get("text"):
        raise _Refuse(ReportProblem.NOT_WANTED, "This lesson does not record the text of commands.")
    return given


def check_version(version: object) -> None:
    """Pass the version of a batch that we read.

    Raises:
        RequestInvalid: It is another.
    """
    if version != REPORT_VERSION or isinstance(version, bool):
        raise RequestInvalid(f"'version' is not {REPORT_VERSION}.")


class RateLimit:
    """How much each student may report: a bucket that holds ``most`` and fills slowly.

    Design choices: in the memory of one web process. A count in the database would hold over all
    copies of it, at the price of a query for each batch; with N copies a student may report N
    times as much, which is still little.

    Args:
        most: Events at once.
        per_s: Events in a second, for ever.
        clock: Seconds, never stepping back.
    """

    def __init__(self, most: int, per_s: float, clock: Callable[[], float]) -> None:
        self._most = most
        self._per_s = per_s
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def allow(self, user: str) -> bool:
        """Take one from the student's bucket; False where it is empty."""
        now = self._clock()
        left, at = self._buckets.get(user, (float(self._most), now))
        left = min(float(self._most), left + (now - at) * self._per_s)
        if left < 1:
            self._buckets[user] = (left, now)
            return False
        self._buckets[user] = (left - 1, now)
        return True

    def forget_full(self) -> None:
        """Forget students who have been quiet so long that their buckets are full again."""
        now = self._clock()
        self._buckets = {
            user: (left, at)
            for user, (left, at) in self._buckets.items()
            if left + (now - at) * self._per_s < self._most
        }

    def __len__(self) -> int:
        """Give how many students are remembered."""
        return len(self._buckets)
