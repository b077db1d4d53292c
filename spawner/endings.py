"""When a machine is stopped, and how it ended; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hexhub.machine_facts import EndReason, MachineEnd

STOPPED_BY_SOMEBODY = "student"
STOPPED_IDLE = "idle"
"""Reasons of the event ``server_stopped``; the others are :func:`stop_reason`'s."""

_STOPPED_BY_SIGNAL = 143
_KILLED = 137


@dataclass
class MachineLife:
    """What this hub knows of how a machine ended; JupyterHub drops a spawner whose server stopped.

    Attributes:
        was_stopped: Somebody had it stopped; None where this hub never started or stopped it.
        has_ended: It was found to have ended by itself since its last start.
        ended: How it last ended by itself; kept while it runs again.
        is_told_of: HexHub was told that it runs, and not yet that it stopped; None where a hub
            before this one may have told so.
    """

    was_stopped: bool | None = None
    has_ended: bool = False
    ended: MachineEnd | None = None
    is_told_of: bool | None = None


def idle_stop_at(used_at: datetime, hub_began_at: datetime, idle_s: int) -> datetime:
    """Tell when a machine is stopped unless somebody uses it.

    Args:
        used_at: When JupyterHub last heard that it was used.
        hub_began_at: While the hub was away it heard nothing, so that it does not count.
        idle_s: What the lesson allows.
    """
    return max(used_at, hub_began_at) + timedelta(seconds=idle_s)


def how_it_ended(
    state: Mapping[str, Any], *, was_stopped: bool | None, memory_bytes: int
) -> MachineEnd | None:
    """Tell from ``State`` of an inspection how a machine ended; None where that is as it should be.

    Docker says that memory was short also where another process was killed for it, long before the
    machine was stopped: only together with the exit code of a kill it is how the machine ended.

    Args:
        state: Of the container.
        was_stopped: Somebody had it stopped. A hub that is new does not know (None), and takes the
            exit codes of a regular stop for one.
        memory_bytes: What the lesson allows.
    """
    if state.get("Running") or state.get("Status") == "created" or was_stopped:
        return None
    code = int(state.get("ExitCode") or 0)
    is_out_of_memory = bool(state.get("OOMKilled")) and code == _KILLED
    is_unclear = was_stopped is None and code in (0, _KILLED, _STOPPED_BY_SIGNAL)
    if is_unclear and not is_out_of_memory:
        return None
    reason = EndReason.OUT_OF_MEMORY if is_out_of_memory else EndReason.EXITED
    return MachineEnd(reason, code, _docker_time(state.get("FinishedAt")), memory_bytes)


def stop_reason(end: MachineEnd | None) -> str:
    """Give the reason of ``server_stopped`` for a machine that was found not to run."""
    is_out_of_memory = end is not None and end.reason is EndReason.OUT_OF_MEMORY
    return "memory" if is_out_of_memory else "ended"


def _docker_time(text: object) -> datetime:
    """Read a time of Docker's, ``2026-11-24T10:00:00.123456789Z``, to the second."""
    return datetime.fromisoformat(str(text)[:19]).replace(tzinfo=UTC)
