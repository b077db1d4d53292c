"""Opens paths below a folder that somebody hostile writes to; nothing outside is ever reached.

Design choices: ``openat2`` makes the kernel resolve links with the folder as the root (a link to
``/etc/passwd`` means the one inside), free of races. Files are first opened as mere places
(``O_PATH``), looked at, and only then read: no FIFO or device is ever opened. What lies on procfs
or sysfs is refused, since ``/proc/self`` there would be the reader's own.
"""

import ctypes
import errno
import os
import platform
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hexhub_check.errors import HarnessError, MachineError, NothingThere

MAX_READ_BYTES = 2_000_000
MAX_ENTRIES = 10_000
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_NO_SYMLINKS = 0x04
RESOLVE_BENEATH = 0x08
RESOLVE_IN_ROOT = 0x10
_SYS_OPENAT2 = 437
_KERNEL_FILESYSTEMS = {0x9FA0: "/proc", 0x62656572: "/sys"}
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Stat:
    """What a path is.

    Attributes:
        mode: Permission bits, such as 0o644.
        is_link: The path itself is a link; then the rest tells of the link, not of its target.
    """

    mode: int
    uid: int
    gid: int
    size: int
    is_dir: bool
    is_link: bool
    mtime: float


class Root:
    """A folder that is the root of all paths given to it.

    Args:
        folder: The folder; trusted.
        base: Where relative paths start, inside the folder.
        follows_links: False refuses every path with a link in it.
    """

    def __init__(self, folder: str, base: str = "/", *, follows_links: bool = True) -> None:
        self.folder = folder
        self.base = base
        self._resolve = RESOLVE_NO_MAGICLINKS | (
            RESOLVE_IN_ROOT if follows_links else RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS
        )

    def read_bytes(self, path: str, max_bytes: int = MAX_READ_BYTES) -> bytes:
        """Read a regular file.

        Raises:
            MachineError: Not there, not a regular file, too big, or not to be reached.
        """
        with self._open(path, os.O_PATH) as place:
            found = os.fstat(place)
            if not stat.S_ISREG(found.st_mode):
                raise MachineError(f"{path} is not a regular file but {_kind(found.st_mode)}.")
            if found.st_size > max_bytes:
                raise MachineError(f"{path} is bigger than {max_bytes} bytes.")
            try:
                descriptor = os.open(f"/proc/self/fd/{place}", os.O_RDONLY | os.O_NONBLOCK)
                with os.fdopen(descriptor, "rb") as file:
                    data = file.read(max_bytes + 1)
            except OSError as error:
                # Such as a lease (fcntl), which makes others wait where they do not refuse to.
                raise MachineError(f"{path} cannot be read: {error.strerror}.") from None
        if len(data) > max_bytes:
            raise MachineError(f"{path} is bigger than {max_bytes} bytes.")
        return data

    def read_text(self, path: str, max_bytes: int = MAX_READ_BYTES) -> str:
        """Read a regular file as UTF-8; bytes that are not become ``�``."""
        return self.read_bytes(path, max_bytes).decode("utf-8", errors="replace")

    def exists(self, path: str) -> bool:
        """Tell whether the path is there; a link that leads nowhere is not.

        Raises:
            MachineError: It cannot be found out. A root student may take descriptors away from the
                check (``prlimit``), and that must not look like a file that is gone.
        """
        try:
            with self._open(path, os.O_PATH):
                return True
        except NothingThere:
            return False

    def stat(self, path: str) -> Stat:
        """Tell what the path itself is.

        Raises:
            MachineError: It is not there.
        """
        with self._open(path, os.O_PATH | os.O_NOFOLLOW) as place:
            found = os.fstat(place)
        return Stat(
            mode=stat.S_IMODE(found.st_mode),
            uid=found.st_uid,
            gid=found.st_gid,
            size=found.st_size,
            is_dir=stat.S_ISDIR(found.st_mode),
            is_link=stat.S_ISLNK(found.st_mode),
            mtime=found.st_mtime,
        )

    def list(self, path: str) -> list[str]:
        """List the names in a folder, sorted, without ``.`` and ``..``.

        Raises:
            MachineError: Not there, not a folder, or more than 10,000 names.
        """
        names: list[str] = []
        with (
            self._open(path, os.O_RDONLY | os.O_DIRECTORY) as folder,
            os.scandir(folder) as entries,
        ):
            for entry in entries:
                names.append(entry.name)
                if len(names) > MAX_ENTRIES:
                    raise MachineError(f"{path} has more than {MAX_ENTRIES} entries.")
        return sorted(names)

    @contextmanager
    def _open(self, path: str, flags: int) -> Iterator[int]:
        if "\0" in path:
            raise MachineError(f"{path!r} is not a path.")
        full = path if path.startswith("/") else f"{self.base.rstrip('/')}/{path}"
        root = os.open(self.folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            place = _openat2(
                root, full.lstrip("/") or ".", flags | os.O_CLOEXEC, self._resolve, path
            )
        finally:
            os.close(root)
        try:
            filesystem = _KERNEL_FILESYSTEMS.get(_filesystem_type(place))
            if filesystem is not None:
                raise NothingThere(f"{path} leads to {filesystem}, which is no file of yours.")
            yield place
        finally:
            os.close(place)


def _openat2(folder: int, path: str, flags: int, resolve: int, shown: str) -> int:
    how = struct.pack("=QQQ", flags, 0, resolve)
    place: int = _libc.syscall(_SYS_OPENAT2, folder, os.fsencode(path), how, len(how))
    if place >= 0:
        return place
    number = ctypes.get_errno()
    if number == errno.ENOSYS:
        raise HarnessError("The kernel is older than 5.6: openat2 is missing.")
    reasons = {
        errno.ENOENT: f"There is no {shown}.",
        errno.ENOTDIR: f"{shown} is not a folder, or a part of it is not.",
        errno.ELOOP: f"{shown} leads through a link that may not be followed.",
        errno.EXDEV: f"{shown} leads out of the folder.",
        errno.ENAMETOOLONG: f"There is no {shown}.",
    }
    if number in reasons:
        raise NothingThere(reasons[number])
    raise MachineError(f"{shown} cannot be opened: {os.strerror(number)}.")


def _filesystem_type(descriptor: int) -> int:
    # struct statfs begins with f_type, a long, on all 64-bit Linux.
    if platform.architecture()[0] != "64bit":
        raise HarnessError("Checks need a 64-bit Linux.")
    buffer = ctypes.create_string_buffer(256)
    if _libc.fstatfs(descriptor, buffer) != 0:
        raise HarnessError(f"fstatfs: {os.strerror(ctypes.get_errno())}")
    return int(ctypes.c_long.from_buffer(buffer).value)


def _kind(mode: int) -> str:
    for is_kind, name in (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISLNK, "a link"),
        (stat.S_ISFIFO, "a FIFO"),
        (stat.S_ISSOCK, "a socket"),
    ):
        if is_kind(mode):
            return name
    return "a device"
