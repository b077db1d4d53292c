"""Who speaks: a person with all their lessons, or one machine with one lesson.

Design choices: a student's machine has a token that the student can read, so that whatever holds
it may do no more than the lesson's own panel (DESIGN §3). JupyterHub puts the server into the
token's scopes (``access:servers!server=ada/web-server-1f2e3d4c``), so that the token itself names
student and lesson. A token that names a server of its owner is therefore bound to that server,
whatever other scopes it has.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hexhub.catalog.model import Course, Lesson
from hexhub.errors import AccessDenied, LoginRequired
from hexhub.names import ServerName, UserName

SERVICE_SCOPES = frozenset({"access:services", "access:services!service=hexhub"})
"""Either of them lets a person use the pages and the whole API."""
_SERVER_SCOPE = "access:servers!server="


@dataclass(frozen=True)
class Identity:
    """Who speaks.

    Attributes:
        user: JupyterHub's user name.
        groups: JupyterHub's groups of the user.
        servers: The servers that the token is bound to; None for a person.
    """

    user: UserName
    groups: frozenset[str] = field(default_factory=frozenset)
    servers: frozenset[ServerName] | None = None

    def check_person(self) -> None:
        """Pass a person, not a machine.

        Raises:
            AccessDenied: It is the token of a machine.
        """
        if self.servers is not None:
            raise AccessDenied("This token speaks for one lesson only.")

    def check_machine(self) -> None:
        """Pass a machine, not a person.

        Raises:
            AccessDenied: It is not the token of a machine.
        """
        if self.servers is None:
            raise AccessDenied("Only a lesson's own machine reports what happens in it.")

    def check_course(self, course: Course) -> None:
        """Pass whoever may open the course.

        Raises:
            AccessDenied: None of the user's groups opens it.
        """
        if not course.opens_for(self.groups):
            raise AccessDenied(
                f"Course '{course.name}' is open to certain groups, and none of them is yours. "
                "Ask who runs this HexHub."
            )

    def check_lesson(self, course: Course, lesson: Lesson) -> None:
        """Pass whoever may work in the lesson.

        Raises:
            AccessDenied: The course is not open, or it is the token of another lesson's machine.
        """
        if self.servers is not None and lesson.server_name not in self.servers:
            raise AccessDenied("This token speaks for another lesson.")
        self.check_course(course)


def identity_of(model: Mapping[str, Any] | None, *, has_token: bool) -> Identity:
    """Make an identity of what JupyterHub says (``GET /hub/api/user``).

    Args:
        model: JupyterHub's model of user or service; None where it knows nobody.
        has_token: True where the request carried a token in its header; False for a cookie.

    Raises:
        LoginRequired: JupyterHub knows nobody.
        AccessDenied: It is not a user, or neither scope is there.
    """
    if model is None:
        raise LoginRequired("Nobody is logged in, or the token is unknown. Log in again.")
    if model.get("kind", "user") != "user":
        raise AccessDenied("Only users and their machines may use this.")
    user = UserName(str(model["name"]))
    groups = frozenset(str(group) for group in model.get("groups") or ())
    scopes = frozenset(str(scope) for scope in model.get("scopes") or ())
    if has_token:
        own = f"{_SERVER_SCOPE}{user}/"
        bound = frozenset(
            ServerName(scope.removeprefix(own)) for scope in scopes if scope.startswith(own)
        )
        if bound:
            return Identity(user, groups, bound)
    if not scopes & SERVICE_SCOPES:
        raise AccessDenied("This token does not open HexHub (scope 'access:services').")
    return Identity(user, groups)
