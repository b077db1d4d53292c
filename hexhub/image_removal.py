"""Removes images that HexHub built: all of them, or those that newer ones replaced long ago.

Design choices: an image is HexHub's if it has the label that its build gave it; its name alone says
nothing, for anybody may name an image ``hexhub/…``. Nothing is forced: Docker keeps an image that a
container stands on, be it of another HexHub on this machine.
"""

from dataclasses import dataclass
from typing import Any

import docker
from docker.errors import APIError, ImageNotFound

from hexhub.images.inputs import INPUTS_LABEL

REPLACED_KEPT_H = 7 * 24
"""Hours for which a replaced image stays, as the cache of a build that goes back to its inputs."""


@dataclass(frozen=True)
class Removal:
    """What went and what stayed.

    Attributes:
        removed: Names and untagged ids that are gone.
        kept: Names that Docker kept, since containers stand on them.
    """

    removed: tuple[str, ...]
    kept: tuple[str, ...]


def remove_built_images(client: docker.DockerClient, label: str = INPUTS_LABEL) -> Removal:
    """Remove every image that HexHub built on this machine and that no container stands on.

    Args:
        client: Docker.
        label: What the images have, ``KEY`` or ``KEY=VALUE``.

    Raises:
        docker.errors.DockerException: Docker did not answer.
    """
    removed: list[str] = []
    kept: list[str] = []
    for name in [name for image in _list_built(client, label) for name in image.tags]:
        (removed if _remove(client, name) else kept).append(name)
    # An image goes only after those that were built on it: again, until nothing goes any more.
    while gone := [each for each in _list_untagged(client, label) if _remove(client, each)]:
        removed += gone
    return Removal(tuple(removed), tuple(kept))


def prune_replaced_images(client: docker.DockerClient) -> int:
    """Remove images that newer builds replaced more than ``REPLACED_KEPT_H`` ago.

    Returns:
        Bytes that became free.

    Raises:
        docker.errors.DockerException: Docker did not answer.
    """
    answer = client.images.prune(
        filters={"dangling": True, "label": INPUTS_LABEL, "until": f"{REPLACED_KEPT_H}h"}
    )
    return int(answer["SpaceReclaimed"])


def _list_built(client: docker.DockerClient, label: str) -> list[Any]:
    return list(client.images.list(filters={"label": label}))


def _list_untagged(client: docker.DockerClient, label: str) -> list[str]:
    return [str(image.id) for image in _list_built(client, label) if not image.tags]


def _remove(client: docker.DockerClient, name: str) -> bool:
    try:
        client.images.remove(name)
    except ImageNotFound:
        return False
    except APIError as error:
        if error.status_code == 409:
            return False
        raise
    return True
