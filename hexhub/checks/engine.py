"""Docker Engine, as checks need it: connections, and containers made, looked at and removed.

Everything that it says becomes a :class:`~hexhub.errors.CheckError`
(:mod:`hexhub.checks.docker_errors`). One :class:`Engine` may be used by several threads:
docker-py's client holds a pool of connections and no state of a call.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import docker
from docker.errors import DockerException, NotFound
from requests.exceptions import RequestException

from hexhub.catalog.model import Isolation
from hexhub.checks.containers import CHECK_KIND, EXPIRES_LABEL, HUB_LABEL, KIND_LABEL, TRIAL_KIND
from hexhub.checks.docker_errors import docker_errors
from hexhub.checks.phases import phase
from hexhub.docker_client import connect
from hexhub.errors import CheckError, MachineNotRunning, RuntimeMissing
from hexhub.runtimes import USUAL_RUNTIMES, choose_runtime

log = logging.getLogger(__name__)

IMPATIENT_S = 20
"""Seconds for starting and removing a container, which take one at most. A student who is root may
hold up both, by stopping the process with which a machine check begins (SIGSTOP)."""
_POOL_SIZE = 32
_TIMEOUT_S = 60


class Engine:
    """One Docker, and the containers that checks of one HexHub make there."""

    def __init__(
        self,
        hub_id: str = "cli",
        *,
        timeout_s: int = _TIMEOUT_S,
        runtimes: Mapping[Isolation, str] = USUAL_RUNTIMES,
    ) -> None:
        """Prepare; Docker is asked for nothing before the first call.

        Args:
            hub_id: Of this HexHub; in the labels of all containers made for its checks.
            timeout_s: Seconds of silence after which Docker counts as away.
            runtimes: Docker's runtime for each isolation that a lesson may ask for.
        """
        self.hub_id = hub_id
        self._runtimes = runtimes
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._connected: dict[int, docker.APIClient] = {}

    @property
    def client(self) -> docker.APIClient:
        """The connection; whoever calls it does so within ``docker_errors``."""
        return self._connect(self._timeout_s)

    @property
    def impatient(self) -> docker.APIClient:
        """A connection that waits no longer than :data:`IMPATIENT_S`."""
        return self._connect(min(self._timeout_s, IMPATIENT_S))

    def _connect(self, timeout_s: int) -> docker.APIClient:
        with self._lock:
            if timeout_s not in self._connected:
                with docker_errors("connect"):
                    self._connected[timeout_s] = connect(timeout_s, max_pool_size=_POOL_SIZE)
            return self._connected[timeout_s]

    def close(self) -> None:
        """Close the connections; a later call makes new ones."""
        with self._lock:
            for client in self._connected.values():
                client.close()
            self._connected.clear()

    def runtime_for(self, isolation: Isolation) -> str:
        """Give Docker's runtime for an isolation; empty is Docker's own choice.

        Raises:
            RuntimeMissing: Docker has it not.
            CheckError: Docker does not tell.
        """
        if isolation is Isolation.CONTAINER:
            return ""
        with docker_errors("tell its runtimes"):
            there = self.client.info().get("Runtimes") or {}
        return choose_runtime(isolation, self._runtimes, there)

    def expect_runtime(self, isolation: Isolation) -> str:
        """Give the same where nothing can be made without it.

        Raises:
            CheckError: Docker has it not, or does not tell.
        """
        try:
            return self.runtime_for(isolation)
        except RuntimeMissing as exc:
            raise CheckError(str(exc)) from exc

    def image_id(self, name: str) -> str:
        """Give the id of the image that a name means now.

        Raises:
            ImageMissing: It is not there.
            DockerUnavailable: Docker does not answer.
        """
        with docker_errors("look at the image"):
            return str(self.client.inspect_image(name)["Id"])  # type: ignore[no-untyped-call]

    def is_running(self, container_id: str) -> bool:
        """Tell whether a container is there and runs."""
        try:
            with docker_errors("look at the machine"):
                return bool(self.client.inspect_container(container_id)["State"]["Running"])
        except MachineNotRunning:
            return False

    def make(self, arguments: Mapping[str, Any]) -> str:
        """Make a container and give its id.

        Args:
            arguments: Of docker-py's ``create_container``.

        Raises:
            ImageMissing: Its image is not there.
            DockerUnavailable: Docker does not answer.
            CheckError: It refuses, also where a container that this one is to stand beside is gone.
        """
        try:
            with phase("create"), docker_errors("make a container"):
                return str(self.client.create_container(**arguments)["Id"])
        except MachineNotRunning as exc:
            raise CheckError(str(exc)) from exc

    @contextlib.contextmanager
    def container(self, arguments: Mapping[str, Any]) -> Iterator[str]:
        """Make a container as :meth:`make` does; however this is left, the container is removed."""
        container = self.make(arguments)
        try:
            yield container
        finally:
            self.remove(container)

    def remove(self, container: str) -> None:
        """Remove a container; where Docker does not do it now, :meth:`remove_leftovers` will."""
        try:
            with phase("remove"):
                self.impatient.remove_container(container, v=True, force=True)
        except NotFound:
            return
        except (DockerException, RequestException, CheckError) as exc:
            log.warning("Container %s stays for now: %s", container[:12], exc)

    def remove_leftovers(self) -> int:
        """Remove containers of this hub's checks and trials for which nobody waits any more.

        Returns:
            How many there were; a worker that was killed leaves some.

        Raises:
            DockerUnavailable: Docker does not answer.
        """
        now_s = time.time()
        removed = 0
        with docker_errors("remove what checks left behind"):
            mine = self.client.containers(
                all=True, filters={"label": [f"{HUB_LABEL}={self.hub_id}", EXPIRES_LABEL]}
            )
            for container in mine:
                labels = container["Labels"]
                is_ours = labels.get(KIND_LABEL) in (CHECK_KIND, TRIAL_KIND)
                if is_ours and float(labels[EXPIRES_LABEL]) < now_s:
                    self.remove(container["Id"])
                    removed += 1
        return removed
