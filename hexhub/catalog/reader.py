"""A course folder → :class:`~hexhub.catalog.model.Course`; the only reader of course files.

Every problem of the whole course is collected before anything is raised, so that an author mends
them in one go.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from hexhub.catalog.format import CheckPart, CoursePart, ExpectPart, HintPart, LessonPart, StepPart
from hexhub.catalog.model import (
    TERMINAL,
    CheckKind,
    CheckSpec,
    Course,
    Hint,
    Isolation,
    Lesson,
    Limits,
    Preview,
    ReportFormat,
    Reveal,
    RevealWhen,
    Service,
    Step,
    Text,
    WrongAnswer,
)
from hexhub.catalog.yaml_file import read_part
from hexhub.errors import CourseInvalid, Problem
from hexhub.names import CourseName, LessonName, StepName, Version, is_name

MAX_TEXT_BYTES = 256 * 1024
MAX_COURSE_FILES = 20_000
GENERATED = ".generated"
"""Folder in a published lesson with what was made from its notebook; never written by authors."""
_IGNORED = {".git", GENERATED, ".ipynb_checkpoints", "__pycache__", ".DS_Store"}
_HEADING = re.compile(r"\A\s*#\s+(?P<title>[^\n]+)\n?")
_LESSON_ENTRIES = {
    "lesson.yml",
    "lesson.ipynb",
    "Dockerfile",
    "image",
    "images",
    "starter",
    "checks",
    "solution",
    "wrong",
}


@dataclass
class _Reading:
    """The state of one reading: where the course is and what is wrong with it so far."""

    folder: Path
    problems: list[Problem] = field(default_factory=list)

    def name_of(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def complain(self, path: Path, found: str, allowed: str) -> None:
        self.problems.append(Problem(self.name_of(path), None, found, allowed))

    def read_text(self, path: Path) -> str:
        """Give the text of a Markdown file, or "" after noting what is wrong with it."""
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            self.complain(path, "no such file", "a Markdown file for every language of the course")
            return ""
        except OSError as exc:
            self.complain(path, f"an unreadable file ({exc.strerror})", "a UTF-8 text file")
            return ""
        if len(data) > MAX_TEXT_BYTES:
            self.complain(path, f"{len(data)} bytes", f"{MAX_TEXT_BYTES} bytes at most")
            return ""
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            self.complain(path, "bytes that are not UTF-8", "a UTF-8 text file")
            return ""


def read_course(folder: Path, *, only: str | None = None) -> Course:
    """Read and check a course folder.

    Args:
        folder: Has ``course.yml``; its name is the course's name.
        only: Read this one lesson; what is wrong with the others does not matter then.

    Returns:
        The course, its version being a hash of all its files.

    Raises:
        CourseInvalid: With every problem found.
    """
    folder = folder.absolute()
    reading = _Reading(folder)
    name = _course_name(folder)
    if not is_name(name):
        reading.problems.append(
            Problem(".", None, f"folder name '{name}'", "lower-case letters, digits, single dashes")
        )
    part = read_part(folder / "course.yml", "course.yml", CoursePart, reading.problems)
    _check_files(reading)
    if part is None:
        raise CourseInvalid(name, reading.problems)
    version = course_version(folder)
    for tag in part.locales:
        for key, texts in (("title", part.title), ("summary", part.summary)):
            if tag not in texts:
                reading.problems.append(
                    Problem("course.yml", None, f"no '{tag}' in '{key}'", "every locale")
                )
    _check_unique(reading, folder / "course.yml", "lesson", part.lessons)
    lessons_folder = folder / "lessons"
    on_disk = (
        {p.name for p in lessons_folder.iterdir() if p.is_dir()}
        if lessons_folder.is_dir()
        else set()
    )
    for extra in sorted(on_disk - set(part.lessons) - _IGNORED):
        reading.complain(
            lessons_folder / extra, "a lesson that course.yml does not list", "listed lessons only"
        )
    lessons = [
        _read_lesson(reading, CourseName(name), part, lesson_name, version)
        for lesson_name in part.lessons
        if only is None or lesson_name == only
    ]
    about = None
    if any((folder / tag / "course.md").exists() for tag in part.locales):
        about = Text({tag: reading.read_text(folder / tag / "course.md") for tag in part.locales})
    if reading.problems:
        raise CourseInvalid(name, reading.problems)
    return Course(
        name=CourseName(name),
        title=_ordered(part.title, part.locales),
        summary=_ordered(part.summary, part.locales),
        locales=tuple(part.locales),
        lessons=tuple(lesson for lesson in lessons if lesson is not None),
        version=version,
        about=about,
        groups=frozenset(part.access.groups),
    )


def _course_name(folder: Path) -> str:
    """Give the course's name; a published copy is kept as ``<course>/<version>/course``."""
    return folder.parent.parent.name if folder.name == "@course" else folder.name


def course_files(folder: Path) -> Iterator[Path]:
    """Give every file of a course in a fixed order, without what belongs to tools."""
    for path in sorted(folder.rglob("*")):
        if _IGNORED.isdisjoint(path.relative_to(folder).parts) and (
            path.is_symlink() or path.is_file()
        ):
            yield path


