"""Is told by the kernel when a file is written to (Linux's inotify); the standard library is not.

A watch may be refused (another system, too many watches) and may see nothing on a filesystem of the
network, so that nobody may depend on it alone.
"""

import ctypes
import os
import select
import struct
from collections.abc import Iterator
from pathlib import Path

_NON_BLOCKING = os.O_NONBLOCK
_CLOSE_ON_EXEC = 0o2000000
_MODIFIED = 0x002
_MOVED_TO = 0x080
_CREATED = 0x100
_ONLY_FOLDERS = 0x01000000
_EVENT = struct.Struct("iIII")
_BUFFER = 64 * 1024


class FolderWatch:
    """Tells when one of some files in a folder is written to, also one that is made later."""

    def __init__(self, folder: Path, names: frozenset[str]) -> None:
        """Begin to watch.

        Args:
            folder: Must be there.
            names: Of the files in it.

        Raises:
            OSError: The kernel refuses, or there is no such folder.
        """
        self._names = frozenset(os.fsencode(name) for name in names)
        libc = ctypes.CDLL(None, use_errno=True)
        try:
            self._descriptor: int = libc.inotify_init1(_NON_BLOCKING | _CLOSE_ON_EXEC)
        except AttributeError as exc:
            raise OSError("This system has no inotify.") from exc
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        mask = _MODIFIED | _MOVED_TO | _CREATED | _ONLY_FOLDERS
        if libc.inotify_add_watch(self._descriptor, os.fsencode(folder), mask) < 0:
            error = ctypes.get_errno()
            self.close()
            raise OSError(error, "inotify_add_watch", str(folder))

    def wait(self, timeout_s: float) -> bool:
        """Tell, after ``timeout_s`` at the latest, whether one was written to since the last call.

        Returns early, with False, when something else in the folder was.
        """
        ready, _, _ = select.select([self._descriptor], [], [], max(0.0, timeout_s))
        if not ready:
            return False
        try:
            data = os.read(self._descriptor, _BUFFER)
        except BlockingIOError:
            return False
        # Number -1: so much happened that the kernel has not kept all of it.
        return any(watch == -1 or name in self._names for watch, name in _events(data))

    def close(self) -> None:
        """End watching."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _events(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Give number of the watch and file name of each event."""
    place = 0
    while place < len(data):
        watch, _, _, length = _EVENT.unpack_from(data, place)
        place += _EVENT.size
        yield watch, data[place : place + length].rstrip(b"\0")
        place += length
