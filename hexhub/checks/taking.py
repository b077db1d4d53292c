"""Files out of a student's machine: patterns, and a reader of tars that trusts nothing; pure.

The tar is made by Docker, but what is in it is the student's: links, devices, pipes, a million
files, ten gigabytes of zeros that take no disk, names with line feeds. Nothing of it ever becomes
a path on the host: what is taken is kept in memory, and reading stops at the first limit.
"""

import io
import re
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from stat import filemode

from hexhub.catalog.overlays import OverlayFile
from hexhub.errors import CheckError, SubmissionUnusable

_MAGIC = re.compile(r"[*?\[]")
_NAME_BYTES = 1024
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True)
class TakeLimits:
    """How much may be taken of one student's machine for one check.

    Attributes:
        file_bytes: Of one file.
        total_bytes: Of all files taken.
        files: Number of files taken.
        seen_bytes: Read in all, with what lies beside the files that are taken.
        seen_files: Looked at in all.
        time_s: For all of it.
    """

    file_bytes: int = 8 * 1024**2
    total_bytes: int = 16 * 1024**2
    files: int = 500
    seen_bytes: int = 256 * 1024**2
    seen_files: int = 20_000
    time_s: float = 30.0


@dataclass
class Budget:
    """What is left of the limits while files are taken."""

    limits: TakeLimits
    deadline_s: float
    total_bytes: int = 0
    files: int = 0
    seen_bytes: int = 0
    seen_files: int = 0

    @classmethod
    def of(cls, limits: TakeLimits) -> "Budget":
        """Give a whole budget whose time begins now."""
        return cls(limits, time.monotonic() + limits.time_s)

    def see_bytes(self, count: int) -> None:
        """Count bytes read.

        Raises:
            SubmissionUnusable: Too many, or it takes too long.
        """
        self.seen_bytes += count
        if self.seen_bytes > self.limits.seen_bytes:
            raise SubmissionUnusable(
                f"There is too much in the folders that the check reads: more than "
                f"{_megabytes(self.limits.seen_bytes)}. Move big files out of them."
            )
        if time.monotonic() > self.deadline_s:
            raise SubmissionUnusable(
                f"Reading your files took longer than {self.limits.time_s:g} s. "
                "Move what the check does not need out of the folder."
            )

    def see_file(self) -> None:
        """Count one entry looked at.

        Raises:
            SubmissionUnusable: Too many.
        """
        self.seen_files += 1
        if self.seen_files > self.limits.seen_files:
            raise SubmissionUnusable(
                f"There are more than {self.limits.seen_files} files and folders where the check "
                "looks. Remove or move those that it does not need."
            )

    def take(self, name: str, size: int) -> None:
        """Count one file that is taken.

        Raises:
            SubmissionUnusable: It is too big, or there are too many, or all are too big together.
        """
        if size > self.limits.file_bytes:
            raise SubmissionUnusable(
                f"{name} is too big: {_megabytes(size)}. "
                f"The check takes files of {_megabytes(self.limits.file_bytes)} at most."
            )
        self.files += 1
        self.total_bytes += size
        if self.files > self.limits.files:
            raise SubmissionUnusable(f"The check takes {self.limits.files} files at most.")
        if self.total_bytes > self.limits.total_bytes:
            raise SubmissionUnusable(
                "Your files are too big together; "
                f"the check takes {_megabytes(self.limits.total_bytes)} at most."
            )


@dataclass(frozen=True)
class Pattern:
    """What one entry of ``submit`` names.

    Attributes:
        text: As the author wrote it.
        root: The longest beginning of it that has no wildcard; where the archive is taken from;
            ``.`` is all of ``work``.
        is_literal: There is no wildcard: the file or the folder must be there.
    """

    text: str
    root: PurePosixPath
    is_literal: bool
    _regex: re.Pattern[str]

    @classmethod
    def parse(cls, text: str) -> "Pattern":
        """Read a path or a pattern with ``*``, ``**``, ``?`` and ``[…]``; it names whole trees.

        Raises:
            CheckError: The pattern cannot be understood.
        """
        path = PurePosixPath(text)
        literal: list[str] = []
        for part in path.parts:
            if _MAGIC.search(part):
                break
            literal.append(part)
        is_literal = len(literal) == len(path.parts)
        try:
            regex = re.compile(_translate(path.as_posix()) + r"(?:/.*)?", re.DOTALL)
        except re.error as exc:
            raise CheckError(f"'submit' of the check has a pattern that is none: {text}") from exc
        return cls(text, PurePosixPath(*literal), is_literal, regex)

    def names(self, path: str) -> bool:
        """Tell whether the file at ``path`` below ``work`` is meant, itself or by its folder."""
        return self.text == "." or self._regex.fullmatch(path) is not None


