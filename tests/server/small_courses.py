"""Two small courses on disk for the tests of the web service."""

from pathlib import Path

from hexhub.catalog.published import PublishedCatalog
from hexhub.catalog.reader import read_course
from hexhub.names import CourseName, LessonName, make_server_name

TINY = CourseName("tiny")
FIRST = LessonName("first")
FIRST_SERVER = make_server_name(TINY, FIRST)
SECOND_SERVER = make_server_name(TINY, LessonName("second"))
CANARY = "canary-of-the-author"

_COURSE = """\
schema: 1
title: {{en: {title}, ru: По-русски}}
summary: {{en: For tests., ru: Для проб.}}
locales: [en, ru]
image: hexhub/base
lessons: [{lessons}]
{more}"""
_FIRST = """\
schema: 1
title: {en: First, ru: Первый}
open: [work/app.py, terminal]
steps:
  - id: one
    check: {kind: files, run: pytest -q test_one.py, submit: [app.py], show: name}
    hints: [{}, {after: {attempts: 1}}]
  - id: two
    needs: [one]
    check: {kind: machine, run: pytest -q test_two.py}
  - id: three
    needs: [two]
"""
_SECOND = """\
schema: 1
title: {en: Second, ru: Второй}
steps:
  - id: only
"""


def publish_small_courses(sources: Path, catalog: Path) -> None:
    """Write the courses ``tiny`` and ``closed`` below ``sources`` and publish them."""
    tiny = sources / "tiny"
    _write(tiny / "course.yml", _COURSE.format(title="Tiny", lessons="first, second", more=""))
    for tag in ("en", "ru"):
        _write(tiny / tag / "course.md", f"About **it** ({tag}) <script>alert(1)</script>\n")
        first = tiny / "lessons/first"
        _write(first / tag / "README.md", f"Theory ({tag})\n")
        for step in ("one", "two", "three"):
            _write(first / tag / f"steps/{step}.md", f"# Step {step} ({tag})\n\nDo {step}.\n")
        for number in (1, 2):
            _write(first / tag / f"hints/one-{number}.md", f"Hint {number} ({tag}).\n")
    _write(first / "lesson.yml", _FIRST)
    for step in ("one", "two"):
        _write(first / f"checks/test_{step}.py", f"def test_{step}(): ...  # {CANARY}\n")
    _write(first / "starter/app.py", "x = 1\n")
    _write(first / "solution/app.py", f"x = 2  # {CANARY}\n")
    _write(first / "solution/logo.png", "\0")
    _write(first / "solution/solve.sh", "#!/bin/sh\ntrue\n")
    _write_second(tiny)
    PublishedCatalog(catalog).publish(tiny, read_course(tiny), {})

    closed = sources / "closed"
    more = "access: {groups: [insiders]}\n"
    _write(closed / "course.yml", _COURSE.format(title="Closed", lessons="second", more=more))
    _write_second(closed)
    PublishedCatalog(catalog).publish(closed, read_course(closed), {})


def publish_watched_course(sources: Path, catalog: Path) -> None:
    """Write the course ``watched``, which records the text of commands, and publish it."""
    watched = sources / "watched"
    more = "record: {command_text: true}\n"
    _write(watched / "course.yml", _COURSE.format(title="Watched", lessons="second", more=more))
    _write_second(watched)
    PublishedCatalog(catalog).publish(watched, read_course(watched), {})


def _write_second(folder: Path) -> None:
    second = folder / "lessons/second"
    _write(second / "lesson.yml", _SECOND)
    for tag in ("en", "ru"):
        _write(second / tag / "README.md", f"Theory ({tag})\n")
        _write(second / tag / "steps/only.md", f"# Only ({tag})\n\nDo it.\n")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
