"""Docker as the hub asks it: from threads, so that no student's call waits for another one's.

Design choices: docker-py blocks, and DockerSpawner sends all calls of all students through one
thread. A container that hangs in Docker (an ``inspect`` of it waits for its lock) holds a thread
for as long as docker-py waits; with as many threads as here, it takes that many such containers
before anybody else notices. A thread that waits costs no more than its stack.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import docker
from docker.errors import DockerException
from requests.exceptions import RequestException

THREADS = 64
"""More than JupyterHub starts servers at a time (``concurrent_spawn_limit``)."""

DockerTrouble = (DockerException, RequestException, OSError)
"""What docker-py raises when Docker is away, hangs or refuses."""

T = TypeVar("T")


class DockerThreads:
    """Calls Docker from threads; used on one event loop."""

    def __init__(
        self, client: Callable[[], docker.APIClient], executor: ThreadPoolExecutor
    ) -> None:
        """Keep where to ask.

        Args:
            client: Gives the client; called in a thread, since docker-py asks Docker for its
                version when a client is made.
            executor: The threads.
        """
        self._client = client
        self._executor = executor

    async def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Give what a method of docker-py's ``APIClient`` gives.

        Raises:
            DockerException, RequestException, OSError: Docker is away, hangs or refuses.
        """
        return await self.with_client(lambda client: getattr(client, method)(*args, **kwargs))

    async def with_client(self, call: Callable[[docker.APIClient], T]) -> T:
        """Give what ``call`` gives, which is handed the client."""
        return await self.run(lambda: call(self._client()))

    async def run(self, call: Callable[[], T]) -> T:
        """Give what ``call`` gives; for what waits for a disk."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)
