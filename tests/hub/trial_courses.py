"""Two small courses on disk, whose lessons try one thing of the spawner each."""

from collections.abc import Collection, Mapping
from pathlib import Path

from hexhub.catalog.published import PublishedCatalog
from hexhub.catalog.reader import read_course
from hexhub.names import CourseName, LessonName, ServerName, make_server_name

OPEN_COURSE = CourseName("trial")
CLOSED_COURSE = CourseName("closed")

_COURSE = """\
schema: 1
title: {{en: Trial}}
summary: {{en: For tests.}}
locales: [en]
image: hexhub/base
lessons: [{lessons}]
{access}"""
_LESSON = """\
schema: 1
title: {en: Trial}
steps:
  - id: only
"""
_LIMITS = "limits: {memory: 512M, cpus: 1.0, processes: 200, disk: 1G, idle: 30m}\n"
_CRAMPED = "limits: {memory: 16M, cpus: 1.0, processes: 200, disk: 1G, idle: 30m}\n"
_KEPT = """\
image: hexhub/postgres
services:
  - name: postgres
    start: pg_ctl -D ~/work/pgdata -l ~/work/postgres.log start
limits: {memory: 512M, cpus: 1.0, processes: 200, disk: 1G, idle: 30m}
"""
_LESSONS = {
    OPEN_COURSE: {
        "plain": _LIMITS,
        "rooted": "user: root\n" + _LIMITS,
        "isolated": "network: none\n" + _LIMITS,
        "imageless": "image: hexhub/there-is-none\n",
        "cramped": _CRAMPED,
        "kept": _KEPT,
        "narrow": _LIMITS.replace("512M", "160M"),
        "brief": _LIMITS.replace("30m", "15s"),
        "bounded": _LIMITS.replace("512M", "256M").replace("200", "64").replace("1G", "64M"),
        "walled": "isolation: vm\n" + _LIMITS,
    },
    CLOSED_COURSE: {"secret": _LIMITS},
}


def publish_trial_courses(
    sources: Path, catalog: Path, only: Collection[str] | None = None
) -> None:
    """Write both courses below ``sources`` and publish them into ``catalog``.

    Args:
        sources: Folder of the courses.
        catalog: Where they are published.
        only: Names of the lessons that there are; None: all. A course without any is left out.
    """
    for course, all_lessons in _LESSONS.items():
        lessons = {n: more for n, more in all_lessons.items() if only is None or n in only}
        if not lessons:
            continue
        access = "access: {groups: [insiders]}\n" if course == CLOSED_COURSE else ""
        publish_trial_course(sources, catalog, course, lessons, access=access)


def publish_trial_course(
    sources: Path,
    catalog: Path,
    course: CourseName,
    lessons: Mapping[str, str],
    *,
    access: str = "",
) -> None:
    """Write one course below ``sources`` and publish it: lesson → more lines of its YAML."""
    folder = sources / course
    _write(folder / "course.yml", _COURSE.format(lessons=", ".join(lessons), access=access))
    for lesson, more in lessons.items():
        place = folder / "lessons" / lesson
        _write(
            place / "lesson.yml",
            _LESSON + more,
        )
        _write(place / "en/README.md", "# Trial\n\nTheory.\n")
        _write(place / "en/steps/only.md", "# Only\n\nTask.\n")
        _write(place / "starter/sub/hello.txt", f"Hello from {lesson}\n")
        _write(place / "solution/sub/hello.txt", "Solved\n")
    PublishedCatalog(catalog).publish(folder, read_course(folder), {})


def server_of(lesson: str, course: CourseName = OPEN_COURSE) -> ServerName:
    """Give the server name of a trial lesson."""
    return make_server_name(course, LessonName(lesson))


def all_servers() -> list[ServerName]:
    """Give the server names of all trial lessons."""
    return [server_of(lesson, course) for course, lessons in _LESSONS.items() for lesson in lessons]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