def _translate(glob: str) -> str:
    made = ""
    place = 0
    while place < len(glob):
        char = glob[place]
        if glob.startswith("**/", place):
            made += "(?:[^/]*/)*"
            place += 3
            continue
        if glob.startswith("**", place):
            made += ".*"
            place += 2
            continue
        end = glob.find("]", place + 2)
        if char == "*":
            made += "[^/]*"
        elif char == "?":
            made += "[^/]"
        elif char == "[" and end > 0:
            inner = glob[place + 1 : end].replace("\\", r"\\")
            inner = "^/" + inner[1:] if inner.startswith("!") else inner.replace("^", r"\^", 1)
            made += f"[{inner}]"
            place = end
        else:
            made += re.escape(char)
        place += 1
    return made


class _Stream(io.RawIOBase):
    """The chunks of a download as a file that counts what is read."""

    def __init__(self, chunks: Iterator[bytes], budget: Budget) -> None:
        self._chunks = chunks
        self._budget = budget
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """Give ``size`` bytes, or what there still is."""
        parts = [self._rest]
        have = len(self._rest)
        while size < 0 or have < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._budget.see_bytes(len(chunk))
            parts.append(chunk)
            have += len(chunk)
        data = b"".join(parts)
        if size < 0:
            self._rest = b""
            return data
        self._rest = data[size:]
        return data[:size]


def read_submission(
    chunks: Iterator[bytes], pattern: Pattern, budget: Budget
) -> dict[str, OverlayFile]:
    """Read the files that ``pattern`` names out of a tar of its root.

    Args:
        chunks: A tar of ``pattern.root`` below ``work``, as it comes; its one top entry has the
            name of that root.
        pattern: What to keep.
        budget: What is left of the limits.

    Returns:
        Path below ``work`` → file.

    Raises:
        SubmissionUnusable: A limit is met, or a file that is meant is no regular file.
    """
    files: dict[str, OverlayFile] = {}
    try:
        with tarfile.open(fileobj=_Stream(chunks, budget), mode="r|", errorlevel=2) as archive:
            for member in archive:
                # tarfile remembers every member; a million of them is memory.
                archive.members = []  # type: ignore[attr-defined]
                budget.see_file()
                path = _inner_path(member.name, pattern.root)
                if path is None or member.isdir() or not pattern.names(path):
                    continue
                files[path] = _take(archive, member, path, budget)
    except (tarfile.TarError, EOFError, ValueError, UnicodeError) as exc:
        raise SubmissionUnusable("Your files could not be read. Press Check again.") from exc
    return files


def _inner_path(name: str, root: PurePosixPath) -> str | None:
    """Give the path below ``work`` of a tar member; None for ``work`` itself."""
    inner = name.rstrip("/")
    if root == PurePosixPath():
        _, slash, inner = inner.partition("/")
        return inner if slash else None
    parent = root.parent
    return inner if parent == PurePosixPath() else f"{parent}/{inner}"


def _take(
    archive: tarfile.TarFile, member: tarfile.TarInfo, path: str, budget: Budget
) -> OverlayFile:
    shown = show_name(path)
    if not is_fit(path):
        raise SubmissionUnusable(
            f"The name {shown} cannot be taken: it has characters that no file to be checked needs."
        )
    parts = path.split("/")
    if path.startswith("/") or any(part in ("", ".", "..") for part in parts):
        raise SubmissionUnusable(f"The name {shown} cannot be taken.")
    if not member.isreg() or member.issparse():
        raise SubmissionUnusable(f"{shown} is {kind_of(member)}. Hand in the file itself.")
    budget.take(shown, member.size)
    stream = archive.extractfile(member)
    data = stream.read(member.size + 1) if stream is not None else b""
    if len(data) != member.size:
        raise SubmissionUnusable(f"{shown} changed while it was read. Press Check again.")
    return OverlayFile(data, is_executable=bool(member.mode & 0o100))


def is_fit(path: str) -> bool:
    """Tell whether a file of this path below ``work`` may be taken: short, and of characters."""
    return not _UNFIT.search(path) and len(path.encode("utf-8", "replace")) <= _NAME_BYTES


def kind_of(member: tarfile.TarInfo) -> str:
    """Say what a tar member is that is no regular file."""
    if member.issym():
        return "a link"
    if member.islnk():
        return "a hard link to another file"
    if member.isfifo():
        return "a named pipe"
    if member.isdev():
        return "a device"
    return f"no regular file ({filemode(member.mode)})"


def show_name(path: str) -> str:
    """Give a name that may be shown: cut, and without anything that is no printable character."""
    shown = "".join(char if char.isprintable() else "?" for char in path)
    return shown if len(shown) <= 80 else f"{shown[:77]}…"


def _megabytes(count: int) -> str:
    return f"{max(1, round(count / 1024**2))} MB"
