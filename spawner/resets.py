"""A reset of a machine and its undo, as Docker does them: containers that change their names.

Each function leaves, wherever it is interrupted, either the machine as it was or the wish fulfilled
as far as the student's files go: a machine that is wanted is renamed, never copied, and only what
is not wanted any more is removed before that.
"""

from datetime import UTC, datetime
from typing import Any

import docker
from docker.errors import NotFound

from hexhub.errors import NothingToUndo
from hexhub.set_aside import aside_name, kept_until
from spawner.container import STOP_TIMEOUT_S


def machines_aside(client: docker.APIClient, machine: str) -> list[str]:
    """Give the names of what was put aside of one machine, newest last.

    Args:
        client: Of Docker.
        machine: Name of the machine's container.
    """
    found = client.containers(all=True, filters={"name": f"^/{machine}.before-"})
    names = [name.removeprefix("/") for entry in found for name in entry.get("Names") or ()]
    kept = [name for name in names if name.startswith(f"{machine}.") and kept_until(name)]
    return sorted(kept, key=lambda name: int(name.rpartition("-")[2]))


def undo_until(aside: list[str], now: datetime) -> datetime | None:
    """Tell until when a reset can be undone; None where there is none to undo."""
    until = kept_until(aside[-1]) if aside else None
    return until if until is not None and until > now else None


def put_aside(client: docker.APIClient, machine: str) -> None:
    """Put a machine aside, so that its next start makes a new one; what was aside before goes.

    A machine that is not there, or that was made and never started, leaves what is aside alone: the
    student has seen nothing since the reset before, and means the machine from before that.
    """
    container = _inspect(client, machine)
    if container is None:
        return
    if container["State"]["Status"] == "created":
        client.remove_container(container["Id"], v=True, force=True)
        return
    _stop(client, container)
    for name in machines_aside(client, machine):
        _remove(client, name)
    client.rename(container["Id"], aside_name(machine, datetime.now(UTC)))


def take_back(client: docker.APIClient, machine: str) -> None:
    """Put the machine that was put aside last into the place of the one that is there now.

    Raises:
        NothingToUndo: There is none, or its time is over.
    """
    aside = machines_aside(client, machine)
    if undo_until(aside, datetime.now(UTC)) is None:
        raise NothingToUndo(
            "There is no earlier machine to go back to: no reset was made, it was undone already, "
            "or it is longer than 7 days ago."
        )
    _remove(client, machine)
    client.rename(aside[-1], machine)


def remove_all(client: docker.APIClient, machine: str) -> None:
    """Remove a machine and what was put aside of it."""
    for name in (machine, *machines_aside(client, machine)):
        _remove(client, name)


def _inspect(client: docker.APIClient, name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = client.inspect_container(name)
    except NotFound:
        return None
    return found


def _stop(client: docker.APIClient, container: dict[str, Any]) -> None:
    if container["State"]["Paused"]:
        client.unpause(container["Id"])
    if container["State"]["Running"]:
        client.stop(container["Id"], timeout=STOP_TIMEOUT_S)


def _remove(client: docker.APIClient, name: str) -> None:
    try:
        client.remove_container(name, v=True, force=True)
    except NotFound:
        return
