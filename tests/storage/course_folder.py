"""A small course on disk, as an author would write it, for the tests of the catalog."""

from pathlib import Path

import nbformat

COURSE_YML = """\
schema: 1
title: {en: Tiny, ru: Крошка}
summary: {en: One lesson., ru: Один урок.}
locales: [en, ru]
image: hexhub/base
lessons: [first, second]
"""
FIRST_YML = """\
schema: 1
title: {en: First, ru: Первый}
user: student
limits: {memory: 512M, cpus: 0.5, processes: 128, disk: 1G, idle: 30m}
open: [work/app.py, terminal]
steps:
  - id: one
    check: {kind: files, run: pytest -q test_one.py, submit: [app.py], timeout: 20s}
    hints: [{after: {attempts: 1}}]
  - id: two
    check: {kind: machine, run: pytest -q test_two.py}
  - id: three
    needs: []
"""
SECOND_YML = """\
schema: 1
title: {en: Second, ru: Второй}
notebook: air.ipynb
steps:
  - id: mean
    check: {kind: notebook}
"""
SOURCE = """\
def square(x):
    ### BEGIN SOLUTION
    return x * x
    ### END SOLUTION"""
HIDDEN = """\
assert square(2) == 4
### BEGIN HIDDEN TESTS
assert square(-3) == 9, "canary"
### END HIDDEN TESTS"""


def write(folder: Path, name: str, text: str) -> None:
    """Write one file of the course, making its folders."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def source_notebook() -> str:
    """Give an nbgrader source notebook with one solution cell and one hidden test."""
    base = {"schema_version": 3, "locked": False, "task": False}
    solution = nbformat.v4.new_code_cell(
        SOURCE,
        metadata={"nbgrader": base | {"grade": False, "solution": True, "grade_id": "square"}},
    )
    test = nbformat.v4.new_code_cell(
        HIDDEN,
        metadata={
            "nbgrader": base
            | {"grade": True, "solution": False, "grade_id": "test_square", "points": 2}
        },
    )
    return nbformat.writes(nbformat.v4.new_notebook(cells=[solution, test]))


def make_course(parent: Path, name: str = "tiny") -> Path:
    """Write the course into ``parent`` and give its folder."""
    folder = parent / name
    write(folder, "course.yml", COURSE_YML)
    first = "lessons/first"
    write(folder, f"{first}/lesson.yml", FIRST_YML)
    for tag in ("en", "ru"):
        write(folder, f"{tag}/course.md", f"About ({tag})\n")
        write(folder, f"{first}/{tag}/README.md", f"Theory ({tag})\n")
        for step in ("one", "two", "three"):
            write(folder, f"{first}/{tag}/steps/{step}.md", f"# Step {step} ({tag})\n\nDo it.\n")
        write(folder, f"{first}/{tag}/hints/one-1.md", "Look.\n")
        write(folder, f"lessons/second/{tag}/README.md", "Theory\n")
        write(folder, f"lessons/second/{tag}/steps/mean.md", "# Mean\n\nFind it.\n")
    write(folder, f"{first}/starter/app.py", "x = 1\n")
    write(folder, f"{first}/checks/test_one.py", "def test_x(): ...\n")
    write(folder, f"{first}/solution/app.py", "x = 2\n")
    write(folder, f"{first}/solution/solve.sh", "#!/bin/sh\ntrue\n")
    write(folder, f"{first}/wrong/typo/app.py", "x = 3\n")
    write(folder, f"{first}/wrong/typo/expect.yml", "fails: {one: ['test_one::test_x']}\n")
    write(folder, "lessons/second/lesson.yml", SECOND_YML)
    write(folder, "lessons/second/lesson.ipynb", source_notebook())
    write(folder, "lessons/second/wrong/cube/cells/square.py", "def square(x):\n    return x**3\n")
    write(folder, "lessons/second/wrong/cube/expect.yml", "fails: {mean: [test_square]}\n")
    return folder
