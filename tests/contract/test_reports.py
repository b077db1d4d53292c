"""What a machine reports, and what it is told of it, have one form on both sides."""

import json
from datetime import UTC, datetime
from pathlib import Path

from hexhub.events.model import REPORTED
from hexhub.events.reports import Origin, RefusedClaim, ReportProblem, read_events
from hexhub.service.wire import read_report, report_json
from hexhub.usecases.record_report import Recorded

FOLDER = Path(__file__).parent / "events"
NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)


def test_the_golden_batch_is_stored_whole() -> None:
    """It has one event of each kind, and nothing of it is refused."""
    report = read_report((FOLDER / "report.json").read_bytes())
    origin = Origin("ada", "c", "l", frozenset({"listens"}), records_commands=False)
    events, refused = read_events(report, origin, NOW, lambda: True)
    assert (report.dropped, refused) == (2, [])
    assert {event.name for event in events} == REPORTED


def test_the_golden_answer() -> None:
    """How many are stored, and which event was refused for what."""
    refused = RefusedClaim(
        4,
        "404142434445464748494a4b4c4d4e4f",
        ReportProblem.INVALID,
        "The lesson has no such step.",
    )
    golden = json.loads((FOLDER / "reported.json").read_text(encoding="utf-8"))
    assert report_json(Recorded(5, (refused,))) == golden