def course_version(folder: Path) -> Version:
    """Hash a course's files: paths, executable bits and contents."""
    digest = hashlib.sha256()
    for path in course_files(folder):
        data = path.read_bytes() if path.is_file() else b""
        mode = "x" if path.is_file() and path.stat().st_mode & 0o100 else "-"
        name = path.relative_to(folder).as_posix()
        digest.update(f"{mode}{len(name.encode())}:{name}{len(data)}:".encode())
        digest.update(data)
    return Version(digest.hexdigest()[:12])


def _check_files(reading: _Reading) -> None:
    """Note links out of the course and anything that is neither file nor folder."""
    root = reading.folder.resolve()
    for count, path in enumerate(sorted(reading.folder.rglob("*"))):
        if not _IGNORED.isdisjoint(path.relative_to(reading.folder).parts):
            continue
        if count > MAX_COURSE_FILES:
            reading.problems.append(
                Problem(".", None, "very many files", f"{MAX_COURSE_FILES} files at most")
            )
            return
        if path.is_symlink():
            target = path.resolve()
            if not path.exists():
                reading.complain(path, "a link to nothing", "links to files of the course")
            elif not target.is_relative_to(root):
                reading.complain(
                    path, "a link out of the course", "links that stay inside the course folder"
                )
        elif not (path.is_file() or path.is_dir()):
            reading.complain(path, "neither a file nor a folder", "files and folders")


