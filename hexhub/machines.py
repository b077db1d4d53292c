"""The students' containers of one HexHub as a whole: how many there are, stop all, remove all."""

import contextlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import docker
from docker.errors import NotFound

_STOP_TIMEOUT_S = 3
_THREADS = 8


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


def stop_machines(client: docker.APIClient, hub_id: str) -> int:
    """Stop every running container of this hub and give their number; they stay, with all files."""

    def stop(container: dict[str, Any]) -> None:
        client.stop(container["Id"], timeout=_STOP_TIMEOUT_S)

    return _with_each(find_containers(client, hub_id, is_running=True), stop)


def remove_machines(client: docker.APIClient, hub_id: str) -> int:
    """Remove every container of this hub, with all that is in them, and give their number."""

    def remove(container: dict[str, Any]) -> None:
        client.remove_container(container["Id"], v=True, force=True)

    return _with_each(find_containers(client, hub_id), remove)


def _with_each(containers: Iterable[dict[str, Any]], act: Callable[[dict[str, Any]], None]) -> int:
    def act_if_there(container: dict[str, Any]) -> None:
        # Somebody else may be faster, such as a check that ends.
        with contextlib.suppress(NotFound):
            act(container)

    with ThreadPoolExecutor(_THREADS) as threads:
        return len(list(threads.map(act_if_there, containers)))
