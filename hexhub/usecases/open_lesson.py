"""A student opens a lesson's machine."""

import asyncio

from hexhub.catalog.model import Locale
from hexhub.catalog.published import PublishedCatalog
from hexhub.errors import AccessDenied
from hexhub.hub_api import HubApi, ServerStatus
from hexhub.progress.model import Place
from hexhub.progress.store import Store
from hexhub.usecases.start_lesson import start_lesson


async def open_lesson(
    store: Store,
    catalog: PublishedCatalog,
    hub: HubApi,
    place: Place,
    *,
    groups: frozenset[str],
    locale: Locale,
) -> ServerStatus:
    """Start the lesson's server and give where it is; opening it twice is no fault.

    The spawner refuses once more whom the course is not open to: a student can reach JupyterHub
    without us.

    Args:
        groups: JupyterHub's groups of the user.
        locale: Language of the server's display name.

    Raises:
        CourseNotFound: No such course is published.
        LessonNotFound: The course has no such lesson.
        AccessDenied: The course is not open to these groups.
        StoreError: The database refuses.
        HubUnreachable: JupyterHub does not answer.
    """
    course = await asyncio.to_thread(catalog.course, place.course)
    lesson = course.lesson(place.lesson)
    if not course.opens_for(groups):
        raise AccessDenied(f"Course '{course.name}' is not open to your groups.")
    await asyncio.to_thread(start_lesson, store, catalog, place)
    return await hub.start_server(place.user, lesson.server_name, lesson.title.in_locale(locale))
