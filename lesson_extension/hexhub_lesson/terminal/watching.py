"""Whether anything has changed in a folder, and a person's press of Enter.

Design choices: a look at all file times twice a second, not inotify: the bare standard library has
none, a watch for each folder has a limit, and a folder of a lesson is small. What a program makes
by itself (hidden folders, caches, installed packages) is no work of the student and not looked at.
"""

import os
import select
import sys
import time
from collections.abc import Callable

LOOK_S = 0.5
"""Seconds between two looks."""
SETTLE_S = 0.2
"""An editor may write several files, or one in two steps: so long nothing must change any more."""
SETTLED_AT_MOST_S = 5.0
"""A program that writes all the time must not put a check off for ever."""
MAX_ENTRIES = 20_000
"""Files that are looked at, at most."""
_NOT_LOOKED_AT = frozenset({"__pycache__", "node_modules", "venv"})

Fingerprint = frozenset[tuple[str, int, int, int]]


class Folder:
    """Everything below one folder. It may be absent, and vanish while one looks."""

    def __init__(self, path: str) -> None:
        self._path = path

    def fingerprint(self) -> Fingerprint:
        """Give what tells one state of the files from another: names, times, sizes, inodes."""
        found: set[tuple[str, int, int, int]] = set()
        folders = [self._path]
        while folders and len(found) < MAX_ENTRIES:
            try:
                with os.scandir(folders.pop()) as entries:
                    for entry in entries:
                        if entry.name.startswith(".") or entry.name in _NOT_LOOKED_AT:
                            continue
                        try:
                            facts = entry.stat(follow_symlinks=False)
                            is_folder = entry.is_dir(follow_symlinks=False)
                        except OSError:
                            continue
                        if is_folder:
                            folders.append(entry.path)
                            found.add((entry.path, 0, 0, facts.st_ino))
                        else:
                            found.add((entry.path, facts.st_mtime_ns, facts.st_size, facts.st_ino))
            except OSError:
                continue
        return frozenset(found)

    def await_change(self, before: Fingerprint, is_asked: Callable[[float], bool]) -> None:
        """Return when the files are not as ``before`` and have come to rest, or when asked to.

        Args:
            before: A fingerprint of this folder.
            is_asked: Waits so many seconds at most; True means "now".
        """
        while (now := self.fingerprint()) == before:
            if is_asked(LOOK_S):
                return
        ends_at = time.monotonic() + SETTLED_AT_MOST_S
        while time.monotonic() < ends_at:
            if is_asked(SETTLE_S):
                return
            last, now = now, self.fingerprint()
            if last == now:
                return


def await_enter(wait_s: float) -> bool:
    """Wait for a line from the terminal; True where one has come in time."""
    if not sys.stdin.isatty():
        time.sleep(wait_s)
        return False
    if not select.select([sys.stdin], [], [], wait_s)[0]:
        return False
    # At the end of input (Ctrl-D) every look would be "now": that means to stop.
    if not sys.stdin.readline():
        raise KeyboardInterrupt
    return True
