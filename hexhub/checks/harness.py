"""What is said between us and the harness in a check container; pure.

One line of JSON and a tar go in through standard input, one line of JSON comes out. The container
is used once. Whatever comes out is believed only with the nonce of this very run, which went in
through standard input and is known to nobody but the harness.
"""

import hmac
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar, cast

from hexhub.catalog.model import CheckSpec, MachineUser
from hexhub.catalog.overlays import Overlay
from hexhub.errors import ReportUnusable

_T = TypeVar("_T")
PROTOCOL_VERSION = 1
HARNESS = ("/opt/check/bin/python", "-I", "-m", "hexhub_check")
"""Entrypoint of every check container; it comes with the lesson's image."""
MAX_OUTPUT_BYTES = 64 * 1024
"""What is kept of the end of a run's output."""
MAX_REPORT_BYTES = 1024 * 1024
MAX_LINE_BYTES = 6 * (MAX_OUTPUT_BYTES + MAX_REPORT_BYTES) + 64 * 1024
"""A byte takes six at most in JSON (``\\u0000``)."""


@dataclass(frozen=True)
class HarnessAnswer:
    """What the harness says of one run of the author's command.

    Attributes:
        exit_code: Of the command; None where it was stopped.
        timed_out: It ran longer than it may.
        output: The end of its output, both streams.
        output_bytes: How much it printed in all.
        report: Text of the report, or None where it wrote none.
        report_too_big: It wrote one, and it is not sent.
        duration_s: Wall time.
        memory_kills: How many processes the kernel ended for want of memory; None where the
            harness cannot tell.
    """

    exit_code: int | None
    timed_out: bool
    output: str
    output_bytes: int
    report: str | None
    report_too_big: bool
    duration_s: float
    memory_kills: int | None = None


def make_header(
    spec: CheckSpec,
    user: MachineUser,
    notebook: str | None,
    nonce: str,
    tar_bytes: int,
    *,
    stays: bool = False,
) -> bytes:
    """Give the first line of a run.

    Args:
        spec: The check.
        user: Who the student is in the lesson's machine.
        notebook: Name of the student's notebook below ``work``, for notebook checks.
        nonce: Hex digits, new in every run.
        tar_bytes: Size of the tar that follows.
        stays: A harness that has said all there is to know shall not end before its standard input
            is closed.
    """
    header = {
        "version": PROTOCOL_VERSION,
        "nonce": nonce,
        "kind": spec.kind.value,
        "run": spec.run,
        "report": spec.report.value,
        "timeout_s": spec.timeout_s,
        "uid": user.uid,
        "home": str(user.home),
        "cells": list(spec.cells),
        "notebook": notebook,
        "max_output_bytes": MAX_OUTPUT_BYTES,
        "max_report_bytes": MAX_REPORT_BYTES,
        "tar_bytes": tar_bytes,
        "stays": stays,
    }
    return json.dumps(header).encode() + b"\n"


def pack(checks: Overlay, work: Overlay | None) -> bytes:
    """Pack ``checks/`` and, where the check gets a copy of the student's files, ``work/``."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        add_files(archive, "checks", checks, uid=0)
        if work is not None:
            add_files(archive, "work", work, uid=MachineUser.STUDENT.uid)
    return buffer.getvalue()


def add_files(
    archive: tarfile.TarFile, base: str, files: Overlay, *, uid: int, modified_s: int = 0
) -> None:
    """Add an overlay below ``base``, with all folders on the way, all of it owned by ``uid``."""
    folders = {base}
    for path in files:
        parts = f"{base}/{path}".split("/")[:-1]
        folders.update("/".join(parts[: depth + 1]) for depth in range(len(parts)))
    for folder in sorted(folders):
        member = tarfile.TarInfo(folder)
        member.type = tarfile.DIRTYPE
        member.mode = 0o755
        member.uid = member.gid = uid
        member.mtime = modified_s
        archive.addfile(member)
    for path, file in sorted(files.items()):
        member = tarfile.TarInfo(f"{base}/{path}")
        member.size = len(file.data)
        member.mode = 0o755 if file.is_executable else 0o644
        member.uid = member.gid = uid
        member.mtime = modified_s
        archive.addfile(member, io.BytesIO(file.data))


def read_answer(line: bytes, nonce: str) -> HarnessAnswer:
    """Read the line that the harness wrote.

    Args:
        line: Everything up to the first line feed.
        nonce: Of this run.

    Raises:
        ReportUnusable: It is not the harness's answer to this run.
    """
    try:
        answer = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as exc:
        raise ReportUnusable("The check's harness answered with something unreadable.") from exc
    if not isinstance(answer, dict):
        raise ReportUnusable("The check's harness answered with something else than an object.")
    said = answer.get("nonce")
    if not isinstance(said, str) or not hmac.compare_digest(
        said.encode("utf-8", "replace"), nonce.encode()
    ):
        raise ReportUnusable("The answer is not from the harness of this run.")
    if answer.get("version") != PROTOCOL_VERSION:
        raise ReportUnusable(
            f"The harness speaks version {answer.get('version')!r} of the protocol; "
            f"this HexHub speaks {PROTOCOL_VERSION}. Build the lesson's image again."
        )
    return HarnessAnswer(
        exit_code=_typed(answer, "exit_code", int, optional=True),
        timed_out=bool(_typed(answer, "timed_out", bool)),
        output=_typed(answer, "output", str) or "",
        output_bytes=_typed(answer, "output_bytes", int) or 0,
        report=_typed(answer, "report", str, optional=True),
        report_too_big=bool(_typed(answer, "report_too_big", bool)),
        duration_s=float(_typed(answer, "duration_s", float) or 0.0),
        memory_kills=_typed(answer, "memory_kills", int, optional=True),
    )


def _typed(
    answer: Mapping[str, object], key: str, kind: type[_T], *, optional: bool = False
) -> _T | None:
    value = answer.get(key)
    if value is None and optional:
        return None
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return cast(_T, float(value))
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ReportUnusable(f"The harness's answer has no usable '{key}'.")
    return value
