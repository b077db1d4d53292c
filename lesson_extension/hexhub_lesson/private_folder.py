"""A folder in ``/tmp`` that nobody but its owner can enter: for the socket and Jupyter's run files.

The ``lesson`` command passes through here and is to be quick: nothing is imported but ``os``.
"""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SOCKET_NAME = "lesson.sock"
SOCKET_VARIABLE = "HEXHUB_LESSON_SOCKET"


class FolderUnsafe(Exception):
    """The folder's place is taken by something that is not ours alone."""


def private_folder(uid: int) -> str:
    """Name the private folder of a user. Not in the home folder: students lock and delete that."""
    return f"/tmp/.hexhub-{uid}"  # noqa: S108 - made safely by make_private_folder


def socket_path(uid: int) -> str:
    """Name the unix socket of a user's lesson server; ``HEXHUB_LESSON_SOCKET`` overrides it."""
    return os.environ.get(SOCKET_VARIABLE) or f"{private_folder(uid)}/{SOCKET_NAME}"


def make_private_folder(folder: "Path") -> None:
    """Make ``folder`` with mode 0700, or make sure that the one there is this user's alone.

    Raises:
        FolderUnsafe: Something else is there: a link, a file, or a folder of another user. Anybody
            may put things into ``/tmp``, so that what is found there cannot be trusted.
        OSError: It cannot be made.
    """
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        is_ours = folder.is_dir() and not folder.is_symlink()
        if not is_ours or folder.stat().st_uid != os.getuid():
            raise FolderUnsafe(
                f"{folder} is not a folder of user id {os.getuid()}. Remove it and start again."
            ) from None
    folder.chmod(0o700)
