"""The warm pool: containers that wait for a student, so that a lesson opens at once.

Of the two seconds that a cold start takes, nearly all goes into Docker making and starting a
container and Python loading JupyterLab in it. A container of this pool has that behind it
(``hexhub_lesson.entrypoint``) and waits for the line that makes it a student's server.

Design choices:

- Docker is the only memory. Every look lists the containers that wait, so that a hub that was
  started anew finds what the one before has made, and what it left half-way.
- One that is taken leaves the pool in the same step of the event loop, is renamed before anything
  is told to it, and never comes back (``spawner.claim``).
- The pool delays nobody. Taking waits for nothing; making and removing is done by one task, one
  container at a time, in quiet moments as long as there are any (``spawner.refilling``), with a
  small share of the processor. An empty pool means a cold start.
- Of two hubs of the same catalog only one has a pool: it holds a lock that the kernel takes away
  from whoever dies.
- How many wait follows demand (``spawner.pool_plan``); memory that is stated is the bound.
"""

import asyncio
import contextlib
import fcntl
import os
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from docker.errors import NotFound
from jupyterhub.traitlets import ByteSpecification
from traitlets import Dict, Float, Integer
from traitlets.config import LoggingConfigurable

from hexhub.catalog.model import Isolation
from hexhub.catalog.published import PublishedCatalog
from hexhub.errors import HexHubError
from hexhub.link_local import drop_link_local
from hexhub.memory import has_free_memory, read_held
from spawner.container import add_room_for_image, address_of
from spawner.docker_threads import DockerThreads, DockerTrouble
from spawner.machine_site import MachineSite
from spawner.pool_plan import (
    CPU_SHARES,
    Demand,
    Shape,
    Waiting,
    limits_of,
    next_missing,
    read_waiting,
    shape_of,
    unfit,
    waiting_arguments,
    wanted_counts,
)
from spawner.refilling import Refilling

_MIB = 1024**2
_GUESSED_BYTES = 60 * _MIB
"""Of one container that waits, before any was measured: those of the shipped images hold 50 to 51
MiB as :func:`hexhub.memory.read_held` counts (the pool logs it of each), 56 once they are opened
(docs/benchmarks.md)."""
_READY_POLL_S = 0.25
_FIRST_LOOK_S = 5.0
_TINY = 1e-6
_READY_S = 60.0
_READY_WORDS = b"waiting for a student"
_REFUSED_PAUSE_S = 30.0


