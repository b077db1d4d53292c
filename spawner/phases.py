"""What is told while a machine starts, to as many pages as listen."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

PHASES = {
    "lesson": (5, "Finding your lesson"),
    "create": (15, "Making your machine"),
    "resume": (15, "Waking your machine; everything is as you left it"),
    "files": (30, "Laying in the files of the lesson"),
    "turn": (40, "Waiting for other machines that are starting"),
    "start": (45, "Starting the machine"),
    "server": (70, "Starting JupyterLab in it"),
    "ready": (95, "Opening the door"),
}
"""Phase → progress in percent, and a plain sentence."""


class Phases:
    """The phases that a start has come to; used on one event loop."""

    def __init__(self) -> None:
        """Begin with none."""
        self._reached: list[str] = []
        self._news = asyncio.Event()

    def forget(self) -> None:
        """Begin again: another start, or none."""
        self._reached = []

    def tell(self, phase: str) -> None:
        """Tell that a phase begins."""
        self._reached.append(phase)
        self._news.set()

    async def listen(self) -> AsyncIterator[dict[str, Any]]:
        """Give each phase once, in order, as it begins; ends with the last one.

        Beside JupyterHub's ``progress`` and ``message``, each event has the key of its ``phase``,
        by which pages can say it in another language.
        """
        told = 0
        while True:
            while told < len(self._reached):
                phase = self._reached[told]
                told += 1
                percent, message = PHASES[phase]
                yield {"progress": percent, "message": message, "phase": phase}
                if phase == "ready":
                    return
            # Nothing is awaited between the last look and these lines, so that no phase is missed,
            # however many pages listen.
            self._news.clear()
            await self._news.wait()
