"""The files of a course as authors write them: ``course.yml``, ``lesson.yml``, ``expect.yml``.

Only shapes and ranges of single values are held here; what needs more than one file is held by
:mod:`hexhub.catalog.reader`. The JSON Schemas for editors come from these models.
"""

import re
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from hexhub.catalog.model import (
    LONGEST_CHECK_S,
    CheckKind,
    Isolation,
    MachineUser,
    Network,
    ReportFormat,
    RevealWhen,
    Show,
)
from hexhub.names import MAX_NAME_LENGTH, is_name

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_BYTES = {"K": 1024, "M": 1024**2, "G": 1024**3}


def _wrong(allowed: str) -> PydanticCustomError:
    return PydanticCustomError("hexhub", "{allowed}", {"allowed": allowed})


def _parse_duration(value: object) -> float:
    match = re.fullmatch(r"(\d{1,6})([smhd])", value) if isinstance(value, str) else None
    if match is None:
        raise _wrong("a number and one of s, m, h, d, such as 20s or 30m")
    return int(match[1]) * _SECONDS[match[2]]


def _parse_size(value: object) -> int:
    match = re.fullmatch(r"(\d{1,6})([KMG])", value) if isinstance(value, str) else None
    if match is None:
        raise _wrong("a number and one of K, M, G, such as 512M")
    return int(match[1]) * _BYTES[match[2]]


def _check_name(value: str) -> str:
    if not is_name(value):
        raise _wrong(
            "lower-case letters, digits and single dashes, a letter first, "
            f"{MAX_NAME_LENGTH} characters at most"
        )
    return value


def _check_inner_path(value: str) -> str:
    path = PurePosixPath(value)
    if not value or path.is_absolute() or ".." in path.parts or "\0" in value:
        raise _wrong("a path that stays inside its folder, such as src/app.py")
    return value


def _check_image(value: str) -> str:
    pattern = r"[a-z0-9][a-z0-9._/-]*(:[0-9]+/[a-z0-9._/-]+)?(:[A-Za-z0-9_][A-Za-z0-9._-]*)?"
    if re.fullmatch(pattern, value) is None:
        raise _wrong("the name of a Docker image, such as hexhub/base")
    return value


