"""Events keep to their schemas, and the schemas to our habits."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from jupyter_events import EventLogger

import hexhub.events.schemas
from hexhub.errors import EventInvalid
from hexhub.events.model import EventName
from hexhub.events.schemas import LATEST, make_event, read_schema

AT = datetime(2026, 11, 24, 10, tzinfo=UTC)
FOLDER = Path(hexhub.events.schemas.__file__).parent
LESSON = {"user": "ada", "course": "c", "lesson": "l", "version": "v"}


def test_every_event_has_its_schema_and_every_schema_its_event() -> None:
    """The names in the code and the folders on disk are the same."""
    folders = {path.parent.name for path in FOLDER.glob("*/v*.yaml")}
    assert folders == {name.value for name in EventName}


@pytest.mark.parametrize("name", EventName)
def test_schemas_say_what_they_do_not_say(name: EventName) -> None:
    """Each schema has an id, a version, closed properties that are described, and its limits."""
    schema = read_schema(name, LATEST[name])
    raw = schema._schema
    assert schema.id == f"urn:hexhub:event:{name.value}:v{LATEST[name]}"
    assert schema.version == str(LATEST[name])
    last = raw["description"].strip().split("\n\n")[-1]
    assert last.startswith("It does not say")
    assert raw["additionalProperties"] is False
    assert raw["required"] == list(schema.properties)
    assert all(part.get("description") for part in schema.properties.values())


def test_jupyter_events_reads_all_schemas() -> None:
    """The schemas can be registered with jupyter_events as they are."""
    logger = EventLogger()
    for path in FOLDER.glob("*/v*.yaml"):
        logger.register_event_schema(path)


def test_make_event() -> None:
    """An event has a new id, the newest version and its time in UTC."""
    zone = timezone(timedelta(hours=3))
    first = make_event(EventName.LESSON_STARTED, AT.astimezone(zone), LESSON)
    second = make_event(EventName.LESSON_STARTED, AT, LESSON)
    assert first.at == AT
    assert first.at.tzinfo is UTC
    assert first.id != second.id
    assert len(first.id) == 32
    assert (first.version, first.data) == (1, LESSON)
    assert make_event(EventName.LESSON_STARTED, AT, LESSON, id="0" * 32).id == "0" * 32


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({**LESSON, "extra": 1}, "extra"),
        ({**LESSON, "user": ""}, "user"),
        ({**LESSON, "course": 3}, "course"),
        ({"user": "ada"}, "course"),
    ],
)
def test_what_breaks_the_schema_is_refused(data: dict[str, str], problem: str) -> None:
    """Missing, unknown, empty and mistyped properties are named."""
    with pytest.raises(EventInvalid, match=f"'lesson_started' does not keep .*{problem}"):
        make_event(EventName.LESSON_STARTED, AT, data)


def test_naive_times_are_refused() -> None:
    """A time without a zone is no time."""
    with pytest.raises(EventInvalid, match="no zone"):
        make_event(EventName.LESSON_STARTED, AT.replace(tzinfo=None), LESSON)
