"""What a machine reports is read as hostile input, event by event."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexhub.events.model import REPORTED, EventName
from hexhub.events.reports import (
    Claim,
    Origin,
    RateLimit,
    RefusedClaim,
    Report,
    ReportProblem,
    read_events,
)

AT = datetime(2026, 11, 24, 10, tzinfo=UTC)
ORIGIN = Origin("ada", "c", "l", frozenset({"listens"}), records_commands=False)
GOOD: dict[str, Any] = {
    "id": "0" * 32,
    "name": "file_saved",
    "age_s": 2,
    "data": {"path": "work/a.py"},
}


def read(*contents: object, origin: Origin = ORIGIN) -> tuple[list[Any], list[RefusedClaim]]:
    claims = tuple(Claim(content, len(json.dumps(content))) for content in contents)
    return read_events(Report(claims), origin, AT, lambda: True)


def command(text: str) -> dict[str, Any]:
    data = {"exit_status": 0, "duration_ms": 5, "text": text}
    return {**GOOD, "name": "terminal_command_finished", "data": data}


def test_an_event_is_about_the_tokens_student_and_happened_so_long_ago() -> None:
    """User, course and lesson are ours, and so is the clock."""
    [event], refused = read(GOOD)
    assert refused == []
    assert (event.id, event.name, event.at) == (
        "0" * 32, EventName.FILE_SAVED, AT - timedelta(seconds=2),
    )  # fmt: skip
    assert event.data == {"user": "ada", "course": "c", "lesson": "l", "path": "work/a.py"}
    assert event.is_reported


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"id": "x"}, ReportProblem.INVALID),
        ({"id": 3}, ReportProblem.INVALID),
        ({"more": 1}, ReportProblem.INVALID),
        ({"name": "no_such"}, ReportProblem.INVALID),
        ({"name": ["file_saved"]}, ReportProblem.INVALID),
        ({"name": "step_passed"}, ReportProblem.NOT_YOURS),
        ({"name": "lesson_finished"}, ReportProblem.NOT_YOURS),
        ({"data": {"path": "a", "user": "eve"}}, ReportProblem.NOT_YOURS),
        ({"data": {"path": "a", "course": "other"}}, ReportProblem.NOT_YOURS),
        ({"age_s": -1}, ReportProblem.INVALID),
        ({"age_s": True}, ReportProblem.INVALID),
        ({"age_s": "1"}, ReportProblem.INVALID),
        ({"age_s": float("nan")}, ReportProblem.INVALID),
        ({"age_s": float("inf")}, ReportProblem.INVALID),
        ({"age_s": 10**400}, ReportProblem.INVALID),
        ({"age_s": 86401}, ReportProblem.INVALID),
        ({"data": []}, ReportProblem.INVALID),
        ({"data": {}}, ReportProblem.INVALID),
        ({"data": {"path": ""}}, ReportProblem.INVALID),
        ({"data": {"path": "a" * 301}}, ReportProblem.INVALID),
        ({"data": {"path": "a\0b"}}, ReportProblem.INVALID),
        ({"data": {"path": "\x1b[2J"}}, ReportProblem.INVALID),
        ({"data": {"path": "\ud800"}}, ReportProblem.INVALID),
        ({"data": {"path": {"a": 1}}}, ReportProblem.INVALID),
        ({"data": {"path": "a" * 5000}}, ReportProblem.TOO_LARGE),
        ({"name": "preview_opened", "data": {"port": 80.0}}, ReportProblem.INVALID),
        ({"name": "preview_opened", "data": {"port": True}}, ReportProblem.INVALID),
        ({"name": "preview_opened", "data": {"port": 70000}}, ReportProblem.INVALID),
        ({"name": "step_viewed", "data": {"step": "elsewhere"}}, ReportProblem.INVALID),
        ({"name": "ide_focus_changed", "data": {"state": "asleep"}}, ReportProblem.INVALID),
    ],
)
def test_what_is_not_in_order_is_refused_alone(
    change: dict[str, Any], problem: ReportProblem
) -> None:
    """Each refusal has its word, and the event beside it is kept."""
    events, [refusal] = read({**GOOD, **change}, {**GOOD, "id": "1" * 32})
    assert (refusal.index, refusal.problem) == (0, problem)
    assert refusal.message
    assert [event.id for event in events] == ["1" * 32]


@pytest.mark.parametrize("content", [None, 3, "x", [], {}, {"id": "0" * 32}])
def test_what_is_no_event_is_refused(content: object) -> None:
    """Any JSON value may come."""
    events, [refusal] = read(content)
    assert (events, refusal.problem) == ([], ReportProblem.INVALID)


def test_the_text_of_commands_is_taken_only_where_the_lesson_says_so() -> None:
    """A machine that sends it all the same is refused: the student was not told."""
    _, [refusal] = read(command("cat /etc/passwd"))
    assert refusal.problem is ReportProblem.NOT_WANTED
    assert len(read(command(""))[0]) == 1
    told = Origin("ada", "c", "l", frozenset(), records_commands=True)
    [event], _ = read(command("cat /etc/passwd"), origin=told)
    assert event.data["text"] == "cat /etc/passwd"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {
            "id": st.just("0" * 32) | JSON,
            "name": st.sampled_from(sorted(REPORTED)) | JSON,
            "age_s": st.floats() | JSON,
            "data": JSON,
        }
    )
)
def test_nothing_that_comes_breaks_the_reading(content: object) -> None:
    """Whatever a hostile machine sends is stored or refused, one of both."""
    events, refused = read(content)
    assert len(events) + len(refused) == 1


def test_a_student_may_report_so_much_and_then_so_fast() -> None:
    """A full bucket at first, then what has flowed in since; each student has their own."""
    now = [0.0]
    limit = RateLimit(3, 0.5, lambda: now[0])
    assert [limit.allow("ada") for _ in range(4)] == [True, True, True, False]
    assert limit.allow("bob")
    now[0] = 1.9
    assert not limit.allow("ada")
    now[0] = 4.0
    assert [limit.allow("ada") for _ in range(3)] == [True, True, False]
    now[0] = 100.0
    limit.forget_full()
    assert len(limit) == 0


def test_what_is_too_much_is_refused_and_named() -> None:
    """The limit is asked only for events that would be stored."""
    left = [1]

    def is_allowed() -> bool:
        left[0] -= 1
        return left[0] >= 0

    contents = [{**GOOD, "id": "x"}, GOOD, {**GOOD, "id": "1" * 32}]
    claims = tuple(Claim(content, 100) for content in contents)
    events, refused = read_events(Report(claims), ORIGIN, AT, is_allowed)
    assert len(events) == 1
    assert [claim.problem for claim in refused] == [ReportProblem.INVALID, ReportProblem.TOO_MANY]
