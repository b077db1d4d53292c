"""What happens in the machine, on Jupyter Server's own event bus (jupyter_events).

Our schemas are registered there, so that whatever is emitted, also by the browser (``POST
/api/events``), is validated by Jupyter Server; one listener hands it to the reporter.
"""

import logging
from pathlib import Path
from typing import Any, Protocol

from jupyter_events import EventLogger

log = logging.getLogger("hexhub_lesson")

SCHEMA_FOLDER = Path(__file__).parent / "event_schemas"
CONTENTS_SCHEMA = "https://events.jupyter.org/jupyter_server/contents_service/v1"
MAX_PATH = 300


class Taker(Protocol):
    """Takes events; :class:`hexhub_lesson.reporter.Reporter`."""

    def add(self, name: str, data: dict[str, Any]) -> None:
        """Take one event."""
        ...


def event_schema_id(name: str) -> str:
    """Give the id of the schema of one kind of event."""
    return f"urn:hexhub:lesson-event:{name}:v1"


def event_names() -> list[str]:
    """Give all kinds of events that this side knows."""
    return sorted(path.stem for path in SCHEMA_FOLDER.glob("*.yaml"))


def emit_event(logger: EventLogger, name: str, data: dict[str, Any]) -> None:
    """Emit an event of ours; one that its schema refuses is logged, and harms nobody."""
    try:
        logger.emit(schema_id=event_schema_id(name), data=data)
    except Exception as exc:  # noqa: BLE001 - a terminal or a saved file must not fail for this
        log.warning("An event '%s' is not told: %s", name, exc)


def connect_events(logger: EventLogger, taker: Taker) -> None:
    """Register our schemas, and hand every event of ours to ``taker``.

    What Jupyter Server tells of saved files becomes an event of ours.
    """

    async def take(logger: EventLogger, schema_id: str, data: dict[str, Any]) -> None:
        del logger
        name = schema_id.split(":")[-2]
        # The capsule's own fields (__timestamp__ and others) are not the event's.
        taker.add(name, {key: value for key, value in data.items() if not key.startswith("__")})

    async def see_contents(logger: EventLogger, schema_id: str, data: dict[str, Any]) -> None:
        del schema_id
        path = str(data.get("path", "")).lstrip("/")
        if data.get("action") == "save" and path:
            emit_event(logger, "file_saved", {"path": path[:MAX_PATH]})

    for name in event_names():
        logger.register_event_schema(SCHEMA_FOLDER / f"{name}.yaml")
        logger.add_listener(schema_id=event_schema_id(name), listener=take)
    logger.add_listener(schema_id=CONTENTS_SCHEMA, listener=see_contents)
