"""Files of the lesson put back as a new machine has them, and that undone: on this machine's disk.

What a file held before is kept once, in ``~/.local/share/hexhub/before-reset``; putting a file back
that is as new already keeps nothing, so that doing it twice does not lose the student's work.
"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

KEPT = ".local/share/hexhub/before-reset"
"""Where the student's own version is kept, below the home folder."""


class FileRefused(Exception):
    """A file cannot be put back or taken back; the message is for the student."""


@dataclass(frozen=True)
class StarterFiles:
    """The lesson's files on disk.

    Attributes:
        home: The student's; the files are in ``work`` below it.
    """

    home: Path

    def put_back(self, path: str, data: bytes, *, is_executable: bool) -> bool:
        """Write a file as the starter has it; False where it was so already.

        Raises:
            FileRefused: Something else stands in its place, or the disk refuses.
        """
        target = self._target(path)
        try:
            before = target.read_bytes() if target.is_file() else None
            if before == data:
                return False
            if before is not None:
                mode = target.stat().st_mode
                _write(self._kept(path), before, is_executable=bool(mode & 0o100))
            _write(target, data, is_executable=is_executable)
        except OSError as exc:
            raise FileRefused(f"'{path}' cannot be written: {exc.strerror}.") from exc
        return True

    def take_back(self, path: str) -> bool:
        """Write a file as it was before it was put back; False where nothing was kept.

        Raises:
            FileRefused: The disk refuses.
        """
        target, kept = self._target(path), self._kept(path)
        try:
            if not kept.is_file():
                return False
            _write(target, kept.read_bytes(), is_executable=bool(kept.stat().st_mode & 0o100))
            kept.unlink()
        except OSError as exc:
            raise FileRefused(f"'{path}' cannot be written: {exc.strerror}.") from exc
        return True

    def kept(self) -> list[str]:
        """Give the paths of which an earlier version is kept."""
        folder = self.home / KEPT
        found = (path for path in folder.rglob("*") if path.is_file())
        return sorted(path.relative_to(folder).as_posix() for path in found)

    def _target(self, path: str) -> Path:
        inner = PurePosixPath(path)
        if not path or inner.is_absolute() or ".." in inner.parts:
            raise FileRefused(f"'{path}' is not a path below ~/work.")
        return self.home / "work" / inner

    def _kept(self, path: str) -> Path:
        return self.home / KEPT / path


def _write(target: Path, data: bytes, *, is_executable: bool) -> None:
    """Write a file whole or not at all; a link in its place is replaced, not followed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        making = Path(name)
        making.chmod(0o755 if is_executable else 0o644)
        making.replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
