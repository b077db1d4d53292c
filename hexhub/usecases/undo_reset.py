"""A student takes the machine back that a reset has put aside."""

import asyncio

from hexhub.catalog.model import Locale
from hexhub.catalog.published import PublishedCatalog
from hexhub.errors import AccessDenied, NothingToUndo
from hexhub.hub_api import HubApi, Replacement, ServerStatus
from hexhub.progress.model import Place


async def undo_reset(
    catalog: PublishedCatalog,
    hub: HubApi,
    place: Place,
    *,
    groups: frozenset[str],
    locale: Locale,
) -> ServerStatus:
    """Put the machine from before the last reset back and start it; the one of now is removed.

    Args:
        groups: JupyterHub's groups of the user.
        locale: Language of the server's display name.

    Raises:
        CourseNotFound: No such course is published.
        LessonNotFound: The course has no such lesson.
        AccessDenied: The course is not open to these groups.
        NothingToUndo: There was no reset, it was undone, or it is too long ago.
        HubUnreachable: JupyterHub does not answer.
    """
    course = await asyncio.to_thread(catalog.course, place.course)
    lesson = course.lesson(place.lesson)
    if not course.opens_for(groups):
        raise AccessDenied(f"Course '{course.name}' is not open to your groups.")
    facts = await hub.machine_facts(place.user, lesson.server_name)
    if facts.undo_until is None:
        raise NothingToUndo(
            "There is no earlier machine to go back to: no reset was made, it was undone already, "
            "or it is longer than 7 days ago."
        )
    return await hub.replace_machine(
        place.user, lesson.server_name, lesson.title.in_locale(locale), Replacement.EARLIER
    )
