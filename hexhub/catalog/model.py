"""Course ▸ Lesson ▸ Step, as the rest of HexHub sees them. Frozen; no disk, no framework."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath

from hexhub.errors import LessonNotFound, StepNotFound
from hexhub.names import (
    CourseName,
    LessonName,
    ServerName,
    StepName,
    Version,
    make_server_name,
)

Locale = str
"""A language tag as course folders use it, such as ``en`` or ``ru``."""


@dataclass(frozen=True)
class Text:
    """One text in one or more languages.

    Attributes:
        by_locale: Language tag → text; at least one entry; the first is the fallback.
    """

    by_locale: Mapping[Locale, str]

    def in_locale(self, locale: Locale) -> str:
        """Give the text in ``locale``, else in its base language, else in the first language."""
        for wanted in (locale, locale.split("-")[0]):
            if wanted in self.by_locale:
                return self.by_locale[wanted]
        return next(iter(self.by_locale.values()))


class CheckKind(StrEnum):
    """Where a check stands (DESIGN §6)."""

    FILES = "files"
    MACHINE = "machine"
    NOTEBOOK = "notebook"


class ReportFormat(StrEnum):
    """What the check command writes."""

    JUNIT = "junit"
    TAP = "tap"
    EXIT = "exit"
    NBGRADER = "nbgrader"


class Show(StrEnum):
    """How much of a failing test the student sees."""

    FULL = "full"
    MESSAGE = "message"
    NAME = "name"


class MachineUser(StrEnum):
    """Who the student is in the container."""

    STUDENT = "student"
    ROOT = "root"

    @property
    def home(self) -> PurePosixPath:
        """Home folder in the container; the student's files are in ``work`` below it."""
        return PurePosixPath("/root" if self is MachineUser.ROOT else "/home/student")

    @property
    def work(self) -> PurePosixPath:
        """Folder of the student's files in the container."""
        return self.home / "work"

    @property
    def uid(self) -> int:
        """Numeric user and group id in the container."""
        return 0 if self is MachineUser.ROOT else 1000


class Network(StrEnum):
    """What a student's container may reach."""

    INTERNET = "internet"
    NONE = "none"


class Isolation(StrEnum):
    """What stands between a student's machine and the kernel of the computer it runs on."""

    CONTAINER = "container"
    GVISOR = "gvisor"
    VM = "vm"


@dataclass(frozen=True)
class Limits:
    """What a student's container may use.

    Attributes:
        memory_bytes: Memory, and as much again of nothing: swap is off.
        cpus: Cores, in fractions.
        processes: Processes and threads at one time.
        disk_bytes: Disk, held where the filesystem can.
        idle_s: Seconds without use after which the server is stopped.
    """

    memory_bytes: int
    cpus: float
    processes: int
    disk_bytes: int
    idle_s: int


LONGEST_CHECK_S = 600.0
"""The longest ``timeout`` that a check may have."""


@dataclass(frozen=True)
class CheckSpec:
    """How one step is checked.

    Attributes:
        kind: Where the check stands.
        run: Shell command, run in the copy of ``checks/``; empty for notebooks.
        report: What the command writes.
        timeout_s: Wall time of the command in seconds.
        memory_bytes: Memory of the check container.
        submit: Paths or glob patterns below ``work`` that are taken (``files``), or what is taken
            besides the notebook, such as its data (``notebook``); empty for ``machine``.
        cells: ``grade_id`` of the notebook cells that make up this step; empty means all.
        show: How much of a failing test the student sees.
    """

    kind: CheckKind
    run: str
    report: ReportFormat
    timeout_s: float
    memory_bytes: int = 512 * 1024**2
    submit: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    show: Show = Show.MESSAGE


@dataclass(frozen=True)
class Hint:
    """A hint, and when it may be had; with no condition it may be had at once.

    Attributes:
        text: Markdown.
        after_attempts: Finished attempts at this step that are needed.
        after_test: Id of a test that must have failed in an attempt.
        after_s: Seconds since the lesson was started that are needed.
    """

    text: Text
    after_attempts: int | None = None
    after_test: str | None = None
    after_s: int | None = None


@dataclass(frozen=True)
class Step:
    """One task, with at most one check.

    A step without a check is passed when the student says so.

    Attributes:
        title: First heading of the task.
        task: Markdown without that heading.
        needs: Steps that must be passed before.
        points: What passing gives.
    """

    name: StepName
    title: Text
    task: Text
    check: CheckSpec | None
    needs: tuple[StepName, ...] = ()
    hints: tuple[Hint, ...] = ()
    points: float = 1.0


