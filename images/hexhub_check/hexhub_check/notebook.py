"""Scores a notebook: the student's cells run as the student, the test cells run here.

Design choices: nbgrader runs both in one kernel, where the student's code can read the tests from
``In``, strip their asserts or redefine what equality means. Here the author's notebook is the base
and only the sources of its solution cells come from the student. Those run in a process of the
student's user. A test cell runs in this process; a name that it does not define itself is asked
for over there and arrives as plain data, or as a function that is called over there. What the
author's other cells define by ``def``, ``class`` or ``import`` runs over there too, where the
student's code may have replaced it, so that no test may judge by it (:func:`author_names`). Which
cells count, and what they give, is nbgrader's rule (``hexhub_check.nbgrader_rules``).

IPython's start is most of a small notebook's time. So the student's process may be started before
there is an order (:func:`prepare`): as the student's user from its first instruction on, just as
without that, and told its folder later. It has run nothing until the student's first cell.
"""

import ast
import builtins
import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from hexhub_check.confined import kill_all_of, start_confined
from hexhub_check.nbgrader_rules import determine_grade, is_grade, is_solution
from hexhub_check.values import NotPlain, decode, encode, load_rare

PYTHON = "/usr/bin/python3"
USUAL_UID = 1000
"""The student's in most lessons; their programs have another one where they are root."""
MAX_ANSWER_BYTES = 32 * 1024**2
_LOOK_S = 0.2
"""Between two looks whether the student's process is still there."""
_ENDED = "The notebook's code has ended its own process."
_CHILD = str(Path(__file__).with_name("notebook_child.py"))
load_rare()


class StudentCodeError(Exception):
    """The student's code did not do what a test asked of it; the message is for the student."""


class TestCellError(Exception):
    """A test cell would believe what it must not; the message is for the author."""

    __test__ = False


