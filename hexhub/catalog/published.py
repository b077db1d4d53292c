"""The published catalog: versions of courses on disk, and which one is current.

Design choices: files, not a table, because the hub must start machines while our database is away
(DESIGN §3). A version is a whole copy of the course folder, made beside and renamed into place;
``current`` is one small file, replaced by rename. A reader therefore sees the old course or the
new one, never half of one::

    <catalog>/<course>/current                 the version's name
    <catalog>/<course>/<version>/@course/      the course folder
    <catalog>/<course>/<version>/expected.json lesson → step → test ids of the author's solution
"""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hexhub.catalog.model import Course, Lesson
from hexhub.catalog.overlays import generate_notebooks
from hexhub.catalog.reader import course_files, course_version, read_course
from hexhub.errors import CourseChanged, CourseNotFound, VersionNotFound
from hexhub.names import CourseName, LessonName, StepName, Version, is_name

_COURSE = "@course"
_CURRENT = "current"
_EXPECTED = "expected.json"

ExpectedTests = Mapping[LessonName, Mapping[StepName, tuple[str, ...]]]


class PublishedCatalog:
    """Courses as students see them; cheap to ask, since versions never change."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._courses: dict[tuple[str, str], Course] = {}
        self._expected: dict[tuple[str, str], dict[str, dict[str, list[str]]]] = {}

    def courses(self) -> list[Course]:
        """Give the current version of every published course, by name."""
        return [self.course(CourseName(name)) for name in self._names()]

    def course(self, name: str, version: str | None = None) -> Course:
        """Give one course.

        Args:
            name: Of the course.
            version: One that was published; None means the current one.

        Raises:
            CourseNotFound: No such course is published.
            VersionNotFound: It has no such version on disk.
        """
        wanted = version or self._current(name)
        if wanted is None:
            raise CourseNotFound(name, self._names())
        key = (name, wanted)
        if key not in self._courses:
            self._courses[key] = read_course(self.folder(name, wanted))
        return self._courses[key]

    def folder(self, name: str, version: str) -> Path:
        """Give the course folder of one version.

        Raises:
            VersionNotFound: It is not on disk.
        """
        path = self._folder / name / version / _COURSE
        if not (is_name(name) and version.isalnum() and path.is_dir()):
            raise VersionNotFound(name, version)
        return path

    def at_server(self, server_name: str) -> tuple[Course, Lesson] | None:
        """Give the lesson whose machine a JupyterHub server of this name is, or None."""
        for course in self.courses():
            for lesson in course.lessons:
                if lesson.server_name == server_name:
                    return course, lesson
        return None

    def expected_tests(
        self, name: str, version: str, lesson: str, step: str
    ) -> tuple[str, ...] | None:
        """Give the test ids that the author's solution produced at a step, or None."""
        key = (name, version)
        if key not in self._expected:
            path = self.folder(name, version).parent / _EXPECTED
            self._expected[key] = json.loads(path.read_text(encoding="utf-8"))
        ids = self._expected[key].get(lesson, {}).get(step)
        return None if ids is None else tuple(ids)

    def publish(self, source: Path, course: Course, expected: ExpectedTests) -> None:
        """Make ``source``, which was read as ``course``, the current version; all or nothing.

        Raises:
            CourseChanged: The files are not those any more that were read, and whose tests are
                ``expected``.
        """
        parent = self._folder / course.name
        parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        target = parent / course.version
        if not target.is_dir():
            making = Path(tempfile.mkdtemp(prefix=".making-", dir=parent))
            try:
                self._copy(source, making / _COURSE)
                if course_version(making / _COURSE) != course.version:
                    raise CourseChanged(course.name)
                for lesson in course.lessons:
                    generate_notebooks(making / _COURSE, lesson)
                tests = {
                    lesson: {step: list(ids) for step, ids in steps.items()}
                    for lesson, steps in expected.items()
                }
                (making / _EXPECTED).write_text(json.dumps(tests, indent=1), encoding="utf-8")
                making.rename(target)
            except BaseException:
                shutil.rmtree(making, ignore_errors=True)
                raise
        self._set_current(parent, course.version)

    def _copy(self, source: Path, target: Path) -> None:
        for path in course_files(source):
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)

    def _set_current(self, parent: Path, version: Version) -> None:
        descriptor, name = tempfile.mkstemp(prefix=".current-", dir=parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(version)
            file.flush()
            os.fsync(file.fileno())
        Path(name).rename(parent / _CURRENT)

    def _current(self, name: str) -> str | None:
        if not is_name(name):
            return None
        try:
            return (self._folder / name / _CURRENT).read_text(encoding="utf-8").strip()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _names(self) -> list[str]:
        if not self._folder.is_dir():
            return []
        return sorted(p.name for p in self._folder.iterdir() if self._current(p.name) is not None)