def _check_unique(reading: _Reading, path: Path, what: str, names: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            reading.complain(path, f"{what} '{name}' twice", f"each {what} once")
        seen.add(name)


def _ordered(texts: dict[str, str], locales: Sequence[str]) -> Text:
    """Give the texts with the course's languages first, in the course's order."""
    return Text({tag: texts[tag] for tag in locales if tag in texts} | texts)


def _read_lesson(
    reading: _Reading, course: CourseName, course_part: CoursePart, name: str, version: Version
) -> Lesson | None:
    folder = reading.folder / "lessons" / name
    yml = folder / "lesson.yml"
    part = read_part(yml, reading.name_of(yml), LessonPart, reading.problems)
    if part is None:
        return None
    locales = course_part.locales
    for tag in locales:
        if tag not in part.title:
            reading.complain(yml, f"no '{tag}' in 'title'", "every locale of the course")
    for entry in sorted(folder.iterdir()):
        if entry.name not in _LESSON_ENTRIES | set(locales) | _IGNORED:
            allowed = ", ".join(sorted(_LESSON_ENTRIES | set(locales)))
            reading.complain(entry, "an unknown file or folder", allowed)
    _check_unique(reading, yml, "step", [step.id for step in part.steps])
    _check_unique(reading, yml, "service", [service.name for service in part.services])
    _check_parts(reading, folder, part)
    steps = [
        _read_step(reading, folder, locales, part.steps, place) for place in range(len(part.steps))
    ]
    image = part.image or course_part.image
    if part.build is not None:
        image = f"hexhub/lesson-{course}-{name}:{version}"
    return Lesson(
        course=course,
        name=LessonName(name),
        title=_ordered(part.title, locales),
        image=image,
        builds_image=part.build is not None,
        user=part.user,
        limits=Limits(
            memory_bytes=part.limits.memory,
            cpus=part.limits.cpus,
            processes=part.limits.processes,
            disk_bytes=part.limits.disk,
            idle_s=int(part.limits.idle),
        ),
        network=part.network,
        open=tuple(part.open),
        preview=tuple(
            Preview(
                p.port,
                Text({locales[0]: p.title})
                if isinstance(p.title, str)
                else _ordered(p.title, locales),
            )
            for p in part.preview
        ),
        services=tuple(Service(s.name, s.start, s.first) for s in part.services),
        steps=tuple(steps),
        theory=Text({tag: reading.read_text(folder / tag / "README.md") for tag in locales}),
        reveal=_reveal(part),
        wrong=tuple(_read_wrong(reading, folder, part)),
        notebook=part.notebook,
        records_commands=(part.record or course_part.record).command_text,
        isolation=part.isolation,
    )


def _check_parts(reading: _Reading, folder: Path, part: LessonPart) -> None:
    """Note what does not fit together between ``lesson.yml`` and the lesson's other files."""
    yml = folder / "lesson.yml"
    kinds = {step.check.kind for step in part.steps if step.check is not None}
    has_notebook_check = CheckKind.NOTEBOOK in kinds
    if has_notebook_check and part.notebook is None:
        reading.complain(
            yml, "a notebook check without 'notebook'", "the student's notebook's name"
        )
    if CheckKind.MACHINE in kinds and part.isolation is not Isolation.CONTAINER:
        # The check would stand beside the machine's outer wall: gVisor and a virtual machine keep
        # processes and sockets to themselves.
        reading.complain(
            yml,
            f"a check of kind 'machine' with 'isolation: {part.isolation}', beside whose machine "
            "no check can stand",
            "checks of kind files or notebook, or 'isolation: container'",
        )
    if part.notebook is not None and not part.notebook.endswith(".ipynb"):
        reading.complain(yml, f"'{part.notebook}' at 'notebook'", "a name that ends in .ipynb")
    if part.notebook is not None and not (folder / "lesson.ipynb").is_file():
        reading.complain(folder / "lesson.ipynb", "no such file", "the notebook's source")
    if kinds - {CheckKind.NOTEBOOK} and not (folder / "checks").is_dir():
        reading.complain(folder / "checks", "no such folder", "the files that the checks run")
    if part.build is not None and not (folder / "Dockerfile").is_file():
        reading.complain(folder / "Dockerfile", "no such file", "a Dockerfile for 'build: .'")
    if part.build is None and (folder / "Dockerfile").exists():
        reading.complain(yml, "a Dockerfile, but no 'build: .'", "'build: .' to use it")
    for path in part.open:
        if path == TERMINAL:
            continue
        inner = PurePosixPath(path)
        if inner.parts[0] != "work":
            reading.complain(yml, f"'{path}' at 'open'", "'terminal', or a path that starts work/")
            continue
        below = PurePosixPath(*inner.parts[1:])
        if not (folder / "starter" / below).exists() and str(below) != part.notebook:
            reading.complain(yml, f"'{path}' at 'open'", "a file that starter/ has")


def _read_step(
    reading: _Reading, folder: Path, locales: Sequence[str], parts: Sequence[StepPart], place: int
) -> Step:
    part = parts[place]
    yml = folder / "lesson.yml"
    earlier = [step.id for step in parts[:place]]
    needs = earlier[-1:] if part.needs is None else part.needs
    for need in needs:
        if need not in earlier:
            allowed = ", ".join(earlier) or "nothing: it is the first step"
            reading.complain(yml, f"'{need}' in 'needs' of step '{part.id}'", allowed)
    titles: dict[str, str] = {}
    tasks: dict[str, str] = {}
    for tag in locales:
        path = folder / tag / "steps" / f"{part.id}.md"
        text = reading.read_text(path)
        heading = _HEADING.match(text)
        if heading is None:
            if text:
                reading.complain(path, "no heading in the first line", "'# Title' first")
            titles[tag], tasks[tag] = part.id, text
        else:
            titles[tag] = heading["title"].strip()
            tasks[tag] = text[heading.end() :].strip() + "\n"
    return Step(
        name=StepName(part.id),
        title=Text(titles),
        task=Text(tasks),
        check=_check_spec(part.check),
        needs=tuple(StepName(need) for need in needs),
        hints=tuple(
            _read_hint(reading, folder, locales, part.id, number, hint)
            for number, hint in enumerate(part.hints, start=1)
        ),
        points=part.points,
    )


def _check_spec(part: CheckPart | None) -> CheckSpec | None:
    if part is None:
        return None
    default = ReportFormat.NBGRADER if part.kind is CheckKind.NOTEBOOK else ReportFormat.JUNIT
    return CheckSpec(
        kind=part.kind,
        run=part.run,
        report=part.report or default,
        timeout_s=part.timeout,
        memory_bytes=part.memory,
        submit=tuple(part.submit),
        cells=tuple(part.cells),
        show=part.show,
    )


def _read_hint(
    reading: _Reading,
    folder: Path,
    locales: Sequence[str],
    step: str,
    number: int,
    part: HintPart,
) -> Hint:
    text = Text(
        {
            tag: reading.read_text(folder / tag / "hints" / f"{step}-{number}.md").strip()
            for tag in locales
        }
    )
    if part.after is None:
        return Hint(text)
    return Hint(
        text,
        after_attempts=part.after.attempts,
        after_test=part.after.test,
        after_s=None if part.after.minutes is None else part.after.minutes * 60,
    )


def _reveal(part: LessonPart) -> Reveal:
    reveal = part.solution.reveal
    if isinstance(reveal, RevealWhen):
        return Reveal(reveal)
    return Reveal(RevealWhen.AFTER, int(reveal.after))


def _read_wrong(reading: _Reading, folder: Path, lesson: LessonPart) -> Iterator[WrongAnswer]:
    parent = folder / "wrong"
    if not parent.is_dir():
        return
    steps = {step.id for step in lesson.steps if step.check is not None}
    for wrong in sorted(p for p in parent.iterdir() if p.name not in _IGNORED):
        yml = wrong / "expect.yml"
        if not wrong.is_dir():
            reading.complain(wrong, "a file", "a folder for each wrong answer")
            continue
        part = read_part(yml, reading.name_of(yml), ExpectPart, reading.problems)
        if part is None:
            continue
        for step in part.fails:
            if step not in steps:
                allowed = ", ".join(sorted(steps)) or "nothing: no step has a check"
                reading.complain(yml, f"step '{step}' in 'fails'", allowed)
        yield WrongAnswer(
            name=wrong.name,
            base=part.base,
            fails={StepName(step): tuple(tests) for step, tests in part.fails.items()},
        )
