"""The connection to Docker, wherever it is: as ``DOCKER_HOST`` and its TLS variables say.

Design choices: docker-py stands on requests, and requests lets ``REQUESTS_CA_BUNDLE`` of the
environment take the place of the authority that a client was given
(https://github.com/psf/requests/issues/3829). Where a company's proxy looks into TLS, that variable
is set, and a Docker with an authority of its own would not be believed. So the environment is asked
for Docker's own variables and for no others.
"""

from typing import Any

import docker
from docker.tls import TLSConfig
from docker.utils import kwargs_from_env


class DockerClient(docker.APIClient):
    """docker-py's client, which believes the authority that it was given and no other."""

    @property
    def trust_env(self) -> bool:
        """Give False, from the first request on, which the base class makes in its making."""
        return False

    @trust_env.setter
    def trust_env(self, value: bool) -> None:
        """Leave it: requests sets its default."""


def connect(timeout_s: float, *, tls: TLSConfig | None = None, **more: Any) -> docker.APIClient:
    """Give a client of the Docker that the environment names, or the one on this computer.

    Args:
        timeout_s: Longest wait for one answer.
        tls: Used where the environment has none of its own.
        **more: Of docker-py's ``APIClient``.

    Raises:
        DockerException: It does not answer, or the certificates cannot be used.
    """
    told: dict[str, Any] = {"version": "auto", "timeout": timeout_s}
    if tls is not None:
        told["tls"] = tls
    return DockerClient(**{**told, **kwargs_from_env(), **more})


def connect_for_images(timeout_s: float = 60.0) -> docker.DockerClient:
    """Give the same in docker-py's other form, which builds images.

    Raises:
        DockerException: As :func:`connect`.
    """
    api = connect(timeout_s)
    client = docker.DockerClient(version=api.api_version)  # asks nobody, as the version is known
    client.api.close()
    client.api = api
    return client
