"""Says in the terminals that the kernel has ended a program for want of memory.

A shell says no more than "Killed", and a program in the background nothing at all.
"""

import asyncio
from collections.abc import Callable, MutableMapping
from typing import Any

from hexhub_lesson.memory import Memory, read_memory
from hexhub_lesson.terminals import tell_terminals

LOOK_EVERY_S = 3.0

_SAYS = {
    "en": "A program of yours was ended: this machine's memory was used up{limit}.",
    "ru": "Одна из ваших программ завершена: память этой машины была исчерпана{limit}.",
}


class MemoryWatch:
    """Follows how often memory was short."""

    def __init__(
        self,
        settings: MutableMapping[str, Any],
        language: Callable[[], str],
        read: Callable[[], Memory | None] = read_memory,
    ) -> None:
        """Take what it needs of the server.

        Args:
            settings: Of the server's web application.
            language: Gives the student's language, such as ``ru``.
            read: Gives the machine's memory; what it counts now is not told of.
        """
        self._settings = settings
        self._language = language
        self._read = read
        memory = read()
        self._kills = memory.oom_kills if memory else 0

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.look()

    def look(self) -> None:
        """Tell of programs that were ended since the last look."""
        memory = self._read()
        if memory is None or memory.oom_kills <= self._kills:
            return
        self._kills = memory.oom_kills
        limit = "" if memory.limit_bytes is None else f" ({memory.limit_bytes // 1024**2} MB)"
        say = _SAYS.get(self._language().split("-")[0], _SAYS["en"])
        tell_terminals(self._settings, say.format(limit=limit))
