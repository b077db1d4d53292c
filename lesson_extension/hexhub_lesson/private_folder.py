"""A folder in ``/tmp`` that nobody but its owner can enter: for the socket and Jupyter's run files.

Only the standard library, and no pathlib: the ``lesson`` command imports this, and is to be quick.
"""

import os
import stat

SOCKET_NAME = "lesson.sock"
SOCKET_VARIABLE = "HEXHUB_LESSON_SOCKET"


class FolderUnsafe(Exception):
    """The folder's place is taken by something that is not ours alone."""


def private_folder(uid: int) -> str:
    """Name the private folder of a user. Not in the home folder: students lock and delete that."""
    return f"/tmp/.hexhub-{uid}"  # noqa: S108 - made safely by make_private_folder


def socket_path(uid: int) -> str:
    """Name the unix socket of a user's lesson server; ``HEXHUB_LESSON_SOCKET`` overrides it."""
    return os.environ.get(SOCKET_VARIABLE) or os.path.join(private_folder(uid), SOCKET_NAME)


def make_private_folder(folder: str) -> None:
    """Make ``folder`` with mode 0700, or make sure that the one there is this user's alone.

    Raises:
        FolderUnsafe: Something else is there: a link, a file, or a folder of another user. Anybody
            may put things into ``/tmp``, so that what is found there cannot be trusted.
        OSError: It cannot be made.
    """
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        found = os.lstat(folder)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise FolderUnsafe(
                f"{folder} is not a folder of user id {os.getuid()}. Remove it and start again."
            ) from None
    os.chmod(folder, 0o700)