@dataclass(frozen=True)
class Preview:
    """A web server in the student's container that the IDE can show."""

    port: int
    title: Text


@dataclass(frozen=True)
class Service:
    """A program of the student's machine that runs again when the machine is resumed.

    Attributes:
        name: Of its process, as ``ps -o comm`` shows it.
        start: Shell command that starts it, as the lesson's user in ``~/work``.
        is_first: It is started in a new machine too.
    """

    name: str
    start: str
    is_first: bool = False


class RevealWhen(StrEnum):
    """When the author's solution may be seen."""

    PASSED = "passed"
    NEVER = "never"
    AFTER = "after"


@dataclass(frozen=True)
class Reveal:
    """When the author's solution may be seen; ``after_s`` (since the start) only with AFTER."""

    when: RevealWhen = RevealWhen.PASSED
    after_s: int | None = None


@dataclass(frozen=True)
class WrongAnswer:
    """A known wrong answer, laid over the solution (or the starter), and where it must fail.

    Attributes:
        name: Folder name below ``wrong/``.
        base: ``solution`` or ``starter``: what the overlay is laid over.
        fails: Step → exactly the test ids that fail there.
    """

    name: str
    base: str
    fails: Mapping[StepName, tuple[str, ...]]


TERMINAL = "terminal"
"""The word in a lesson's ``open`` that means a terminal and no file."""


@dataclass(frozen=True)
class Lesson:
    """The unit that has a machine.

    Attributes:
        image: Docker image name, such as ``hexhub/base``; for ``build: .`` the name that
            publishing gives to what it builds.
        builds_image: True where the lesson has a Dockerfile of its own (``build: .``).
        open: Files below the home folder to open first, and ``terminal``.
        theory: Markdown.
        notebook: Name of the student's notebook that is generated from ``lesson.ipynb``, or None.
        records_commands: True where the text of commands in the terminal is recorded, too.
        isolation: What the machine, and checks that run the student's code, are kept in.
    """

    course: CourseName
    name: LessonName
    title: Text
    image: str
    user: MachineUser
    limits: Limits
    network: Network
    steps: tuple[Step, ...]
    theory: Text
    builds_image: bool = False
    open: tuple[str, ...] = ()
    preview: tuple[Preview, ...] = ()
    services: tuple[Service, ...] = ()
    reveal: Reveal = Reveal()
    wrong: tuple[WrongAnswer, ...] = ()
    notebook: str | None = None
    records_commands: bool = False
    isolation: Isolation = Isolation.CONTAINER

    @property
    def server_name(self) -> ServerName:
        """Name of the JupyterHub server of this lesson."""
        return make_server_name(self.course, self.name)

    def step(self, name: str) -> Step:
        """Give the step of that name.

        Raises:
            StepNotFound: There is none.
        """
        for step in self.steps:
            if step.name == name:
                return step
        raise StepNotFound(self.name, name, (step.name for step in self.steps))


@dataclass(frozen=True)
class Course:
    """Lessons in order.

    Attributes:
        locales: Languages it is written in; the first is the fallback.
        groups: JupyterHub groups that may open it; empty means everybody.
        version: Hash of its files (``hexhub.catalog.reader``).
    """

    name: CourseName
    title: Text
    summary: Text
    locales: tuple[Locale, ...]
    lessons: tuple[Lesson, ...]
    version: Version
    about: Text | None = None
    groups: frozenset[str] = field(default_factory=frozenset)

    def lesson(self, name: str) -> Lesson:
        """Give the lesson of that name.

        Raises:
            LessonNotFound: There is none.
        """
        for lesson in self.lessons:
            if lesson.name == name:
                return lesson
        raise LessonNotFound(self.name, name, (lesson.name for lesson in self.lessons))

    def after(self, name: LessonName) -> Lesson | None:
        """Give the lesson that follows ``name``, or None after the last one."""
        names = [lesson.name for lesson in self.lessons]
        place = names.index(name) + 1
        return self.lessons[place] if place < len(self.lessons) else None

    def before(self, name: LessonName) -> Lesson | None:
        """Give the lesson that ``name`` follows, or None before the first one."""
        place = [lesson.name for lesson in self.lessons].index(name)
        return self.lessons[place - 1] if place > 0 else None

    def opens_for(self, groups: Iterator[str] | frozenset[str] | set[str]) -> bool:
        """Tell whether somebody in ``groups`` may open this course."""
        return not self.groups or bool(self.groups & frozenset(groups))