Duration = Annotated[
    float,
    BeforeValidator(_parse_duration),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,6}[smhd]$"}),
]
Size = Annotated[
    int,
    BeforeValidator(_parse_size),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,6}[KMG]$"}),
]
Name = Annotated[str, AfterValidator(_check_name)]
InnerPath = Annotated[str, AfterValidator(_check_inner_path)]
Image = Annotated[str, AfterValidator(_check_image)]
LocaleTag = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")]
Localised = Annotated[dict[LocaleTag, Annotated[str, Field(min_length=1)]], Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AccessPart(_Part):
    """Who may open the course: members of any of these JupyterHub groups; empty is everybody."""

    groups: list[str] = []


class RecordPart(_Part):
    """What is recorded about students beyond the usual; they are told."""

    command_text: bool = False


class CoursePart(_Part):
    """``course.yml``."""

    schema_version: Literal[1] = Field(alias="schema")
    title: Localised
    summary: Localised
    locales: list[LocaleTag] = Field(min_length=1)
    image: Image = "hexhub/base"
    lessons: list[Name] = Field(min_length=1)
    access: AccessPart = AccessPart()
    record: RecordPart = RecordPart()


class LimitsPart(_Part):
    """What a student's container may use."""

    memory: Size = 768 * 1024**2
    cpus: float = Field(default=1.0, gt=0, le=64)
    processes: int = Field(default=256, ge=32, le=100_000)
    disk: Size = 1024**3
    idle: Duration = 1800


class CheckPart(_Part):
    """How a step is checked."""

    kind: CheckKind
    run: str = ""
    report: ReportFormat | None = None
    timeout: Duration = Field(default=20, gt=0, le=LONGEST_CHECK_S, validate_default=False)
    memory: Size = 512 * 1024**2
    submit: list[InnerPath] = []
    cells: list[str] = []
    show: Show = Show.MESSAGE

    @model_validator(mode="after")
    def _fits_kind(self) -> Self:
        if self.kind is CheckKind.NOTEBOOK:
            if self.run:
                raise _wrong("a notebook check without 'run': its cells are the check")
            if self.report not in (None, ReportFormat.NBGRADER):
                raise _wrong("'report: nbgrader' (or no 'report') for a notebook check")
            return self
        if not self.run.strip():
            raise _wrong("'run': the command that checks, such as pytest -q test_step.py")
        if self.report is ReportFormat.NBGRADER or self.cells:
            raise _wrong("'report: nbgrader' and 'cells' only with 'kind: notebook'")
        if (self.kind is CheckKind.FILES) != bool(self.submit):
            raise _wrong("'submit' with the files that are taken for 'files', none for 'machine'")
        return self


class AfterPart(_Part):
    """The condition of a hint: exactly one."""

    attempts: int | None = Field(default=None, ge=1, le=100)
    test: str | None = None
    minutes: int | None = Field(default=None, ge=1, le=1000)

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(value is not None for value in (self.attempts, self.test, self.minutes)) != 1:
            raise _wrong("exactly one of attempts, test, minutes")
        return self


class HintPart(_Part):
    """A hint; with no condition it may be had at once."""

    after: AfterPart | None = None


class StepPart(_Part):
    """One step. Without ``needs`` it opens when the step before it is passed."""

    id: Name
    check: CheckPart | None = None
    needs: list[Name] | None = None
    hints: list[HintPart] = []
    points: float = Field(default=1.0, ge=0, le=1000)


class PreviewPart(_Part):
    """A web server in the student's container."""

    port: int = Field(ge=1, le=65535)
    title: Localised | str


_BECOMES_ROOT = re.compile(r"(?:^|[;&|(])\s*(?:sudo|su|doas|runuser|systemctl)\b")
_NEEDS_ROOT = re.compile(r"(?:^|[;&|(])\s*(?:service\s|/etc/init\.d/)")


class ServicePart(_Part):
    """A program that runs again when the machine is resumed; ``first``: in a new one too."""

    name: str = Field(pattern=r"^[A-Za-z0-9_.@:+-]{1,64}$")
    start: str = Field(min_length=1, max_length=1000)
    first: bool = False

    @field_validator("start")
    @classmethod
    def _runs_as_it_is(cls, start: str) -> str:
        if _BECOMES_ROOT.search(start):
            raise _wrong(
                "the command itself: it runs as the lesson's user, nobody becomes root in a "
                "machine, and there is no systemd. A service of root needs a lesson of 'user: root'"
            )
        return start


class RevealAfterPart(_Part):
    """``{after: 20m}``."""

    after: Duration


class SolutionPart(_Part):
    """When the author's solution may be seen."""

    reveal: Literal[RevealWhen.PASSED, RevealWhen.NEVER] | RevealAfterPart = RevealWhen.PASSED


class LessonPart(_Part):
    """``lesson.yml``."""

    schema_version: Literal[1] = Field(alias="schema")
    title: Localised
    image: Image | None = None
    build: Literal["."] | None = None
    user: MachineUser = MachineUser.STUDENT
    limits: LimitsPart = LimitsPart()
    network: Network = Network.INTERNET
    isolation: Isolation = Isolation.CONTAINER
    open: list[InnerPath] = []
    preview: list[PreviewPart] = []
    services: list[ServicePart] = Field(default=[], max_length=20)
    notebook: InnerPath | None = None
    steps: list[StepPart] = Field(min_length=1, max_length=50)
    solution: SolutionPart = SolutionPart()
    record: RecordPart | None = None

    @field_validator("services")
    @classmethod
    def _services_need_no_other_user(
        cls, services: list[ServicePart], info: ValidationInfo
    ) -> list[ServicePart]:
        needs_root = any(_NEEDS_ROOT.search(service.start) for service in services)
        if needs_root and info.data.get("user") is MachineUser.STUDENT:
            raise _wrong(
                "programs that a student may start; 'service' and /etc/init.d need a lesson of "
                "'user: root'"
            )
        return services

    @model_validator(mode="after")
    def _has_one_image(self) -> Self:
        if self.image is not None and self.build is not None:
            raise _wrong("either 'image' or 'build', not both")
        return self


class ExpectPart(_Part):
    """``wrong/<name>/expect.yml``."""

    base: Literal["solution", "starter"] = "solution"
    fails: dict[Name, Annotated[list[str], Field(min_length=1)]] = Field(min_length=1)


def course_schema() -> dict[str, Any]:
    """Give the JSON Schema of ``course.yml``."""
    return CoursePart.model_json_schema()


def lesson_schema() -> dict[str, Any]:
    """Give the JSON Schema of ``lesson.yml``."""
    return LessonPart.model_json_schema()