class Kernel:
    """The process of the student's cells; it waits outside their folder for :meth:`enter`."""

    def __init__(self, uid: int) -> None:
        self.uid = uid
        self.trouble = ""
        self._deadline = 0.0
        self._buffer = bytearray()
        question, self._questions = os.pipe()
        self._answers, answer = os.pipe()
        self._process = start_confined(
            [PYTHON, "-I", _CHILD],
            uid=uid,
            cwd="/",
            stdin=question,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[answer],
        )
        os.close(question)
        os.close(answer)
        os.set_blocking(self._questions, False)

    def enter(self, work: str, deadline: float) -> None:
        """Go into the student's folder; from now on there is an end to what an answer may take."""
        self._deadline = deadline
        self._note({"do": "enter", "folder": work})

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Give the answer to one question.

        Raises:
            StudentCodeError: The process has ended, hangs, or answers nonsense.
        """
        self._write(json.dumps(question).encode() + b"\n")
        try:
            answer = json.loads(self._read_line())
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise StudentCodeError("The notebook's process gave an answer that makes no sense.")
        return answer

    def run_cell(self, source: str) -> None:
        """Run one of the student's cells; remember what stopped the first that failed."""
        self._note({"do": "cell", "source": source})

    def _note(self, question: dict[str, Any]) -> None:
        try:
            error = self.ask(question).get("error")
        except StudentCodeError as exc:
            error = str(exc)
        if error and not self.trouble:
            self.trouble = str(error)

    def close(self) -> None:
        """Kill whatever the student's cells have started."""
        kill_all_of(self.uid)
        self._process.kill()
        self._process.wait()

    def _left_s(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            kill_all_of(self.uid)
            raise StudentCodeError("The notebook's code takes too long.")
        return left

    def _is_ready(self, *, writes: bool = False) -> bool:
        """Wait a little until there is an answer to read, or room for a question.

        The end of the process does not close the pipes where it has left a child that holds them.
        """
        is_over = self._process.poll() is not None
        pipes = ([], [self._questions]) if writes else ([self._answers], [])
        found = select.select(*pipes, [], 0.0 if is_over else min(_LOOK_S, self._left_s()))
        if is_over and not found[0]:
            raise StudentCodeError(_ENDED)
        return bool(found[0] or found[1])

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            if not self._is_ready(writes=True):
                continue
            try:
                view = view[os.write(self._questions, view) :]
            except BlockingIOError:
                continue
            except BrokenPipeError as exc:
                raise StudentCodeError(_ENDED) from exc

    def _read_line(self) -> bytes:
        while b"\n" not in self._buffer:
            data = os.read(self._answers, 65536) if self._is_ready() else None
            if data == b"":
                raise StudentCodeError(_ENDED)
            self._buffer += data or b""
            if len(self._buffer) > MAX_ANSWER_BYTES:
                raise StudentCodeError("A value of the notebook is too big to be looked at.")
        line, _, rest = bytes(self._buffer).partition(b"\n")
        self._buffer = bytearray(rest)
        return line


class Names(dict[str, Any]):
    """The names of one test cell; what it does not define itself is the student's.

    Args:
        kernel: Has the student's values.
        refused: Names that are the author's and may not be taken from there.
    """

    def __init__(self, kernel: Kernel, refused: frozenset[str]) -> None:
        super().__init__({"__name__": "__main__", "__builtins__": builtins})
        self._kernel = kernel
        self._refused = refused

    def __missing__(self, name: str) -> Any:
        """Ask the student's process; Python's own names are never taken from there."""
        if hasattr(builtins, name) or name.startswith("__"):
            raise KeyError(name)
        if name in self._refused:
            raise TestCellError(
                f"This test uses '{name}' of another cell, which the notebook's code could "
                "replace. A test cell has to define or import what it judges by."
            )
        answer = self._kernel.ask({"do": "get", "name": name})
        if answer.get("missing"):
            trouble = self._kernel.trouble
            because = f" A cell before stopped with {trouble}" if trouble else ""
            raise StudentCodeError(f"There is no '{name}' in the notebook.{because}")
        if "value" in answer:
            return _decode(answer["value"], f"'{name}'")
        if not answer.get("callable"):
            raise StudentCodeError(
                f"'{name}' is of type {str(answer.get('type'))[:80]}, which no test can look into."
            )
        return self._function(name)

    def _function(self, name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            answer = self._kernel.ask(
                {
                    "do": "call",
                    "name": name,
                    "args": [encode(arg) for arg in args],
                    "kwargs": {key: encode(value) for key, value in kwargs.items()},
                }
            )
            if "error" in answer:
                said = str(answer["error"])[:1000].rstrip(": ")
                raise StudentCodeError(f"{name}() raised {said}")
            if "value" not in answer:
                kind = str(answer.get("type"))[:80]
                raise StudentCodeError(f"{name}() gave a value of type {kind}, not plain data.")
            return _decode(answer["value"], f"What {name}() gave")

        call.__name__ = name
        return call


def _decode(form: Any, what: str) -> Any:
    try:
        return decode(form)
    except NotPlain as exc:
        raise StudentCodeError(f"{what} is not plain data.") from exc


def author_names(source: NotebookNode) -> frozenset[str]:
    """Give what only the author's plain cells define: functions, classes and modules.

    Their data (``raw = read_csv(…)``) is left out: the student's code is there to work with it.
    """
    helpers: set[str] = set()
    students: set[str] = set()
    for cell in source.cells:
        if cell.cell_type != "code" or is_grade(cell):
            continue
        # What IPython alone understands is no definition.
        lines = [line for line in cell.source.split("\n") if line.lstrip()[:1] not in ("%", "!")]
        try:
            tree = ast.parse("\n".join(lines))
        except SyntaxError:
            continue
        if is_solution(cell):
            students |= {name for node in ast.walk(tree) for name in _defined(node)}
        else:
            helpers |= {name for node in tree.body for name in _defined(node)}
    return frozenset(helpers - students)


def _defined(node: ast.AST) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return {node.id}
    return set()


def _run_test(cell: NotebookNode, kernel: Kernel, refused: frozenset[str]) -> str:
    """Run a test cell, give it the outputs that nbgrader's rule looks at, and say what failed."""
    names = Names(kernel, refused)
    tree = ast.parse(cell.source, cell.metadata.nbgrader["grade_id"])
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    cell.outputs = []
    try:
        exec(compile(tree, "test", "exec"), names)  # noqa: S102 - the author's code
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "test", "eval"), names)  # noqa: S307
            if isinstance(value, int | float):
                data = {"text/plain": repr(value)}
                cell.outputs.append(nbformat.v4.new_output("execute_result", data=data))
    except AssertionError as exc:
        message = str(exc) or "This is not what the test expected."
    except (StudentCodeError, TestCellError) as exc:
        message = str(exc)
    except Exception as exc:  # noqa: BLE001 - a value that the test did not expect
        # The text of a KeyError is the key that the test looks up.
        text = "" if isinstance(exc, KeyError) else f": {exc}"
        message = f"What the notebook has cannot be used here ({type(exc).__name__}{text})."
    else:
        return ""
    cell.outputs.append(nbformat.v4.new_output("error", ename="Error", evalue="", traceback=[]))
    return message


