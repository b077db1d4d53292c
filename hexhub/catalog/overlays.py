"""The files that a lesson lays into a machine or a check container.

An overlay is a set of files below ``~/work`` (or below ``checks/``), held in memory: nothing of it
is ever a path on the host that a student could have a say in.

``hexhub.catalog.notebooks`` is imported where it is needed: nbformat takes a second to import, for
which every start of hub, web and worker would wait.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hexhub.catalog.model import Lesson
from hexhub.catalog.reader import GENERATED, course_files

SOLVE = "solve.sh"
NOTEBOOK_SOURCE = "source.ipynb"


@dataclass(frozen=True)
class OverlayFile:
    """One file of an overlay."""

    data: bytes
    is_executable: bool = False


Overlay = Mapping[str, OverlayFile]
"""POSIX path, relative → file."""


def folder_overlay(folder: Path) -> dict[str, OverlayFile]:
    """Give the files of a folder; empty where there is no such folder."""
    if not folder.is_dir():
        return {}
    return {
        path.relative_to(folder).as_posix(): OverlayFile(
            path.read_bytes(), bool(path.stat().st_mode & 0o100)
        )
        for path in course_files(folder)
    }


def lesson_folder(course_folder: Path, lesson: Lesson) -> Path:
    """Give the folder of a lesson."""
    return course_folder / "lessons" / lesson.name


def starter_overlay(course_folder: Path, lesson: Lesson) -> Overlay:
    """Give what a new machine has in ``~/work``, the student's notebook included."""
    folder = lesson_folder(course_folder, lesson)
    files = folder_overlay(folder / "starter")
    if lesson.notebook is not None:
        files[lesson.notebook] = _notebook(folder, lesson, "starter")
    return files


def solution_overlay(course_folder: Path, lesson: Lesson) -> Overlay:
    """Give the files of the author's solution, without ``solve.sh``."""
    folder = lesson_folder(course_folder, lesson)
    files = folder_overlay(folder / "solution")
    files.pop(SOLVE, None)
    if lesson.notebook is not None:
        files[lesson.notebook] = _notebook(folder, lesson, "solution")
    return files


def wrong_overlay(course_folder: Path, lesson: Lesson, name: str) -> Overlay:
    """Give the files of a known wrong answer, without ``solve.sh`` and ``expect.yml``.

    In a notebook lesson the files ``cells/<grade_id>.py`` replace the sources of those cells in
    the solution's (or the starter's) notebook.
    """
    folder = lesson_folder(course_folder, lesson)
    files = folder_overlay(folder / "wrong" / name)
    files.pop(SOLVE, None)
    files.pop("expect.yml", None)
    if lesson.notebook is not None:
        cells = {
            path.removeprefix("cells/").removesuffix(".py"): files.pop(path).data.decode().rstrip()
            for path in list(files)
            if path.startswith("cells/") and path.endswith(".py")
        }
        if cells:
            from hexhub.catalog.notebooks import replace_cells

            base = next((wrong.base for wrong in lesson.wrong if wrong.name == name), "solution")
            notebook = _notebook(folder, lesson, base).data
            files[lesson.notebook] = OverlayFile(replace_cells(notebook, cells))
    return files


def solve_script(course_folder: Path, lesson: Lesson, answer: str) -> bytes | None:
    """Give ``solve.sh`` of ``solution`` or ``wrong/<name>``, or None where there is none."""
    path = lesson_folder(course_folder, lesson) / answer / SOLVE
    return path.read_bytes() if path.is_file() else None


def check_files(course_folder: Path, lesson: Lesson) -> Overlay:
    """Give what goes into ``/check/checks`` of a check container."""
    folder = lesson_folder(course_folder, lesson)
    files = folder_overlay(folder / "checks")
    if lesson.notebook is not None:
        files[NOTEBOOK_SOURCE] = OverlayFile((folder / "lesson.ipynb").read_bytes())
    return files


def generate_notebooks(course_folder: Path, lesson: Lesson) -> None:
    """Write the student's notebook and the solution into a published lesson.

    Done once when a course is published, so that the hub needs no nbgrader.
    """
    if lesson.notebook is None:
        return
    from hexhub.catalog.notebooks import solution_notebook, student_notebook

    folder = lesson_folder(course_folder, lesson)
    source = (folder / "lesson.ipynb").read_bytes()
    for kind, data in (
        ("starter", student_notebook(source)),
        ("solution", solution_notebook(source)),
    ):
        (folder / GENERATED).mkdir(exist_ok=True)
        (folder / GENERATED / f"{kind}.ipynb").write_bytes(data)


def _notebook(folder: Path, lesson: Lesson, kind: str) -> OverlayFile:
    assert lesson.notebook is not None  # noqa: S101 - callers look first
    generated = folder / GENERATED / f"{kind}.ipynb"
    if generated.is_file():
        return OverlayFile(generated.read_bytes())
    from hexhub.catalog.notebooks import solution_notebook, student_notebook

    source = (folder / "lesson.ipynb").read_bytes()
    make = student_notebook if kind == "starter" else solution_notebook
    return OverlayFile(make(source))
