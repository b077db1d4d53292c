"""A student begins a lesson's machine afresh."""

import asyncio

from hexhub.catalog.model import Locale
from hexhub.catalog.published import PublishedCatalog
from hexhub.errors import AccessDenied
from hexhub.hub_api import HubApi, Replacement, ServerStatus
from hexhub.progress.model import Place
from hexhub.progress.store import Store
from hexhub.usecases.start_lesson import start_lesson


async def reset_machine(
    store: Store,
    catalog: PublishedCatalog,
    hub: HubApi,
    place: Place,
    *,
    groups: frozenset[str],
    locale: Locale,
) -> ServerStatus:
    """Put the lesson's machine aside and start a new one; progress stays as it is.

    The machine of before can be had back with :func:`hexhub.usecases.undo_reset.undo_reset`.

    Args:
        groups: JupyterHub's groups of the user.
        locale: Language of the server's display name.

    Raises:
        CourseNotFound: No such course is published.
        LessonNotFound: The course has no such lesson.
        AccessDenied: The course is not open to these groups.
        StoreError: The database refuses.
    """
    course = await asyncio.to_thread(catalog.course, place.course)
    lesson = course.lesson(place.lesson)
    if not course.opens_for(groups):
        raise AccessDenied(f"Course '{course.name}' is not open to your groups.")
    await asyncio.to_thread(start_lesson, store, catalog, place)
    return await hub.replace_machine(
        place.user, lesson.server_name, lesson.title.in_locale(locale), Replacement.NEW
    )
