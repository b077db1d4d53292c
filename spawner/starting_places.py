"""How many machines start at one time.

Design choices: a start is processor time, for most of it JupyterLab being loaded. When thirty begin
at once, all of them are ready in the same last moment, and the computer answers nobody meanwhile.
With a few at a time the first are ready at once, half of all in half the time, and the last no
later. A place is held until the server listens, or for some seconds, so that a machine or a Docker
that hangs delays others by no more than that. Machines that waited in the pool need no place. One
student has one place at a time: who breaks the machines of several lessons, so that none of them
ever listens, would else hold all places, again and again.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

PLACES = 2 * (os.cpu_count() or 1)
LONGEST_S = 8.0
"""For which a place is held; starts take 2 s, and as many times that as share a processor."""


class StartingPlaces:
    """Places for starts, given in the order in which they are asked for; for one event loop.

    Attributes:
        longest_s: For places that are given from now on.
    """

    def __init__(self, count: int = PLACES, longest_s: float = LONGEST_S) -> None:
        """Begin with all of them free.

        Args:
            count: Of places.
            longest_s: Seconds after which a place is given to the next, used or not.
        """
        self._free = asyncio.Semaphore(count)
        self._own: dict[str, asyncio.Semaphore] = {}
        self.longest_s = longest_s

    @asynccontextmanager
    async def place(self, student: str, wait: Callable[[], None]) -> AsyncIterator[None]:
        """Hold a place.

        Args:
            student: Who has one place at a time.
            wait: Called where there is none free, before one is waited for.
        """
        own = self._own.setdefault(student, asyncio.Semaphore(1))
        if own.locked() or self._free.locked():
            wait()
        await own.acquire()
        try:
            await self._free.acquire()
        except BaseException:
            own.release()
            raise
        is_held = True

        def give_back() -> None:
            nonlocal is_held
            if is_held:
                is_held = False
                self._free.release()
                own.release()

        timer = asyncio.get_running_loop().call_later(self.longest_s, give_back)
        try:
            yield
        finally:
            timer.cancel()
            give_back()
