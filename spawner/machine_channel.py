"""How a running container is told who it serves: one line on its standard input.

Design choices: the environment of a container is fixed when it is made and can be read by anybody
who may inspect it; ours is made once and started many times, each time with a new token. Standard
input can be written by whoever holds the Docker socket and by nobody else, is not logged, and needs
no file on either side (a bind-mounted socket would, and would have to be placed before the student
is known). ``hexhub_lesson.entrypoint`` reads the line and then closes the input.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import docker

from hexhub.catalog.model import Service

VERSION = 1


def make_message(
    env: Mapping[str, str], args: Sequence[str], cwd: str, services: Sequence[Service] = ()
) -> bytes:
    """Give the line that turns a waiting container into this student's server."""
    message = {
        "version": VERSION,
        "env": dict(env),
        "args": list(args),
        "cwd": cwd,
        "services": [asdict(service) for service in services],
    }
    return json.dumps(message).encode() + b"\n"


def deliver(client: docker.APIClient, container_id: str, message: bytes) -> None:
    """Write ``message`` to the standard input of a running container.

    Raises:
        docker.errors.APIError: Docker refuses, such as for a container that is not running.
        OSError: The connection broke.
    """
    attached = client.attach_socket(container_id, params={"stdin": 1, "stream": 1})
    try:
        # docker-py wraps a plain socket for reading; only the socket below it can write. Over TLS
        # it gives the socket itself.
        getattr(attached, "_sock", attached).sendall(message)
    finally:
        attached.close()