class MachinePool(LoggingConfigurable):
    """Containers that wait for students of one hub."""

    memory = ByteSpecification(
        "1G",
        config=True,
        help="The most memory that waiting containers hold together; 0 means no pool.",
    )
    least = Integer(
        1, config=True, help="How many wait for each kind of lesson that nobody opened lately."
    )
    most = Integer(8, config=True, help="How many wait at most for one kind of lesson.")
    least_of = Dict(
        value_trait=Integer(min=0),
        config=True,
        help='Image → how many wait at least for each kind of its lessons: {"hexhub/web": 3}.',
    )
    half_life_s = Float(
        600.0, config=True, help="After so many seconds an opened lesson counts half as demand."
    )
    max_age_s = Float(6 * 3600.0, config=True, help="A container that waited so long is replaced.")
    quiet_s = Float(
        0.5, config=True, help="Seconds after the last start before a container is made."
    )
    patience_s = Float(
        3.0,
        config=True,
        help="While starts follow each other, one is made each so many seconds all the same.",
    )
    look_s = Float(10.0, config=True, help="Seconds between two looks at what waits.")
    busy_load = Float(
        2.0, config=True, help="With more load than this on each processor, none is made."
    )
    free_memory = ByteSpecification(
        "1G", config=True, help="With less memory available on the hub's computer, none is made."
    )

    def __init__(
        self,
        docker: DockerThreads,
        site: MachineSite,
        catalog: PublishedCatalog,
        catalog_folder: Path,
        **kwargs: Any,
    ) -> None:
        """Prepare; nothing is made before :meth:`start`.

        Args:
            docker: Where containers are made.
            site: Of the hub.
            catalog: Its lessons are who is waited for.
            catalog_folder: Where the catalog is; is locked by the hub that has the pool.
            **kwargs: Of traitlets.
        """
        super().__init__(**kwargs)
        self._docker = docker
        self._site = site
        self._catalog = catalog
        self._folder = catalog_folder
        self._demand = Demand(self.half_life_s)
        self._waiting: dict[str, Waiting] = {}
        self._spent: list[Waiting] = []
        self._taken: set[str] = set()
        self._claims: set[str] = set()
        self._latest: dict[Shape, dict[str, Any]] = {}
        self._refilling = Refilling(self.quiet_s, self.patience_s)
        self._refused_until_s: dict[Shape, float] = {}
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._lock: int | None = None

    # --- for those who start a machine ------------------------------------------------------------

    def take(self, arguments: dict[str, Any]) -> Waiting | None:
        """Give a container that can become this machine; None where there is none.

        It belongs to the caller from now on, who tells :meth:`forget` when it is a student's
        machine or is gone.

        Args:
            arguments: Of the student's machine, for ``create_container``.
        """
        if not self.memory:
            return None
        shape, now_s = shape_of(arguments), time.monotonic()
        self._demand.add(shape, now_s)
        self._refilling.note_taken(now_s)
        self._latest[shape] = arguments
        fitting = [w for w in self._waiting.values() if w.shape == shape]
        if not fitting:
            return None
        taken = min(fitting, key=lambda w: (not w.is_ready, w.made_at_s))
        del self._waiting[taken.number]
        self._claims.add(taken.number)
        self._taken.add(taken.number)
        return taken

    def forget(self, taken: Waiting) -> None:
        """Let go of a container that was taken."""
        self._claims.discard(taken.number)

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        """Note a start, which lasts as long as the block."""
        self._refilling.begin_start()
        try:
            yield
        finally:
            self._refilling.end_start(time.monotonic())
            self._news.set()

    # --- the task that makes and removes ----------------------------------------------------------

    async def begin(self) -> None:
        """Learn what waits already, and then look after the pool."""
        try:
            if self._has_lock():
                await asyncio.wait_for(self._look(), _FIRST_LOOK_S)
        except (TimeoutError, *DockerTrouble) as exc:
            self.log.warning("It is not known yet what machines wait: %s", exc)
        self.start()

    def start(self) -> None:
        """Begin to look after the pool; called again it does nothing."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._tend_for_ever())

    async def stop(self) -> None:
        """Stop looking after it; what waits stays, for the next hub."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def _tend_for_ever(self) -> None:
        is_refused = False
        while True:
            self._news.clear()
            try:
                pause_s = await self._tend()
                is_refused = False
            except (HexHubError, *DockerTrouble) as exc:
                if not is_refused:
                    self.log.warning("No machine is made ahead for now: %s", exc)
                is_refused, pause_s = True, self.look_s
            except Exception:  # outermost loop: without this task, all starts are cold for ever
                self.log.exception("Looking after the machines that wait failed.")
                pause_s = _REFUSED_PAUSE_S
            if pause_s > 0:
                # wait_for of Python 3.11 loses a cancellation that comes with the news.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await self._news.wait()

    async def _tend(self) -> float:
        """Look once, remove what is unfit, and make one container where one lacks.

        Returns:
            Seconds after which it is worth to look again, unless something happens before.
        """
        if not self._has_lock():
            return self.look_s
        pause_s = self._refilling.pause_s(time.monotonic(), self.look_s)
        if pause_s > 0:
            return pause_s
        await self._look()
        machines, lessons = await self._docker.run(self._lessons_by_shape)
        image_ids = await self._image_ids(machines)
        for each in [each for each in self._waiting.values() if each.is_ready]:
            if not each.memory_bytes:
                await self._measure(each)
        now_s = time.monotonic()
        # As long as nobody opens anything, shapes of many lessons come first.
        demand = {s: self._demand.of(s, now_s) + _TINY * lessons[s] for s in image_ids}
        wanted = wanted_counts(
            demand,
            least=self.least,
            most=self.most,
            room=self._room(),
            least_of={
                shape: self.least_of[image]
                for shape in demand
                if (image := machines[shape]["image"]) in self.least_of
            },
        )
        await self._remove_unfit(wanted, image_ids)
        have = Counter(w.shape for w in self._waiting.values())
        open_to = {s: n for s, n in wanted.items() if self._refused_until_s.get(s, now_s) <= now_s}
        missing = next_missing(open_to, have, demand)
        if missing is None:
            self._refilling.note_full()
            return self.look_s
        if not self._has_room():
            return self.look_s
        try:
            await self._make(missing, machines[missing])
        finally:
            self._refilling.note_made(time.monotonic())
        return 0.0

    def _has_lock(self) -> bool:
        """Tell whether this hub is the one that has the pool."""
        if self._lock is None:
            try:
                opened = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
            except OSError:
                return False  # nothing was ever published
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(opened)
                return False
            self._lock = opened
        return True

    async def _look(self) -> None:
        """Learn from Docker what waits."""
        labels = [f"hexhub.hub={self._site.hub_id}", "hexhub.kind=student"]
        listed = await self._docker.call("containers", all=True, filters={"label": labels})
        known = self._waiting
        self._waiting = {}
        self._spent = []
        for each in filter(None, map(read_waiting, listed)):
            if each.number in self._claims:
                continue
            if each.number in self._taken:
                # Not removed when its claim failed; or the list is older than the claim, and it is
                # a student's by now, under another name.
                self._spent.append(each)
                continue
            old = known.get(each.number)
            if old is not None:
                each.is_ready, each.memory_bytes = old.is_ready, old.memory_bytes
                each.limits = old.limits  # those of its label are what it was made with
            elif each.is_running:
                # A hub before this one has made it, long enough ago.
                each.is_ready = True
            self._waiting[each.number] = each

    def _lessons_by_shape(self) -> tuple[dict[Shape, dict[str, Any]], Counter[Shape]]:
        """Give the shapes of all published lessons: arguments of such a machine, and how many.

        The limits are those of the lesson that was opened last, else the largest.
        """
        largest: dict[Shape, dict[str, Any]] = {}
        lessons: Counter[Shape] = Counter()
        for course in self._catalog.courses() if self.memory else ():
            for lesson in course.lessons:
                if lesson.isolation is not Isolation.CONTAINER:
                    continue  # its runtime may not be there, and holds more memory
                arguments = self._site.arguments(lesson, "")
                shape = shape_of(arguments)
                lessons[shape] += 1
                other = largest.setdefault(shape, arguments)
                if limits_of(arguments)["Memory"] > limits_of(other)["Memory"]:
                    largest[shape] = arguments
        return {shape: self._latest.get(shape, largest[shape]) for shape in largest}, lessons

    async def _image_ids(self, machines: Mapping[Shape, Mapping[str, Any]]) -> dict[Shape, str]:
        """Give the id of each shape's image; shapes whose image is not there are left out."""
        ids: dict[str, str] = {}
        for image in {str(arguments["image"]) for arguments in machines.values()}:
            with contextlib.suppress(NotFound):
                ids[image] = str((await self._docker.call("inspect_image", image))["Id"])
        return {
            shape: ids[arguments["image"]]
            for shape, arguments in machines.items()
            if arguments["image"] in ids
        }

    async def _remove_unfit(self, wanted: Mapping[Shape, int], ids: Mapping[Shape, str]) -> None:
        reasons = unfit(
            self._waiting.values(),
            wanted=wanted,
            image_ids=ids,
            now_s=time.time(),
            max_age_s=self.max_age_s,
        )
        # Out of the pool first, so that nobody takes one that is being removed.
        leaving = [self._waiting.pop(number) for number in reasons]
        for each in leaving:
            self.log.info("Removing %s, which %s", each.name, reasons[each.number])
        for each in (*leaving, *self._spent):
            # By its name and not its id: a student's machine has another one.
            with contextlib.suppress(NotFound):
                await self._docker.call("remove_container", each.name, v=True, force=True)

    def _room(self) -> int:
        """Give how many containers the stated memory holds."""
        measured = [w.memory_bytes for w in self._waiting.values() if w.memory_bytes]
        return int(self.memory) // max(measured, default=_GUESSED_BYTES)

    def _has_room(self) -> bool:
        load = os.getloadavg()[0] / (os.cpu_count() or 1)
        return load < self.busy_load and has_free_memory(self.free_memory)

    async def _make(self, shape: Shape, arguments: dict[str, Any]) -> None:
        number = secrets.token_hex(6)
        waiting = waiting_arguments(arguments, self._site.hub_id, number)
        try:
            if self._site.counts_image and self._site.holds_quota:
                image = await self._docker.call("inspect_image", waiting["image"])
                waiting = add_room_for_image(waiting, image["Size"])
            made = await self._docker.call("create_container", **waiting)
            await self._docker.call("start", made["Id"])
            bridge = self._site.bridge(arguments)
            await self._docker.run(lambda: drop_link_local(bridge))
            inspected = await self._docker.call("inspect_container", made["Id"])
        except DockerTrouble:
            self._refused_until_s[shape] = time.monotonic() + _REFUSED_PAUSE_S
            with contextlib.suppress(*DockerTrouble):
                await self._docker.call("remove_container", waiting["name"], v=True, force=True)
            raise
        # Given away from now on: it is further than a machine that is not made yet.
        each = self._waiting[number] = Waiting(
            id=made["Id"],
            number=number,
            name=waiting["name"],
            shape=shape,
            limits=limits_of(waiting),
            image_id=inspected["Image"],
            address=address_of(inspected),
            made_at_s=time.time(),
            is_running=True,
        )
        await self._until_ready(each)

    async def _until_ready(self, each: Waiting) -> None:
        """Wait until a container has loaded all it can, is taken, or does not get there."""
        deadline_s = time.monotonic() + _READY_S
        while each.number in self._waiting and time.monotonic() < deadline_s:
            said = await self._docker.call("logs", each.name, tail=5)
            if _READY_WORDS in said:
                await self._measure(each)
                await self._lift(each)
                each.is_ready = True
                self.log.info("%s waits (%d MB)", each.name, each.memory_bytes // _MIB)
                return
            await asyncio.sleep(_READY_POLL_S)

    async def _lift(self, each: Waiting) -> None:
        """Give one that has loaded all it can a student's share, so that its claim need not.

        Nothing else is updated, since it may be claimed in this moment, with other limits.
        """
        with contextlib.suppress(*DockerTrouble):
            await self._docker.call("update_container", each.id, cpu_shares=CPU_SHARES)
            each.limits = {**each.limits, "CpuShares": CPU_SHARES}

    async def _measure(self, each: Waiting) -> None:
        """Learn how much memory one holds; one that is gone is left to the next look."""
        with contextlib.suppress(NotFound):
            stats = await self._docker.call("stats", each.id, stream=False, one_shot=True)
            each.memory_bytes = read_held(stats)
