"""Which lesson a server stands for, and whether this student may open it.

Every refusal is a sentence for the student; nothing here asks Docker.
"""

from collections.abc import Collection, Mapping
from typing import Any

from hexhub.catalog.model import Course, Lesson, Network
from hexhub.catalog.published import PublishedCatalog
from hexhub.errors import HexHubError
from spawner.refusals import refuse


def refuse_options(options: Mapping[str, Any]) -> None:
    """Refuse whatever a student sends along with a start.

    Raises:
        SpawnException: There is anything.
    """
    if options:
        unknown = ", ".join(sorted(map(str, options)))
        raise refuse(
            f"A lesson's server takes no options; got: {unknown}. "
            "Image, files and limits come from the lesson.",
            "options",
            400,
        )


def admit(
    catalog: PublishedCatalog, server: str, groups: Collection[str], *, can_isolate: bool
) -> tuple[Course, Lesson]:
    """Give the lesson of a server, if this student may open it.

    Args:
        catalog: What is published.
        server: Name of the server.
        groups: JupyterHub groups of the student.
        can_isolate: Lessons without a network can be run.

    Raises:
        SpawnException: There is no such lesson, or it cannot be opened by this student or here.
    """
    if not server:
        raise refuse(
            "There is no server without a lesson. Choose a lesson in the catalogue.",
            "no-lesson",
            400,
        )
    try:
        found = catalog.at_server(server)
    except (HexHubError, OSError) as exc:
        raise refuse(
            "The courses cannot be read just now. The hub's log says why.", "catalog", 503
        ) from exc
    if found is None:
        raise refuse(
            f"No published lesson has the server '{server}'. Open the lesson from the "
            "catalogue; it may have been withdrawn.",
            "unknown-lesson",
            404,
        )
    course, lesson = found
    if not course.opens_for(frozenset(groups)):
        raise refuse(
            f"The course '{course.name}' is not open to your groups. Ask whoever runs it.",
            "access",
            403,
        )
    if lesson.network is Network.NONE and not can_isolate:
        raise refuse(
            "This lesson has no network, and such lessons need Docker on the computer of "
            "HexHub itself. Tell whoever runs it.",
            "no-gate",
            503,
        )
    return course, lesson
