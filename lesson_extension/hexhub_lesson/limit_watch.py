"""Says in the terminals which limit of the machine was met.

A shell says no more than "Killed", a program in the background nothing at all, and "Resource
temporarily unavailable" or "Disk quota exceeded" name no limit. This process runs already where no
other can be started any more, and its telling needs no disk.
"""

import asyncio
import itertools
import time
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from typing import Any

from hexhub_lesson.limits import Limits, disk_limit_bytes, is_disk_full, read_limits
from hexhub_lesson.terminals import tell_terminals

LOOK_EVERY_S = 3.0
LOOKS_PER_DISK_LOOK = 4
"""The disk is looked at less often, since to try it is work for it."""
TELL_EVERY_S = 30.0
"""Least time between two sentences of a kind: a program may meet a limit a thousand times."""
_MIB = 1024**2

_SAYS = {
    "en": {
        "memory": "A program of yours was ended: this machine's memory was used up{limit}.",
        "processes": (
            "No more programs can be started: this machine has as many processes as it may{limit}. "
            "End some, or stop the machine and start it again."
        ),
        "disk": (
            "Nothing more can be written: this machine's disk is full{limit}. "
            "Delete what you do not need."
        ),
        "unit": "MB",
    },
    "ru": {
        "memory": "Одна из ваших программ завершена: память этой машины была исчерпана{limit}.",
        "processes": (
            "Новые программы не запустить: процессов у этой машины столько, сколько можно{limit}. "
            "Завершите лишние или остановите машину и запустите её снова."
        ),
        "disk": (
            "Больше ничего не записать: диск этой машины заполнен{limit}. "
            "Удалите то, что вам не нужно."
        ),
        "unit": "МБ",
    },
}


class LimitWatch:
    """Follows how often limits were met."""

    def __init__(
        self,
        settings: MutableMapping[str, Any],
        language: Callable[[], str],
        *,
        read: Callable[[], Limits] = read_limits,
        is_full: Callable[[], bool] = is_disk_full,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what it needs of the server.

        Args:
            settings: Of the server's web application.
            language: Gives the student's language, such as ``ru``.
            read: Gives the machine's limits; what they count now is not told of.
            is_full: Tells whether the disk is full; called in a thread, as a disk may be slow.
            clock: Gives seconds.
        """
        self._settings = settings
        self._language = language
        self._read = read
        self._is_full = is_full
        self._clock = clock
        self._last = read()
        self._told_at_s: dict[str, float] = {}
        self._disk_was_full = False

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        for number in itertools.count(1):
            await asyncio.sleep(LOOK_EVERY_S)
            self.look()
            if number % LOOKS_PER_DISK_LOOK:
                continue
            # Where the limit of processes is met, there is no thread to be had either.
            with suppress(RuntimeError):
                self.look_at_disk(is_full=await asyncio.to_thread(self._is_full))

    def look(self) -> None:
        """Tell of memory and processes that were wanting since that was last told."""
        limits, last = self._read(), self._last
        kills, refused = last.oom_kills, last.refused_processes
        if limits.oom_kills > kills and self._may_tell("memory"):
            self._tell("memory", limits.memory_bytes)
            kills = limits.oom_kills
        if limits.refused_processes > refused and self._may_tell("processes"):
            self._tell("processes", limits.processes, is_bytes=False)
            refused = limits.refused_processes
        self._last = Limits(oom_kills=kills, refused_processes=refused)

    def look_at_disk(self, *, is_full: bool) -> None:
        """Tell of a disk that has become full."""
        if is_full and not self._disk_was_full:
            self._tell("disk", disk_limit_bytes())
        self._disk_was_full = is_full

    def _may_tell(self, what: str) -> bool:
        now = self._clock()
        if now - self._told_at_s.get(what, float("-inf")) < TELL_EVERY_S:
            return False
        self._told_at_s[what] = now
        return True

    def _tell(self, what: str, limit: int | None, *, is_bytes: bool = True) -> None:
        says = _SAYS.get(self._language().split("-")[0], _SAYS["en"])
        text = ""
        if limit is not None:
            text = f" ({limit // _MIB} {says['unit']})" if is_bytes else f" ({limit})"
        tell_terminals(self._settings, says[what].format(limit=text))
