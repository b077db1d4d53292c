"""Only the harness of this very run is believed."""

import io
import json
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexhub.catalog.model import CheckKind, CheckSpec, MachineUser, ReportFormat
from hexhub.catalog.overlays import OverlayFile
from hexhub.checks.harness import HarnessAnswer, make_header, pack, read_answer
from hexhub.errors import ReportUnusable

NONCE = "0123456789abcdef"
ANSWER = {
    "version": 1,
    "nonce": NONCE,
    "exit_code": 0,
    "timed_out": False,
    "output": "1 passed",
    "output_bytes": 8,
    "report": "<testsuites/>",
    "report_too_big": False,
    "duration_s": 1,
    "memory_kills": 2,
}


def line(**more: object) -> bytes:
    return json.dumps(ANSWER | more).encode()


def test_an_answer_is_read() -> None:
    """All that the harness says arrives."""
    assert read_answer(line(), NONCE) == HarnessAnswer(
        exit_code=0,
        timed_out=False,
        output="1 passed",
        output_bytes=8,
        report="<testsuites/>",
        report_too_big=False,
        duration_s=1.0,
        memory_kills=2,
    )
    assert read_answer(line(exit_code=None, report=None), NONCE).exit_code is None


@pytest.mark.parametrize("more", [{"memory_kills": None}, {}])
def test_a_harness_need_not_know_of_memory(more: dict[str, object]) -> None:
    """It may be unable to count, or of an image that was made before it could."""
    answer = {key: value for key, value in ANSWER.items() if key != "memory_kills"} | more
    assert read_answer(json.dumps(answer).encode(), NONCE).memory_kills is None


@pytest.mark.parametrize(
    "forged",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"[]",
        b"[" * 100_000,
        line(nonce="0123456789abcdee"),
        line(nonce=None),
        line(nonce=""),
        line(nonce="\u00e9"),
        line(version=2),
        line(exit_code="0"),
        line(exit_code=False),
        line(exit_code=0.0),
        line(timed_out=0),
        line(output=None),
        line(report=1),
        line(duration_s="1"),
        line(memory_kills="0"),
        line(memory_kills=False),
    ],
)
def test_anything_else_is_refused(forged: bytes) -> None:
    """Without the nonce of this run, or with a field of another type, nothing is believed."""
    with pytest.raises(ReportUnusable):
        read_answer(forged, NONCE)


@given(st.binary(max_size=200))
def test_no_line_does_harm(data: bytes) -> None:
    """Whatever bytes come, they are refused as such."""
    with pytest.raises(ReportUnusable):
        read_answer(data, NONCE)


def test_the_header_is_one_line() -> None:
    """The first line feed ends the header, whatever the author's command holds."""
    spec = CheckSpec(CheckKind.NOTEBOOK, "a\nb", ReportFormat.NBGRADER, 20.0, cells=("mean",))
    header = make_header(spec, MachineUser.ROOT, "data.ipynb", NONCE, 512, stays=True)
    assert header.count(b"\n") == 1
    assert header.endswith(b"\n")
    assert json.loads(header) == {
        "version": 1,
        "nonce": NONCE,
        "kind": "notebook",
        "run": "a\nb",
        "report": "nbgrader",
        "timeout_s": 20.0,
        "uid": 0,
        "home": "/root",
        "cells": ["mean"],
        "notebook": "data.ipynb",
        "max_output_bytes": 65536,
        "max_report_bytes": 1048576,
        "tar_bytes": 512,
        "stays": True,
    }


def test_the_tar_has_checks_and_work() -> None:
    """Both trees have their folders, owners and executable bits; a machine check has no work."""
    work = {"src/a.sh": OverlayFile(b"a", is_executable=True)}
    packed = pack({"test_x.py": OverlayFile(b"t")}, work)
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        found = {m.name: (m.isdir(), m.mode, m.uid, m.gid) for m in archive}
    assert found == {
        "checks": (True, 0o755, 0, 0),
        "checks/test_x.py": (False, 0o644, 0, 0),
        "work": (True, 0o755, 1000, 1000),
        "work/src": (True, 0o755, 1000, 1000),
        "work/src/a.sh": (False, 0o755, 1000, 1000),
    }
    with tarfile.open(fileobj=io.BytesIO(pack({}, None))) as archive:
        assert archive.getnames() == ["checks"]
