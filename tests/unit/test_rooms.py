"""Every module stands in a layer that import-linter holds, so that none escapes the rules."""

import configparser
import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def layers() -> set[str]:
    config = configparser.ConfigParser()
    config.read(REPOSITORY / "setup.cfg", encoding="utf-8")
    text = config["importlinter:contract:rooms"]["layers"]
    return {name for name in re.split(r"[\s|]+", text) if name}


def test_every_room_of_hexhub_is_in_a_layer() -> None:
    """import-linter passes over modules that no layer names; there must be none."""
    rooms = {
        path.stem
        for path in (REPOSITORY / "hexhub").iterdir()
        if (path.suffix == ".py" and path.stem != "__init__") or (path / "__init__.py").exists()
    }
    assert rooms == layers()


def test_no_room_is_called_by_what_it_is_not() -> None:
    """A module is named by the noun it defines, never by being useful."""
    forbidden = {"utils", "util", "helpers", "helper", "common", "misc", "tools"}
    names = {
        path.stem
        for root in ("hexhub", "spawner", "lesson_extension/hexhub_lesson", "images", "tests")
        for path in (REPOSITORY / root).rglob("*.py")
    }
    assert names.isdisjoint(forbidden)
