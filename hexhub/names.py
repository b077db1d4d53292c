"""The names of courses, lessons, steps and servers, and the one rule that makes them.

Design choices: JupyterHub 6 allows a server name of 1 to 30 characters of ``[a-z0-9-]`` that starts
with a letter and has neither ``--`` nor a trailing ``-`` (jupyterhub ``slugs.is_valid_safe_slug``).
Joining course and lesson by a dash would be ambiguous (``a-b`` + ``c`` and ``a`` + ``b-c``) and can
be too long, so that a server's name is always the lesson's name, cut, and a hash of both. The title
that people read goes into the server's ``display_name``.
"""

import hashlib
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
