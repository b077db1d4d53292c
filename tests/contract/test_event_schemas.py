"""What the machine may say of an event is what the hub takes, but for whom it is about."""

from pathlib import Path

import pytest
from hexhub_lesson.event_bus import SCHEMA_FOLDER, event_names, event_schema_id
from ruamel.yaml import YAML

import hexhub.events.schemas
from hexhub.events.model import REPORTED

HUB_FOLDER = Path(hexhub.events.schemas.__file__).parent
WHOM = ("user", "course", "lesson")


def test_both_sides_know_the_same_events() -> None:
    """Nothing is told in vain, and nothing waits for what never comes."""
    assert set(event_names()) == {name.value for name in REPORTED}


@pytest.mark.parametrize("name", event_names())
def test_both_sides_agree_on_each_event(name: str) -> None:
    """The same words and the same properties; user, course and lesson are the hub's to say."""
    yaml = YAML(typ="safe")
    machine = yaml.load(SCHEMA_FOLDER / f"{name}.yaml")
    hub = yaml.load(HUB_FOLDER / name / "v1.yaml")
    assert machine.pop("$id") == event_schema_id(name)
    hub.pop("$id")
    for key in WHOM:
        hub["properties"].pop(key)
        hub["required"].remove(key)
    assert machine == hub
