"""A student's machine reports what happened in it."""

from collections import Counter
from dataclasses import dataclass

from hexhub.catalog.model import Lesson
from hexhub.events.reports import (
    MAX_DROPPED,
    Origin,
    RateLimit,
    RefusedClaim,
    Report,
    ReportProblem,
    read_events,
)
from hexhub.progress.model import Place
from hexhub.progress.reports import Reports
from hexhub.progress.store import Store


@dataclass(frozen=True)
class Recorded:
    """What became of a batch: how many of its events are stored, and what was refused."""

    stored: int
    refused: tuple[RefusedClaim, ...]


def record_report(
    store: Store, limit: RateLimit, place: Place, lesson: Lesson, report: Report
) -> Recorded:
    """Store what is in order of a batch, and count the rest by reason.

    Sending a batch again is no fault: its events carry ids, and are stored once.

    Raises:
        StoreError: The database refuses; nothing is stored, and the machine keeps the batch.
    """
    origin = Origin(
        place.user,
        place.course,
        place.lesson,
        frozenset(step.name for step in lesson.steps),
        lesson.records_commands,
    )
    limit.forget_full()
    events, refused = read_events(report, origin, store.now(), lambda: limit.allow(place.user))
    counts: Counter[str] = Counter(claim.problem.value for claim in refused)
    if report.dropped:
        counts[ReportProblem.DROPPED.value] += min(report.dropped, MAX_DROPPED)
    if events or counts:
        Reports(store).store(place.user, events, counts)
    return Recorded(len(events), tuple(refused))


def count_refused_report(store: Store, place: Place, problem: ReportProblem) -> None:
    """Count a batch of a student that was refused as a whole.

    Raises:
        StoreError: The database refuses.
    """
    Reports(store).store(place.user, (), {problem.value: 1})
