"""One start of a student's machine: claimed from the pool, made, or resumed.

A start that fails leaves nothing that runs, and of a new machine nothing at all.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from docker.errors import ImageNotFound, NotFound
from jupyterhub.spawner import SpawnException

from hexhub.catalog.model import Course, Lesson
from hexhub.catalog.overlays import starter_overlay
from hexhub.catalog.published import PublishedCatalog
from hexhub.errors import ClaimFailed
from hexhub.link_local import drop_link_local
from spawner.claim import claim_machine
from spawner.container import STOP_TIMEOUT_S, add_room_for_image, starter_archive
from spawner.docker_threads import DockerThreads, DockerTrouble
from spawner.fail_points import pass_point
from spawner.listening import ENDED, until_listening
from spawner.machine_channel import deliver
from spawner.machine_site import MachineSite
from spawner.pool import MachinePool
from spawner.pool_plan import Waiting, limits_of
from spawner.refusals import refuse
from spawner.starting_places import StartingPlaces
from spawner.stronger_walls import expect_runtime


@dataclass(frozen=True)
class Started:
    """A machine whose server listens.

    Attributes:
        container_id: Of the machine.
        address: Of the machine, on its network.
        kind: ``cold``, ``warm`` or ``resumed``, as ``server_started`` says it.
    """

    container_id: str
    address: str
    kind: str


@dataclass(frozen=True)
class Workshop:
    """Where the machines of a hub are made; shared by all starts.

    Attributes:
        docker: Where containers are made.
        site: Of the hub.
        pool: Containers that wait for students.
        catalog: Has the lessons' starters.
        log: Of the hub.
        ready_timeout_s: Longest wait for JupyterLab to listen.
        places: For starts of what did not wait.
    """

    docker: DockerThreads
    site: MachineSite
    pool: MachinePool
    catalog: PublishedCatalog
    log: logging.Logger
    ready_timeout_s: float
    places: StartingPlaces


class MachineStart:
    """One start of one machine; used once."""

    def __init__(
        self,
        workshop: Workshop,
        tell: Callable[[str], None],
        course: Course,
        lesson: Lesson,
        arguments: dict[str, Any],
        message: bytes,
        student: str,
    ) -> None:
        """Prepare; Docker is not asked yet.

        Args:
            workshop: Where it is made.
            tell: Is told each phase (``spawner.phases``) as it begins.
            course: Of the lesson.
            lesson: That is opened.
            arguments: Of the machine, for ``create_container``; its name is among them.
            message: What makes it the student's server (``machine_channel.make_message``).
            student: Whose it is.
        """
        self._shop = workshop
        self._docker = workshop.docker
        self._tell = tell
        self._course = course
        self._lesson = lesson
        self._arguments = arguments
        self._message = message
        self._student = student
        self._new_container = ""

    async def run(self, container: dict[str, Any] | None) -> Started:
        """Start the machine and give it once its server listens.

        Whoever gets an error, or cancels this, calls :meth:`clean_up`.

        Args:
            container: Docker's inspection of the student's machine; None where there is none yet.

        Raises:
            SpawnException: It cannot be started; with a sentence for the student.
            DockerException, RequestException, OSError: Docker is away, hangs or refuses.
        """
        if container is not None and container["State"]["Status"] == "created":
            # A hub was killed while it made this one, so that the starter may not be in it.
            await self._docker.call("remove_container", container["Id"], v=True, force=True)
            container = None
        await expect_runtime(
            self._lesson,
            container,
            ask_info=partial(self._docker.call, "info"),
            runtimes=self._shop.site.runtimes,
            log=self._shop.log,
        )
        if container is not None:
            await self._wake(container)
            return await self._listening(container["Id"], "resumed")
        taken = self._shop.pool.take(self._arguments)
        if taken is not None:
            address = await self._claim(taken)
            if address:
                self._new_container = ""
                return Started(taken.id, address, "warm")
        return await self._listening(await self._create(), "cold")

    async def clean_up(self) -> None:
        """Leave nothing running after a start that failed, and nothing at all of a new machine."""
        await clean_up(
            self._docker, str(self._arguments["name"]), self._new_container, self._shop.log
        )

    async def _listening(self, container_id: str, kind: str) -> Started:
        """Start a container that is made and make it the student's server."""
        async with self._shop.places.place(self._student, lambda: self._tell("turn")):
            return await self._start(container_id, kind)

    async def _start(self, container_id: str, kind: str) -> Started:
        self._tell("start")
        await self._docker.call("start", container_id)
        pass_point("start.running")
        bridge = self._shop.site.bridge(self._arguments)
        await self._docker.run(partial(drop_link_local, bridge))
        self._tell("server")
        await self._docker.with_client(
            partial(deliver, container_id=container_id, message=self._message)
        )
        pass_point("start.told")
        address = await self._until_listening(container_id)
        pass_point("start.listens")
        self._new_container = ""
        return Started(container_id, address, kind)

    async def _wake(self, container: dict[str, Any]) -> None:
        """Bring the student's own machine to where it can be started."""
        self._tell("resume")
        if container["State"]["Paused"]:
            await self._docker.call("unpause", container["Id"])
        if container["State"]["Running"]:
            # The hub does not know that it runs, or its server ended and left the container:
            # only a fresh start reads a fresh environment.
            await self._docker.call("stop", container["Id"], timeout=STOP_TIMEOUT_S)

    async def _claim(self, taken: Waiting) -> str:
        """Have a container that waits become the machine; "" where it did not come to that."""
        self._new_container = taken.id
        self._tell("files")
        try:
            return await claim_machine(
                self._docker,
                taken,
                hub_id=self._shop.site.hub_id,
                name=str(self._arguments["name"]),
                image=self._lesson.image,
                home=self._lesson.user.home,
                limits=limits_of(self._arguments),
                pack_starter=self._pack_starter,
                message=self._message,
                until_listening=partial(self._claimed_listens, taken),
            )
        except (ClaimFailed, SpawnException, *DockerTrouble) as exc:
            if isinstance(exc, SpawnException) and exc.reason != ENDED:
                raise
            self._shop.log.warning("%s starts cold: %s", self._arguments["name"], exc)
            await self.clean_up()
            self._new_container = ""
            return ""
        finally:
            self._shop.pool.forget(taken)

    async def _claimed_listens(self, taken: Waiting) -> str:
        self._tell("server")
        return await self._until_listening(taken.id, taken.address)

    async def _create(self) -> str:
        """Make the container with the starter in it and give its id."""
        self._tell("create")
        site, arguments = self._shop.site, self._arguments
        try:
            if site.counts_image and site.holds_quota:
                image = await self._docker.call("inspect_image", self._lesson.image)
                arguments = add_room_for_image(arguments, image["Size"])
            made = await self._docker.call("create_container", **arguments)
        except ImageNotFound as exc:
            self._shop.log.error("No image %s: %s", self._lesson.image, exc)
            raise refuse(
                f"The image '{self._lesson.image}' of this lesson is not on this computer yet. "
                "Whoever runs HexHub can make it with: make images",
                "image",
                503,
            ) from exc
        container_id: str = made["Id"]
        self._new_container = container_id
        pass_point("start.created")
        self._tell("files")
        archive = await self._docker.run(self._pack_starter)
        await self._docker.call("put_archive", container_id, str(self._lesson.user.home), archive)
        return container_id

    def _pack_starter(self) -> bytes:
        folder = self._shop.catalog.folder(self._course.name, self._course.version)
        starter = starter_overlay(folder, self._lesson)
        return starter_archive(starter, self._lesson.user, modified_s=int(time.time()))

    async def _until_listening(self, container_id: str, address: str = "") -> str:
        return await until_listening(
            self._docker,
            container_id,
            memory_bytes=self._lesson.limits.memory_bytes,
            timeout_s=self._shop.ready_timeout_s,
            log=self._shop.log,
            address=address,
        )


async def clean_up(
    docker: DockerThreads, name: str, new_container: str, log: logging.Logger
) -> None:
    """Remove a new container, or else stop the machine of that name.

    Args:
        docker: Where it is.
        name: Of the machine.
        new_container: Id of a container that is nobody's machine yet, or empty.
        log: Is told where Docker does not do it; the next start finds the container by its name
            and puts things right.
    """
    try:
        if new_container:
            await docker.call("remove_container", new_container, v=True, force=True)
        else:
            await docker.call("stop", name, timeout=STOP_TIMEOUT_S)
    except NotFound:
        pass
    except DockerTrouble as exc:
        log.warning("Could not clean up %s: %s", name, exc)
