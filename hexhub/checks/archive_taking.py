"""Files out of a machine through Docker's archive, which works wherever the machine is.

What may be taken, and how its tar is read, is in :mod:`hexhub.checks.taking`.
"""

import contextlib
import json
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from hexhub.catalog.overlays import OverlayFile
from hexhub.checks.docker_errors import docker_errors
from hexhub.checks.engine import Engine
from hexhub.checks.taking import Budget, Pattern, TakeLimits, read_submission, show_name
from hexhub.errors import SubmissionUnusable

_CHUNK = 256 * 1024
_IS_LINK = 1 << 27
_IS_ODD = (1 << 26) | (1 << 25) | (1 << 24) | (1 << 21) | (1 << 19)
"""Device, named pipe, socket, character device, irregular: bits of Go's ``os.FileMode``."""
_IS_FOLDER = 1 << 31


def take_by_archive(
    engine: Engine,
    container_id: str,
    base: PurePosixPath,
    patterns: Sequence[str],
    limits: TakeLimits,
) -> dict[str, OverlayFile]:
    """Copy files out of a machine into memory.

    Args:
        engine: Where the machine is.
        container_id: Running or stopped.
        base: The student's work folder.
        patterns: As for :func:`hexhub.checks.student_machine.take_files`.
        limits: How much.

    Returns:
        Path below ``base`` → file.

    Raises:
        SubmissionUnusable: Something is missing, too big, or no regular file; the message is for
            the student.
        MachineNotRunning: There is no such container.
        DockerUnavailable: Docker does not answer.
    """
    budget = Budget.of(limits)
    files: dict[str, OverlayFile] = {}
    for text in patterns:
        files.update(_take(engine, container_id, base, Pattern.parse(text), budget))
    return files


def _take(
    engine: Engine, container_id: str, base: PurePosixPath, pattern: Pattern, budget: Budget
) -> dict[str, OverlayFile]:
    shown = show_name(str(pattern.root))
    with open_archive(engine, container_id, base / pattern.root) as found:
        if found is None:
            if pattern.is_literal or not pattern.root.parts:
                raise SubmissionUnusable(
                    f"There is no {shown} in ~/{base.name}; the check needs it."
                )
            return {}
        stat, chunks = found
        mode, size = int(stat.get("mode", 0)), int(stat.get("size", 0))
        if mode & _IS_LINK:
            raise SubmissionUnusable(f"{shown} is a link. Hand in the file itself.")
        if mode & _IS_ODD:
            raise SubmissionUnusable(f"{shown} is no regular file. Hand in a regular file.")
        if not mode & _IS_FOLDER:
            if not pattern.is_literal:
                return {}
            # Said before a byte is read: the file may be ten gigabytes of nothing.
            Budget.of(budget.limits).take(shown, size)
        return read_submission(chunks, pattern, budget)


@contextlib.contextmanager
def open_archive(
    engine: Engine, container_id: str, path: PurePosixPath
) -> Iterator[tuple[Mapping[str, Any], Iterator[bytes]] | None]:
    """Open a tar of ``path`` in a machine; leaving closes the connection.

    Gives what Docker says of the path itself (``mode`` and ``size`` as Go has them) and the bytes
    of the tar; None where there is nothing.

    Raises:
        MachineNotRunning: There is no such container.
        DockerUnavailable: Docker does not answer.
    """
    client = engine.client
    with docker_errors("read the student's files"):
        # docker-py's get_archive switches the time limit of the connection off.
        answer = client._get(  # type: ignore[attr-defined]
            client._url("/containers/{0}/archive", container_id),  # type: ignore[attr-defined]
            params={"path": str(path)},
            headers={"Accept-Encoding": "identity"},
            stream=True,
        )
        try:
            if answer.status_code == 404 and "No such container" not in answer.text:
                yield None
                return
            client._raise_for_status(answer)  # type: ignore[attr-defined]
            stat = json.loads(b64decode(answer.headers["X-Docker-Container-Path-Stat"]))
            yield stat, answer.iter_content(_CHUNK)
        finally:
            answer.close()
