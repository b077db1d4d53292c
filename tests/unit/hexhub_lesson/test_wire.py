"""Answers of another shape are refused by name, never half read."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hexhub_lesson import wire
from hypothesis import given
from hypothesis import strategies as st

SAMPLES = Path(__file__).parents[2] / "contract"
LESSON = json.loads((SAMPLES / "lesson.json").read_text(encoding="utf-8"))
ATTEMPT = json.loads((SAMPLES / "attempt_failed.json").read_text(encoding="utf-8"))

PARSERS = (
    wire.parse_lesson,
    wire.parse_attempt,
    wire.parse_hint,
    wire.parse_solution,
    wire.parse_error,
    wire.parse_starter,
    wire.parse_starter_file,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def without(data: dict[str, Any], path: str) -> dict[str, Any]:
    copy: Any = json.loads(json.dumps(data))
    *folders, last = path.split(".")
    inner = copy
    for name in folders:
        inner = inner[int(name)] if isinstance(inner, list) else inner[name]
    del inner[last]
    result: dict[str, Any] = copy
    return result


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("version", "lesson.version"),
        ("lesson.title", "lesson.lesson.title"),
        ("course", "lesson.course"),
        ("steps.1.state", "lesson.steps[1].state"),
        ("steps.0.hints.taken", "lesson.steps[0].hints.taken"),
        ("current_step", "lesson.current_step"),
    ],
)
def test_a_missing_field_is_named_by_its_path(path: str, named: str) -> None:
    """Who reads the message knows where to look."""
    with pytest.raises(wire.AnswerInvalid, match="breaks the contract") as caught:
        wire.parse_lesson(without(LESSON, path))
    assert f"'{named}'" in str(caught.value)


@pytest.mark.parametrize("value", [1, True, None, [], {}])
def test_a_field_of_another_type_is_refused(value: object) -> None:
    """A title is a text, nothing else."""
    lesson = json.loads(json.dumps(LESSON))
    lesson["lesson"]["title"] = value
    with pytest.raises(wire.AnswerInvalid):
        wire.parse_lesson(lesson)


def test_true_is_no_number() -> None:
    """In Python a bool is an int; in the contract it is not."""
    lesson = json.loads(json.dumps(LESSON))
    lesson["steps"][0]["hints"]["total"] = True
    with pytest.raises(wire.AnswerInvalid):
        wire.parse_lesson(lesson)


def test_a_whole_number_is_a_number() -> None:
    """JSON writers give 1 for 1.0."""
    attempt = json.loads(json.dumps(ATTEMPT))
    attempt["outcome"]["duration_s"] = 1
    outcome = wire.parse_attempt(attempt).outcome
    assert outcome is not None
    assert outcome.duration_s == 1.0


def test_a_current_step_that_is_none_of_them_is_refused() -> None:
    """What follows may rely on it."""
    with pytest.raises(wire.AnswerInvalid, match="current_step"):
        wire.parse_lesson(LESSON | {"current_step": "elsewhere"})


def test_done_without_an_outcome_is_refused() -> None:
    """A check is never taken for passed or over by mistake."""
    with pytest.raises(wire.AnswerInvalid, match="outcome"):
        wire.parse_attempt(ATTEMPT | {"outcome": None})


@given(JSON)
def test_whatever_comes_only_one_error_goes_out(data: object) -> None:
    """Any JSON is read or refused with AnswerInvalid; nothing else is raised."""
    for parse in PARSERS:
        with suppress(wire.AnswerInvalid):
            parse(data)


def test_what_is_no_json_is_refused() -> None:
    """A proxy's page is no answer."""
    with pytest.raises(wire.AnswerInvalid):
        wire.read_body(b"<html>")
