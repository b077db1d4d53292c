"""Archives of old machines' home folders: what a student can download of a machine that is gone.

``<state>/archives/<name of the machine>.tar.gz``; the time of the file is when it was taken.

Design choices: an archive is what a student's machine says it has, so that it is hostile: it is
stored and handed out as bytes, and never unpacked on this side. It is a file and not in the
database, since it may have hundreds of megabytes. The machine's name says whose it is to whoever
knows student and lesson, and holds nothing that a path must not. Written beside and renamed into
place, so that it is whole or not there.
"""

import os
import re
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hexhub.errors import ArchiveTooBig

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,127}")
_CHUNK_BYTES = 256 * 1024
_GZIP = 16 + zlib.MAX_WBITS
_MOST_UNPACKED = 16
"""A tar may be this many times as big as the packed file: a home folder of holes ends some time."""


@dataclass(frozen=True)
class Archive:
    """One archive.

    Attributes:
        made_at: When it was taken, aware UTC.
        size_bytes: Of the tar.gz.
    """

    path: Path
    made_at: datetime
    size_bytes: int


class Archives:
    """The archives of one HexHub; cheap to make."""

    def __init__(self, folder: Path) -> None:
        """Take the folder, which need not be there."""
        self._folder = folder

    def find(self, machine: str) -> Archive | None:
        """Give the archive of a machine by the machine's name; None where there is none."""
        path = self._path(machine)
        try:
            found = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return Archive(path, datetime.fromtimestamp(int(found.st_mtime), UTC), found.st_size)

    def keep(self, machine: str, tar: Iterable[bytes], most_bytes: int) -> Archive:
        """Pack and keep a tar stream, in the place of an older archive of the same machine.

        Args:
            machine: Name of its container.
            tar: Bytes as they come; read to the end unless it is too big.
            most_bytes: Of the packed file.

        Raises:
            ArchiveTooBig: It would be bigger; nothing is kept, and an older one stays.
        """
        path = self._path(machine)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".making-", dir=self._folder)
        making = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                for chunk in _packed(tar, most_bytes):
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            size_bytes = making.stat().st_size
            making.replace(path)
        except BaseException:
            making.unlink(missing_ok=True)
            raise
        return Archive(path, datetime.now(UTC), size_bytes)

    def remove(self, machine: str) -> None:
        """Remove the archive of a machine, if there is one."""
        self._path(machine).unlink(missing_ok=True)

    def _path(self, machine: str) -> Path:
        if _NAME.fullmatch(machine) is None:
            raise ValueError(f"'{machine}' is no machine's name")
        return self._folder / f"{machine}.tar.gz"


def read_pieces(archive: Archive) -> Iterator[bytes]:
    """Give the bytes of an archive, a piece at a time."""
    with archive.path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _packed(tar: Iterable[bytes], most_bytes: int) -> Iterator[bytes]:
    """Pack a stream with gzip, as long as it is not too big on either side."""
    packer = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
    packed_bytes = unpacked_bytes = 0
    for chunk in tar:
        unpacked_bytes += len(chunk)
        piece = packer.compress(chunk)
        packed_bytes += len(piece)
        if packed_bytes > most_bytes or unpacked_bytes > _MOST_UNPACKED * most_bytes:
            raise ArchiveTooBig(most_bytes)
        yield piece
    piece = packer.flush()
    if packed_bytes + len(piece) > most_bytes:
        raise ArchiveTooBig(most_bytes)
    yield piece
