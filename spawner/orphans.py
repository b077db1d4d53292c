"""What a hub that was killed leaves behind, and the next one puts right.

JupyterHub stores a server before its start, its address after it, and forgets the token of one
that was started by a hub before it. So there may be containers without a server, and tokens
without one. A machine that nobody knows of is stopped, not removed: it is a student's. One that
was never started is removed, since the next start would make it anew anyway.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hexhub.names import is_nobodys

_NOTE = "Server at "
"""With which JupyterHub begins the note of a server's token (jupyterhub ``user.py``, ``spawn``)."""


@dataclass(frozen=True)
class Orphan:
    """A container of ours that no server of JupyterHub stands for.

    Attributes:
        name: Of the container.
        is_whole: It is a student's machine, to be stopped; else it is to be removed.
    """

    name: str
    is_whole: bool


def find_orphans(listed: Iterable[Mapping[str, Any]], serving: Collection[str]) -> list[Orphan]:
    """Give the containers to be stopped or removed; those that wait are the pool's business.

    Args:
        listed: Students' containers of this hub, as Docker's list gives them.
        serving: Names of the machines whose server runs or starts.
    """
    orphans = []
    for each in listed:
        name = str(next(iter(each.get("Names") or ["/"])))[1:]
        state = each.get("State")
        if is_nobodys(name) or name in serving or state in ("exited", "dead", "removing"):
            continue
        orphans.append(Orphan(name, is_whole=state != "created"))
    return orphans


@dataclass(frozen=True)
class ServerToken:
    """A token of JupyterHub, as far as it matters here.

    Attributes:
        id: Of its row.
        user: Whose it is.
        note: That JupyterHub wrote to it, or a person to their own.
        created: When it was made; without a time zone.
    """

    id: int
    user: str
    note: str
    created: datetime


def find_stray_tokens(
    tokens: Iterable[ServerToken], servers: Collection[tuple[str, str]]
) -> list[int]:
    """Give the ids of servers' tokens that no server uses any more.

    Who writes such a note to a token of their own harms their own server at most.

    Args:
        tokens: All tokens of users; those with other notes are left alone.
        servers: User and base URL of those that run or start, such as ``/user/ada/web-1f2e3d4c/``.
    """
    newest: dict[tuple[str, str], ServerToken] = {}
    stray = []
    for token in sorted(tokens, key=lambda t: (t.created, t.id)):
        if not token.note.startswith(_NOTE):
            continue
        server = (token.user, token.note.removeprefix(_NOTE))
        if server not in servers:
            stray.append(token.id)
            continue
        if server in newest:
            stray.append(newest[server].id)
        newest[server] = token
    return sorted(stray)
