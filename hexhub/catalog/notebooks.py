"""An author's nbgrader notebook → the student's notebook and the solution; no gradebook.

nbgrader's own preprocessors do the work, in the order of its ``generate_assignment`` converter;
only those that need its database are left out. nbgrader is imported when it is needed: it takes a
second, and the hub never needs it.
"""

from collections.abc import Mapping

import nbformat
from nbformat import NotebookNode

from hexhub.errors import CourseInvalid, Problem


def _read(data: bytes, name: str) -> NotebookNode:
    try:
        notebook: NotebookNode = nbformat.reads(data.decode("utf-8"), as_version=4)
    except (ValueError, KeyError, nbformat.reader.NotJSONError, nbformat.ValidationError) as exc:
        problem = Problem(name, None, "an unreadable notebook", "a notebook of format 4")
        raise CourseInvalid(name, [problem]) from exc
    return notebook


def _write(notebook: NotebookNode) -> bytes:
    text: str = nbformat.writes(notebook)
    return f"{text}\n".encode()


def student_notebook(source: bytes) -> bytes:
    """Give the student's notebook: no solutions, no hidden tests, test cells locked.

    Raises:
        CourseInvalid: It is not a notebook.

    Source: nbgrader ``converters.generate_assignment.GenerateAssignment.preprocessors``.
    """
    from nbgrader.preprocessors import (
        CheckCellMetadata,
        ClearHiddenTests,
        ClearMarkScheme,
        ClearOutput,
        ClearSolutions,
        ComputeChecksums,
        LockCells,
    )

    return _preprocess(
        source,
        LockCells,
        ClearSolutions,
        ClearOutput,
        CheckCellMetadata,
        ComputeChecksums,
        ClearHiddenTests,
        ClearMarkScheme,
        ComputeChecksums,
        CheckCellMetadata,
    )


def solution_notebook(source: bytes) -> bytes:
    """Give the author's solution as a student may see it: no hidden tests, no outputs.

    Raises:
        CourseInvalid: It is not a notebook.
    """
    from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, ClearOutput, LockCells

    notebook = _read(
        _preprocess(source, LockCells, ClearOutput, ClearHiddenTests, ClearMarkScheme),
        "lesson.ipynb",
    )
    for cell in notebook.cells:
        cell.source = "\n".join(
            line
            for line in cell.source.split("\n")
            if line.strip() not in ("### BEGIN SOLUTION", "### END SOLUTION")
        )
    return _write(notebook)


def replace_cells(notebook: bytes, sources: Mapping[str, str]) -> bytes:
    """Give the notebook with the sources of some cells replaced, by ``grade_id``.

    Raises:
        CourseInvalid: A ``grade_id`` is not in the notebook.
    """
    tree = _read(notebook, "lesson.ipynb")
    left = dict(sources)
    for cell in tree.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if grade_id in left:
            cell.source = left.pop(grade_id)
    if left:
        problem = Problem(
            "lesson.ipynb", None, f"no cells {', '.join(sorted(left))}", "grade_ids that exist"
        )
        raise CourseInvalid("lesson.ipynb", [problem])
    return _write(tree)


def _preprocess(source: bytes, *preprocessors: type) -> bytes:
    notebook = _read(source, "lesson.ipynb")
    resources: dict[str, object] = {
        "nbgrader": {},
        "metadata": {"path": "."},
        "unique_key": "lesson",
    }
    for preprocessor in preprocessors:
        notebook, resources = preprocessor().preprocess(notebook, resources)
    return _write(notebook)
