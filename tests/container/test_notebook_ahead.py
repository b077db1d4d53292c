"""The process of a notebook's cells, which may be started before there is an order."""

import json
from typing import Any

import nbformat
import pytest

from hexhub.catalog.model import CheckKind, MachineUser, ReportFormat

from .conftest import RunCheck

FACTS = """
import gc, os, resource, sys
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
facts = {
    "ids": [os.getresuid(), os.getresgid(), os.getgroups()],
    "folder": os.getcwd(),
    "remembered": [str(place) for place in _dh] + [get_ipython().starting_dir],
    "names": sorted(os.environ),
    "capabilities": [status[name].strip() for name in ("CapInh", "CapPrm", "CapEff")],
    "descriptors": [os.readlink(f"/proc/self/fd/{fd}").split(":")[0] for fd in (0, 1, 2)],
    "modules": [name for name in sys.modules if name.split(".")[0] in ("hexhub_check", "jedi")],
    "files": resource.getrlimit(resource.RLIMIT_FSIZE)[0],
    "collects": gc.isenabled(),
    "history": [In, Out, get_ipython().execution_count],
}
"""
"""A student's cell that writes down all that it can tell of the process it runs in."""
SOLUTION = {"grade": False, "solution": True, "locked": False, "schema_version": 3, "task": False}
TEST = {**SOLUTION, "grade": True, "solution": False, "points": 1}


def _notebook(solution: str) -> str:
    cells = [
        nbformat.v4.new_code_cell(source, metadata={"nbgrader": {**facts, "grade_id": name}})
        for source, facts, name in (
            (solution, SOLUTION, "solve"),
            ("raise AssertionError(repr(facts))", TEST, "tell"),
        )
    ]
    return str(nbformat.writes(nbformat.v4.new_notebook(cells=cells)))


def _find_facts(run_check: RunCheck, user: MachineUser) -> dict[str, Any]:
    done = run_check(
        {"source.ipynb": _notebook("")},
        {"book.ipynb": _notebook(FACTS)},
        run="",
        report=ReportFormat.NBGRADER,
        kind=CheckKind.NOTEBOOK,
        image="hexhub/data",
        notebook="book.ipynb",
        timeout_s=60.0,
        user=user,
    )
    assert done.answer.report is not None, done.answer.output
    (cell,) = json.loads(done.answer.report)["cells"]
    found: dict[str, Any] = eval(cell["message"])  # noqa: S307 - written by the cell above
    return found


@pytest.mark.parametrize(("user", "uid"), [(MachineUser.STUDENT, 1000), (MachineUser.ROOT, 1001)])
def test_cells_run_as_the_student(run_check: RunCheck, user: MachineUser, uid: int) -> None:
    """Of the right user and in their folder, with nothing of the check's, and nothing run before.

    The process that was started ahead is the usual student's; another user gets one of their own.
    """
    facts = _find_facts(run_check, user)
    assert facts["ids"] == [(uid,) * 3, (uid,) * 3, []]
    assert set(facts["remembered"]) == {facts["folder"]} == {"/check/work"}
    assert facts["capabilities"] == ["0" * 16] * 3
    assert facts["descriptors"] == ["/dev/null"] * 3
    assert facts["modules"] == []
    assert facts["files"] == 256 * 1024**2
    assert facts["collects"]
    assert "HEXHUB_RESULT_FD" not in facts["names"]
    assert not [name for name in facts["names"] if name.startswith(("HEXHUB", "PYTEST"))]
    assert facts["history"] == [[""], {}, 1]
