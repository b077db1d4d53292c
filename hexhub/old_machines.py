"""Machines that nobody has used for long, as Docker has them: found, read, removed."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any

import docker
from docker.errors import APIError, NotFound

from hexhub.machines import find_containers
from hexhub.set_aside import is_aside

_MACHINE = re.compile(r"hexhub-[0-9a-f]{6}-[a-z0-9-]+")
"""Names of students' machines; what waits for a student or was put aside has a dot in it."""
_CHUNK_BYTES = 256 * 1024
_HOMES = ("/home/student", "/root")


@dataclass(frozen=True)
class OldMachine:
    """A machine that is stopped.

    Attributes:
        id: Of the container.
        name: Of the container; says whose it is to who has the hub's id (``hexhub.names``).
        stopped_at: When, aware UTC, as Docker writes it.
        home: The student's home folder in it.
    """

    id: str
    name: str
    stopped_at: datetime
    home: str


def find_stopped(
    client: docker.APIClient, hub_id: str, *, before: datetime
) -> Iterator[OldMachine]:
    """Give the students' machines that were stopped before a time, and run no more."""
    for entry in find_containers(client, hub_id):
        name = str(next(iter(entry.get("Names") or ["/"]))).removeprefix("/")
        is_students = (entry.get("Labels") or {}).get("hexhub.kind") == "student"
        if not is_students or is_aside(name) or _MACHINE.fullmatch(name) is None:
            continue
        machine = _look_at(client, str(entry["Id"]), name)
        if machine is not None and machine.stopped_at < before:
            yield machine


class Removal(Enum):
    """What became of a machine that was to be removed."""

    REMOVED = auto()
    IN_USE = auto()
    GONE = auto()


@contextlib.contextmanager
def opened_home(client: docker.APIClient, machine: OldMachine) -> Iterator[Iterator[bytes]]:
    """Open the home folder of a machine as a tar stream: whatever the student has put there.

    Leaving closes the connection. Without that Docker packs on for as long as there is something,
    and nobody can remove the machine meanwhile (docker-py's ``get_archive`` leaves it open, and
    switches its time limit off).

    Raises:
        docker.errors.APIError: Docker refuses; the machine may be gone.
    """
    answer = client._get(  # type: ignore[attr-defined]
        client._url("/containers/{0}/archive", machine.id),  # type: ignore[attr-defined]
        params={"path": machine.home},
        headers={"Accept-Encoding": "identity"},
        stream=True,
    )
    try:
        client._raise_for_status(answer)  # type: ignore[attr-defined]
        yield answer.iter_content(_CHUNK_BYTES)
    finally:
        answer.close()


def remove_if_unused(client: docker.APIClient, machine: OldMachine) -> Removal:
    """Remove a machine, unless somebody has used it since it was found, or has removed it."""
    try:
        if _look_at(client, machine.id, machine.name) != machine:
            client.inspect_container(machine.id)  # it is there, but runs, or a reset has moved it
            return Removal.IN_USE
        # Without force Docker refuses to remove one that runs, as it was started in this moment.
        client.remove_container(machine.id, v=True)
    except NotFound:
        return Removal.GONE
    except APIError as exc:
        if exc.status_code == 409:
            return Removal.IN_USE
        raise
    return Removal.REMOVED


def _look_at(client: docker.APIClient, container_id: str, name: str) -> OldMachine | None:
    """Give a machine as it is; None where it is gone, runs, or was never started."""
    try:
        found: dict[str, Any] = client.inspect_container(container_id)
    except NotFound:
        return None
    state = found["State"]
    home = str(found["Config"].get("WorkingDir"))
    if state["Status"] != "exited" or home not in _HOMES or found["Name"] != f"/{name}":
        return None
    stopped_at = datetime.fromisoformat(str(state["FinishedAt"])[:19]).replace(tzinfo=UTC)
    return OldMachine(str(found["Id"]), name, stopped_at, home)
