"""The order that the harness reads and the answer that it writes; pure.

Both ends are held by tests/contract: one line of JSON and a tar come in, one line of JSON goes out.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from hexhub_check.errors import HarnessError

VERSION = 1
MAX_HEADER_BYTES = 64 * 1024
KINDS = frozenset({"files", "machine", "notebook"})
REPORTS = frozenset({"junit", "tap", "exit", "nbgrader"})
_NONCE = re.compile(r"[0-9a-f]{16,64}")


@dataclass(frozen=True)
class Order:
    """What the harness is to do.

    Attributes:
        nonce: New in every run; names the report's folder.
        run: Shell command; empty for notebooks.
        uid: The student's user in the lesson; 0 where the student is root.
        home: The student's home folder in the machine.
        cells: ``grade_id`` of the cells that count; empty means all.
        tar_bytes: How much follows the order's line.
        stays: After the answer the harness waits until its standard input is closed.
    """

    nonce: str
    kind: str
    run: str
    report: str
    timeout_s: float
    uid: int
    home: str
    cells: tuple[str, ...]
    notebook: str | None
    max_output_bytes: int
    max_report_bytes: int
    tar_bytes: int
    stays: bool

    @property
    def program_uid(self) -> int:
        """The user that the student's programs run as in a check; never root."""
        return self.uid or 1001


def parse_order(line: bytes) -> Order:
    """Parse the order's line.

    Raises:
        HarnessError: It is not one of version 1; the message names the field.
    """
    try:
        data = json.loads(line)
    except ValueError as exc:
        raise HarnessError("The order is not JSON.") from exc
    if not isinstance(data, dict) or data.get("version") != VERSION:
        raise HarnessError(f"The order is not of version {VERSION}.")
    order = Order(
        nonce=_get(data, "nonce", str),
        kind=_get(data, "kind", str),
        run=_get(data, "run", str),
        report=_get(data, "report", str),
        timeout_s=float(_get(data, "timeout_s", int, float)),
        uid=_get(data, "uid", int),
        home=_get(data, "home", str),
        cells=tuple(str(cell) for cell in _get(data, "cells", list)),
        notebook=_get(data, "notebook", str, type(None)),
        max_output_bytes=_get(data, "max_output_bytes", int),
        max_report_bytes=_get(data, "max_report_bytes", int),
        tar_bytes=_get(data, "tar_bytes", int),
        stays=data.get("stays") is True,
    )
    if order.kind not in KINDS or order.report not in REPORTS or not _NONCE.fullmatch(order.nonce):
        raise HarnessError("The order has an unknown kind or report, or no proper nonce.")
    if order.uid not in (0, 1000) or order.timeout_s <= 0 or not order.home.startswith("/"):
        raise HarnessError("The order has an impossible uid, timeout_s or home.")
    if order.notebook is not None and "/" in order.notebook:
        raise HarnessError("The order's notebook is not a file name.")
    return order


def _get(data: dict[str, Any], key: str, *kinds: type) -> Any:
    value = data.get(key)
    if type(value) not in kinds:
        raise HarnessError(f"The order's {key} is missing or of the wrong type.")
    return value


@dataclass(frozen=True)
class Result:
    """What the harness saw.

    Attributes:
        exit_code: Of the author's command; None where it did not end by itself.
        output: The end of what it printed.
        output_bytes: How much it printed in all.
        report: None: there is none, or it is too big.
        memory_kills: How many processes the kernel ended for want of memory; None: not known.
    """

    nonce: str
    exit_code: int | None
    timed_out: bool
    output: str
    output_bytes: int
    report: str | None
    report_too_big: bool
    duration_s: float
    memory_kills: int | None

    def to_line(self) -> bytes:
        """Give the one line of JSON, with its line end."""
        return (json.dumps({"version": VERSION, **vars(self)}) + "\n").encode()
