"""Lessons that ask for more between a machine and the kernel than a container: it is there, or not.

Never is something weaker put in its place.
"""

from collections.abc import Awaitable, Callable, Mapping
from logging import Logger
from typing import Any

from hexhub.catalog.model import Isolation, Lesson
from hexhub.errors import RuntimeMissing
from hexhub.runtimes import choose_runtime
from spawner.refusals import refuse


async def expect_runtime(
    lesson: Lesson,
    container: Mapping[str, Any] | None,
    *,
    ask_info: Callable[[], Awaitable[Mapping[str, Any]]],
    runtimes: Mapping[Isolation, str],
    log: Logger,
) -> None:
    """Pass where Docker has the lesson's runtime, and the machine that is there was made with it.

    Args:
        lesson: What is to be opened.
        container: The student's machine as Docker has it; None where it is to be made.
        ask_info: Gives Docker's ``/info``; asked only where the lesson needs a runtime.
        runtimes: Docker's runtime for each isolation.
        log: Of the hub, for who runs it.

    Raises:
        SpawnException: It is not there, or the machine was made with another one.
    """
    if lesson.isolation is Isolation.CONTAINER:
        return
    info = await ask_info()
    try:
        wanted = choose_runtime(lesson.isolation, runtimes, info.get("Runtimes") or {})
    except RuntimeMissing as exc:
        log.error("Lesson %s: %s", lesson.name, exc)
        raise refuse(
            "This lesson needs a machine with stronger walls than this computer can make. "
            "Whoever runs HexHub finds in the hub's log what lacks.",
            "runtime",
            503,
        ) from exc
    made_with = container["HostConfig"].get("Runtime", "") if container else wanted
    if made_with == wanted:
        return
    log.error(
        "A machine of lesson %s was made with the runtime %s; the lesson asks for %s now",
        lesson.name,
        made_with or "of Docker's choice",
        wanted,
    )
    raise refuse(
        "This lesson now needs a machine with stronger walls than yours was made with. Your "
        "files are kept in the old one; a reset makes a new one.",
        "runtime",
        409,
    )