def _name_of(cell: NotebookNode) -> dict[str, Any]:
    first = cell.source.strip().split("\n", 1)[0]
    if not first.startswith("#"):
        return {"name": cell.metadata.nbgrader["grade_id"]}
    english, _, russian = first.lstrip("# ").partition(" · ")
    return {"name": english, "names": {"ru": russian} if russian else {}}


def _sources(path: Path) -> dict[str, str]:
    """Give the sources of the student's cells by grade_id; nothing else is read from there."""
    notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
    found: dict[str, str] = {}
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if isinstance(grade_id, str) and cell.cell_type == "code":
            found.setdefault(grade_id, str(cell.source))
    return found


def score(source: NotebookNode, student: dict[str, str], cells: set[str], kernel: Kernel) -> Any:
    """Give the report: one entry for each test cell among ``cells`` (none: all of them)."""
    report: list[dict[str, Any]] = []
    refused = author_names(source)
    for cell in source.cells:
        if cell.cell_type != "code":
            continue
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if is_solution(cell):
            kernel.run_cell(student.get(grade_id, ""))
        elif not is_grade(cell):
            kernel.run_cell(cell.source)
        elif not cells or grade_id in cells:
            began = time.monotonic()
            message = _run_test(cell, kernel, refused)
            points, most = determine_grade(cell)
            entry = {"id": grade_id, "score": points or 0.0, "max_score": most}
            entry |= {"message": message, "duration_s": time.monotonic() - began}
            report.append(entry | _name_of(cell))
    return {"cells": report}


def prepare() -> Kernel:
    """Start all that needs no order, and give the process that waits for the student's cells."""
    kernel = Kernel(USUAL_UID)
    # What nbformat does only at the first notebook: it loads and compiles the format's schema.
    nbformat.reads(nbformat.writes(nbformat.v4.new_notebook()), as_version=4)
    return kernel


def main(kernel: Kernel | None = None) -> int:
    """Score the notebook that the environment names, and write the report; give the exit code.

    Args:
        kernel: That waits, if one does; it is used where it is of the right user.
    """
    env = os.environ
    work = Path(env["HEXHUB_WORK"])
    source = nbformat.read("source.ipynb", as_version=4)
    try:
        student = _sources(work / env["HEXHUB_NOTEBOOK"])
    except Exception as exc:  # noqa: BLE001 - nbformat raises many kinds for a broken file
        print(f"The notebook cannot be read: {type(exc).__name__}")
        return 2
    deadline = time.monotonic() + 0.9 * float(env["HEXHUB_TIMEOUT_S"])
    cells = {name for name in env.get("HEXHUB_CELLS", "").split(",") if name}
    uid = int(env["HEXHUB_UID"])
    if kernel is None or kernel.uid != uid:
        if kernel is not None:
            kernel.close()
        kernel = Kernel(uid)
    try:
        kernel.enter(str(work), deadline)
        report = score(source, student, cells, kernel)
    finally:
        kernel.close()
    Path(env["HEXHUB_REPORT"]).write_text(json.dumps(report), encoding="utf-8")
    return int(any(cell["message"] for cell in report["cells"]))


if __name__ == "__main__":
    sys.exit(main())
