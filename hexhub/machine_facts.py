"""What becomes of a machine, as the hub knows it; its JSON between hub and web service; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class EndReason(StrEnum):
    """Why a machine ended that nobody stopped."""

    OUT_OF_MEMORY = "out_of_memory"
    EXITED = "exited"


@dataclass(frozen=True)
class MachineEnd:
    """How a machine ended that nobody stopped.

    Attributes:
        reason: For out of memory the kernel killed its server.
        exit_code: Of its first process.
        at: When, aware UTC.
        memory_bytes: What the lesson allows.
    """

    reason: EndReason
    exit_code: int
    at: datetime
    memory_bytes: int


@dataclass(frozen=True)
class MachineFacts:
    """What becomes of a machine.

    Attributes:
        idle_stop_at: When it is stopped if nobody uses it; None while it does not run.
        undo_until: Until when its last reset can be undone; None where there is none.
        ended: None unless it ended by itself.
    """

    idle_stop_at: datetime | None = None
    undo_until: datetime | None = None
    ended: MachineEnd | None = None


def facts_json(facts: MachineFacts) -> dict[str, object]:
    """Give facts as JSON; times in ISO 8601."""
    ended = facts.ended
    return {
        "idle_stop_at": facts.idle_stop_at.isoformat() if facts.idle_stop_at else None,
        "undo_until": facts.undo_until.isoformat() if facts.undo_until else None,
        "ended": None
        if ended is None
        else {
            "reason": ended.reason.value,
            "exit_code": ended.exit_code,
            "at": ended.at.isoformat(),
            "memory_bytes": ended.memory_bytes,
        },
    }


def read_facts(content: Mapping[str, Any]) -> MachineFacts:
    """Read what :func:`facts_json` gives.

    Raises:
        KeyError, TypeError, ValueError: It is something else.
    """
    ended = content["ended"]
    return MachineFacts(
        idle_stop_at=_moment(content["idle_stop_at"]),
        undo_until=_moment(content["undo_until"]),
        ended=None
        if ended is None
        else MachineEnd(
            EndReason(ended["reason"]),
            int(ended["exit_code"]),
            datetime.fromisoformat(ended["at"]),
            int(ended["memory_bytes"]),
        ),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
