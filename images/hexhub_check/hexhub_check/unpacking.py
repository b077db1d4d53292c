"""Unpacks the order's tar: regular files and folders below the named tops, and nothing else."""

import os
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from hexhub_check.errors import HarnessError

MAX_MEMBERS = 20_000


@dataclass(frozen=True)
class Target:
    """Where the members below one top folder of a tar go, and whose they are.

    Attributes:
        owner: User and group id; None leaves them ours.
        is_private: No other user may read it.
    """

    folder: Path
    owner: int | None
    is_private: bool


class BoundedReader:
    """A stream that ends after so many bytes."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self.left = size

    def read(self, size: int = -1) -> bytes:
        """Read at most ``size`` bytes, and none beyond the end."""
        wanted = self.left if size < 0 else min(size, self.left)
        data = self._stream.read(wanted) if wanted else b""
        self.left -= len(data)
        return data

    def exhaust(self) -> None:
        """Read and forget what is left.

        Raises:
            HarnessError: The stream ends before.
        """
        while self.left:
            if not self.read(65536):
                raise HarnessError("The order's tar is cut short.")


def unpack(stream: BinaryIO, size: int, targets: Mapping[str, Target]) -> None:
    """Unpack ``size`` bytes of tar from a stream; every target folder is there afterwards.

    Raises:
        HarnessError: It is no tar, is cut short, or has a member that may not be in it.
    """
    for target in targets.values():
        target.folder.mkdir(parents=True)
        _give(target.folder, target, 0o700)
    reader = BoundedReader(stream, size)
    try:
        with tarfile.open(fileobj=cast(BinaryIO, reader), mode="r|") as archive:
            for number, member in enumerate(archive):
                if number >= MAX_MEMBERS:
                    raise HarnessError(f"The order's tar has more than {MAX_MEMBERS} members.")
                _unpack_member(archive, member, targets)
    except (tarfile.TarError, EOFError, OSError) as exc:
        raise HarnessError(f"The order's tar cannot be unpacked: {exc}") from exc
    reader.exhaust()


def _unpack_member(
    archive: tarfile.TarFile, member: tarfile.TarInfo, targets: Mapping[str, Target]
) -> None:
    parts = PurePosixPath(member.name).parts
    target = targets.get(parts[0]) if parts else None
    if target is None or ".." in parts or not (member.isreg() or member.isdir()):
        raise HarnessError(f"The order's tar has a member that may not be in it: {member.name!r}")
    path = target.folder
    for part in parts[1:] if member.isdir() else parts[1:-1]:
        path /= part
        if not path.is_dir():
            path.mkdir()
            _give(path, target, 0o700)
    source = archive.extractfile(member) if member.isreg() else None
    if source is None:
        return
    path /= parts[-1]
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while block := source.read(1 << 20):
            file.write(block)
    _give(path, target, 0o600 | (member.mode & 0o100))


def _give(path: Path, target: Target, mode: int) -> None:
    path.chmod(mode if target.is_private else mode | (mode & 0o500) >> 3 | (mode & 0o500) >> 6)
    if target.owner is not None:
        os.chown(path, target.owner, target.owner)
