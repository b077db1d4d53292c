"""The names of courses, lessons, steps and servers, and the one rule that makes them.

Design choices: JupyterHub 6 allows a server name of 1 to 30 characters of ``[a-z0-9-]`` that starts
with a letter and has neither ``--`` nor a trailing ``-`` (jupyterhub ``slugs.is_valid_safe_slug``).
Joining course and lesson by a dash would be ambiguous (``a-b`` + ``c`` and ``a`` + ``b-c``) and can
be too long, so that a server's name is always the lesson's name, cut, and a hash of both. The title
that people read goes into the server's ``display_name``.

A machine is the container of one student in one lesson. It is found by its name alone, which is
made of the hub's id, the student and the server: Docker cannot change the labels of a container, so
that those of one that was made before its student was known can say nothing of them. The names of
containers that wait for a student hold dots, which no machine's name does.

No name says anything to who may not know it: Docker's name server, which every machine can ask,
tells the names of all containers on its network, address by address, and cannot be switched off.
"""

import hashlib
import hmac
import re
from typing import NewType

CourseName = NewType("CourseName", str)
LessonName = NewType("LessonName", str)
StepName = NewType("StepName", str)
TestId = NewType("TestId", str)
UserName = NewType("UserName", str)
ServerName = NewType("ServerName", str)
Version = NewType("Version", str)
"""A course version: the first 12 hex digits of the SHA-256 of the course's files."""

MAX_NAME_LENGTH = 40
SERVER_NAME_LENGTH = 30
_HASH_LENGTH = 8
_MACHINE_HASH_LENGTH = 32
"""128 bits: who chooses a user name cannot find one that gives another student's machine."""
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def is_name(text: str) -> bool:
    """Tell whether ``text`` may name a course, a lesson or a step.

    Lower-case ASCII letters, digits and single dashes, a letter first, 40 characters at most.
    """
    return len(text) <= MAX_NAME_LENGTH and _NAME.fullmatch(text) is not None


def make_server_name(course: CourseName, lesson: LessonName) -> ServerName:
    """Make the JupyterHub server name of a lesson: its name, cut, and 8 hex digits of a hash.

    Source: jupyterhub ``slugs.is_valid_safe_slug`` (30 characters at most, no double dash).
    """
    digest = hashlib.sha256(f"{course}/{lesson}".encode()).hexdigest()[:_HASH_LENGTH]
    head = lesson[: SERVER_NAME_LENGTH - _HASH_LENGTH - 1].rstrip("-")
    return ServerName(f"{head}-{digest}")


def machine_name(hub_id: str, user: str, server_name: str) -> str:
    """Make the name of a student's container, which is never the same for two machines.

    It is a hash with the hub's id as its key, so that other students, who see it, can neither read
    nor guess whose machine it is; ``hexhub machines list`` says it. A NUL byte stands between both
    names, since neither can hold one.

    Args:
        hub_id: Of this HexHub; its first six characters can be read.
        user: Any JupyterHub user name.
        server_name: Made by :func:`make_server_name`.
    """
    text = f"{user}\0{server_name}".encode()
    digest = hmac.new(hub_id.encode(), text, hashlib.sha256).hexdigest()
    return f"hexhub-{hub_id[:6]}-{digest[:_MACHINE_HASH_LENGTH]}"


def waiting_name(hub_id: str, number: str) -> str:
    """Make the name of a container that waits for a student; ``number`` tells them apart."""
    return f"hexhub-{hub_id[:6]}.waiting.{number}"


def claimed_name(hub_id: str, number: str) -> str:
    """Make the name that a waiting container has while it becomes a student's machine."""
    return f"hexhub-{hub_id[:6]}.claimed.{number}"


def is_nobodys(container_name: str) -> bool:
    """Tell whether a container of ours waits for a student, or was on its way to one."""
    return ".waiting." in container_name or ".claimed." in container_name
