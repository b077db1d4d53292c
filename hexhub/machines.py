"""Docker, and the containers of one HexHub as a whole: stop the students', remove all.

Machines that wait for a student (``spawner.pool``) are nobody's: they are removed where students'
machines are stopped, and not counted among them.
"""

import contextlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import docker
from docker.errors import DockerException, NotFound
from requests.exceptions import RequestException

from hexhub.docker_client import connect
from hexhub.errors import SetupError
from hexhub.memory import read_held
from hexhub.names import is_nobodys
from hexhub.set_aside import kept_until

DOCKER_TIMEOUT_S = 60
_DOCKER_PATIENCE_S = 5
_STOP_TIMEOUT_S = 3
_THREADS = 8


def connect_docker() -> docker.APIClient:
    """Give a client of a Docker that answers.

    Raises:
        SetupError: It does not.
    """
    try:
        quick = connect(_DOCKER_PATIENCE_S)
        quick.ping()
        return connect(DOCKER_TIMEOUT_S, version=quick.api_version)
    except (DockerException, RequestException) as exc:
        raise SetupError(
            "Docker does not answer. Start it (as root: systemctl start docker, or: dockerd &), or "
            "join its group (as root: usermod -aG docker YOUR-NAME, then log in again). "
            f"It said: {_first_line(exc)}"
        ) from exc


def find_containers(
    client: docker.APIClient, hub_id: str, *, is_running: bool = False
) -> list[dict[str, Any]]:
    """Give Docker's list entries of the containers that bear this hub's label.

    Args:
        client: Of Docker.
        hub_id: Of the HexHub.
        is_running: Only those that run.
    """
    found: list[dict[str, Any]] = client.containers(
        all=not is_running, filters={"label": f"hexhub.hub={hub_id}"}
    )
    return found


def find_waiting(client: docker.APIClient, hub_id: str) -> list[dict[str, Any]]:
    """Give Docker's list entries of the containers that wait for a student."""
    return [each for each in find_containers(client, hub_id) if is_nobodys(_name_of(each))]


def held_by_waiting(client: docker.APIClient, hub_id: str) -> list[int]:
    """Give the memory that each container holds that waits for a student, in bytes."""
    held: list[int] = []
    for each in find_waiting(client, hub_id):
        with contextlib.suppress(NotFound):
            held.append(read_held(client.stats(each["Id"], stream=False, one_shot=True)))
    return held


def stop_machines(client: docker.APIClient, hub_id: str) -> int:
    """Stop every running machine of this hub and give their number; they stay, with all files."""

    def stop(container: dict[str, Any]) -> None:
        client.stop(container["Id"], timeout=_STOP_TIMEOUT_S)

    remove_waiting(client, hub_id)
    return _with_each(find_containers(client, hub_id, is_running=True), stop)


def remove_waiting(client: docker.APIClient, hub_id: str) -> int:
    """Remove the containers that wait for a student and give their number."""

    def remove(container: dict[str, Any]) -> None:
        # By its name: where a student got it in this moment, it has another one.
        client.remove_container(_name_of(container), v=True, force=True)

    return _with_each(find_waiting(client, hub_id), remove)


def remove_machines(client: docker.APIClient, hub_id: str) -> int:
    """Remove every container of this hub, with all that is in them.

    Returns:
        How many there were, without those that waited for a student.
    """
    remove_waiting(client, hub_id)

    def remove(container: dict[str, Any]) -> None:
        client.remove_container(container["Id"], v=True, force=True)

    return _with_each(find_containers(client, hub_id), remove)


def remove_expired(client: docker.APIClient, hub_id: str, now: datetime) -> int:
    """Remove machines that a reset put aside longer ago than they are kept; give their number."""

    def is_expired(container: dict[str, Any]) -> bool:
        until = [kept_until(name) for name in container.get("Names") or ()]
        return any(moment is not None and moment <= now for moment in until)

    def remove(container: dict[str, Any]) -> None:
        # Not by force: what runs is in use, whatever it is called.
        client.remove_container(container["Id"], v=True)

    return _with_each(filter(is_expired, find_containers(client, hub_id)), remove)


def _with_each(containers: Iterable[dict[str, Any]], act: Callable[[dict[str, Any]], None]) -> int:
    def act_if_there(container: dict[str, Any]) -> None:
        # Somebody else may be faster, such as a check that ends.
        with contextlib.suppress(NotFound):
            act(container)

    with ThreadPoolExecutor(_THREADS) as threads:
        return len(list(threads.map(act_if_there, containers)))


def _name_of(container: dict[str, Any]) -> str:
    return str(next(iter(container.get("Names") or ["/"])))[1:]


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
