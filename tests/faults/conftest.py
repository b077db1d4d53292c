"""Docker under a hub id of the test's own."""

import contextlib
import secrets
from collections.abc import Iterator

import docker
import pytest

from hexhub.checks.containers import HUB_LABEL


@pytest.fixture(scope="session")
def client() -> Iterator[docker.APIClient]:
    """Give the Docker that is never cut off."""
    with contextlib.closing(docker.APIClient(version="auto")) as made:
        yield made


@pytest.fixture
def hub_id(client: docker.APIClient) -> Iterator[str]:
    """Give a hub id whose containers are all gone afterwards."""
    made = f"fault-{secrets.token_hex(4)}"
    yield made
    for container in client.containers(all=True, filters={"label": f"{HUB_LABEL}={made}"}):
        client.remove_container(container["Id"], v=True, force=True)
