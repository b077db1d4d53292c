"""The machine of the next lesson starts while the student reads that this one is finished."""

import asyncio
from datetime import timedelta

from hexhub.catalog.model import Locale
from hexhub.catalog.published import PublishedCatalog
from hexhub.hub_api import HubApi
from hexhub.progress.model import Attempt
from hexhub.progress.store import Store

FRESH = timedelta(seconds=30)
"""Results older than this start nothing: somebody looks at an old one."""


async def start_next_lesson(
    store: Store,
    catalog: PublishedCatalog,
    hub: HubApi,
    attempt: Attempt,
    *,
    groups: frozenset[str],
    locale: Locale,
) -> bool:
    """Start the next lesson's server where this attempt has just finished its lesson.

    The lesson does not count as started by this: only opening it does that.

    Args:
        attempt: Of the student who asked for it.
        groups: JupyterHub's groups of the user.
        locale: Language of the server's display name.

    Returns:
        True where the start was asked for.

    Raises:
        CourseNotFound: The course is not published any more.
        StoreError: The database refuses.
        HubUnreachable: JupyterHub does not answer.
    """
    place = attempt.place
    if attempt.finished_at is None or attempt.outcome is None or not attempt.outcome.is_pass:
        return False
    if await asyncio.to_thread(store.now) - attempt.finished_at > FRESH:
        return False
    progress = await asyncio.to_thread(store.progress, place)
    course = await asyncio.to_thread(catalog.course, place.course)
    following = course.after(place.lesson)
    is_finished = progress is not None and progress.finished_at is not None
    if not is_finished or following is None or not course.opens_for(groups):
        return False
    await hub.start_server(place.user, following.server_name, following.title.in_locale(locale))
    return True
