"""Files out of a machine that runs on this computer, without Docker's help.

Docker starts a process of its own for each archive, which is most of the time that a small check
takes of the hub. To a root process on the same computer, Linux shows a container's files as its
first process sees them (``/proc/PID/root``, see proc(5)).

Design choices: nothing is refused here. Only what is plain is read: folders, and regular files that
have one name. Anything else (a link, a pipe, too much, a file that is missing or changes meanwhile)
gives None, and Docker's archive is asked, so that each refusal is worded in one place. (What lies
beside the files is only in the archive, which may be too big for it.) Whatever the student does
meanwhile, no path leads out of the machine: each part of it is opened by itself, below the one
before, and no link is followed; a file is opened for reading only once the kernel has said that it
is a regular one, since merely opening a pipe or a device may block or do something.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath

from hexhub.catalog.overlays import OverlayFile
from hexhub.checks.taking import Budget, Pattern, TakeLimits, is_fit
from hexhub.errors import SubmissionUnusable

PLAIN_RUNTIMES = frozenset({"runc", "crun", "io.containerd.runc.v2"})
"""Of Docker, by their usual names: with others, the first process is not one of the machine's."""

_LIMITS = TakeLimits(seen_files=2000, time_s=2.0)
_DEEPEST = 40
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NAME_ONLY = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class _NotPlain(Exception):
    """Something is there that Docker's archive shall judge."""


def take_directly(
    process_id: int, container_id: str, base: PurePosixPath, patterns: Sequence[str]
) -> dict[str, OverlayFile] | None:
    """Read files of a running machine.

    Args:
        process_id: Of its first process, as Docker tells it.
        container_id: Whole; the process must be of its control group, as the number may have become
            another process's, or be counted on another computer.
        base: The student's work folder.
        patterns: As for :func:`hexhub.checks.student_machine.take_files`.

    Returns:
        Path below ``base`` → file; None where this process may not look there, or where something
        is there that is to be judged.
    """
    budget = Budget.of(_LIMITS)
    files: dict[str, OverlayFile] = {}
    try:
        with _root_of(process_id, container_id) as root, _folder(root, base.parts[1:]) as work:
            for text in patterns:
                files.update(_take(work, Pattern.parse(text), budget))
    except (_NotPlain, SubmissionUnusable, OSError):
        return None
    return files


@contextmanager
def _root_of(process_id: int, container_id: str) -> Iterator[int]:
    """Open the root folder of a machine."""
    # What is below this folder is of this very process, also after its number is another's.
    process = os.open(f"/proc/{process_id}", _FOLDER)
    try:
        groups = os.open("cgroup", os.O_RDONLY | os.O_CLOEXEC, dir_fd=process)
        with os.fdopen(groups, "rb") as lines:
            if container_id.encode() not in lines.read():
                raise _NotPlain
        root = os.open("root", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=process)
    finally:
        os.close(process)
    try:
        if os.path.samestat(os.fstat(root), Path("/").stat()):
            raise _NotPlain
        yield root
    finally:
        os.close(root)


@contextmanager
def _folder(above: int, parts: Sequence[str]) -> Iterator[int]:
    """Open a folder below another one; each part of the path is a folder and no link."""
    with ExitStack() as opened:
        for part in parts:
            above = os.open(part, _FOLDER, dir_fd=above)
            opened.callback(os.close, above)
        yield above


def _take(work: int, pattern: Pattern, budget: Budget) -> dict[str, OverlayFile]:
    *above, last = pattern.root.parts or ("",)
    with _folder(work, above) as folder:
        if not last:
            return dict(_walk(folder, "", pattern, budget, 0))
        mode = os.lstat(last, dir_fd=folder).st_mode
        if stat.S_ISDIR(mode):
            with _folder(folder, (last,)) as inner:
                return dict(_walk(inner, str(pattern.root), pattern, budget, 0))
        if not pattern.is_literal:
            raise _NotPlain
        return {str(pattern.root): _read(folder, last, str(pattern.root), budget)}


def _walk(
    folder: int, path: str, pattern: Pattern, budget: Budget, depth: int
) -> Iterator[tuple[str, OverlayFile]]:
    """Read what ``pattern`` names in a folder and below it."""
    if depth > _DEEPEST:
        raise _NotPlain
    names = []
    with os.scandir(folder) as entries:
        for entry in entries:
            budget.see_file()
            names.append(entry.name)
    for name in sorted(names):
        inner = f"{path}/{name}" if path else name
        if stat.S_ISDIR(os.lstat(name, dir_fd=folder).st_mode):
            with _folder(folder, (name,)) as deeper:
                yield from _walk(deeper, inner, pattern, budget, depth + 1)
        elif pattern.names(inner):
            yield inner, _read(folder, name, inner, budget)


def _read(folder: int, name: str, path: str, budget: Budget) -> OverlayFile:
    if not is_fit(path):
        raise _NotPlain
    named = os.open(name, _NAME_ONLY, dir_fd=folder)
    try:
        facts = os.fstat(named)
        if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1:
            raise _NotPlain
        budget.take(path, facts.st_size)
        # The same file, whatever has its name by now. Not to wait for who holds a lease on it.
        with os.fdopen(os.open(f"/proc/self/fd/{named}", _READ), "rb") as file:
            data = file.read(facts.st_size + 1)
    finally:
        os.close(named)
    budget.see_bytes(len(data))
    if len(data) != facts.st_size:
        raise _NotPlain
    return OverlayFile(data, is_executable=bool(facts.st_mode & stat.S_IXUSR))
