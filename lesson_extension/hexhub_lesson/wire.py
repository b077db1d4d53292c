"""JSON of API v1 → values, as far as the ``lesson`` command needs it; pure, standard library only.

The server extension hands the API's answers on as they are; only errors of its own are made here.
``tests/contract/*.json`` holds both sides to the same form.

Design choices: named tuples, since ``dataclasses`` would be a quarter of the command's start.
"""

import json
from collections.abc import Mapping
from typing import NamedTuple, NoReturn, TypeVar

VERSION = 1

LOCKED, OPEN, PASSED = "locked", "open", "passed"
"""States of a step."""

RUNNING, DONE = "running", "done"
"""States of an attempt: a worker has it; it has an outcome. Before them it is queued."""


class AnswerInvalid(Exception):
    """An answer breaks the contract of API v1. The message names the field."""


class Refusal(Exception):
    """The API said no, or could not. ``code`` is for programs, the message for people."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


class Link(NamedTuple):
    """Something to open in the browser; ``url`` is a path on the hub's address, or whole."""

    title: str
    url: str


class StepView(NamedTuple):
    """One step as the student may see it.

    Attributes:
        state: ``locked``, ``open`` or ``passed``.
        task: Markdown; None while the step is locked.
        hints_total, hints_taken: How many hints there are, and the texts that were taken.
        hint_reason: Why the next hint may not be had yet; empty where it may, or there is none.
    """

    name: str
    title: str
    state: str
    task: str | None
    has_check: bool
    hints_total: int
    hints_taken: tuple[str, ...]
    hint_reason: str


class LessonView(NamedTuple):
    """A lesson with the student's state in it.

    Attributes:
        locale: Language of the texts, as the API chose it.
        current_step: Name of the step to work on.
        solution_reason: Why the solution may not be seen yet; empty where it may.
        next_lesson: What comes after, or None after the last one.
    """

    locale: str
    course: str
    title: str
    is_finished: bool
    steps: tuple[StepView, ...]
    current_step: str
    solution_reason: str
    next_lesson: Link | None

    def step(self, name: str) -> StepView | None:
        """Give the step of that name, or None."""
        return next((step for step in self.steps if step.name == name), None)


class ResultLine(NamedTuple):
    """One line of an outcome; ``outcome`` is ``passed``, ``failed``, ``error`` or ``skipped``."""

    name: str
    outcome: str
    message: str
    expected: str | None
    actual: str | None
    output: str


class OutcomeView(NamedTuple):
    """The verdict: ``passed``, ``failed``, ``error``, ``ungradable`` or ``cancelled``."""

    outcome: str
    message: str
    tests: tuple[ResultLine, ...]
    duration_s: float


class AttemptView(NamedTuple):
    """One run of a check; ``position`` is its place in the queue, ``outcome`` comes when done.

    Attributes:
        finished_at: ISO 8601; None until it is done.
        regraded_with: The course's version with which an earlier answer was graded again; empty
            where the student asked for this attempt.
    """

    id: str
    step: str
    state: str
    position: int | None
    finished_at: str | None
    outcome: OutcomeView | None
    regraded_with: str


class HintView(NamedTuple):
    """A hint that was taken just now: Markdown, and how many of how many are taken."""

    hint: str
    taken: int
    total: int


class SolutionFile(NamedTuple):
    """One file of the author's solution; ``text`` is None where it is binary."""

    path: str
    text: str | None


class SolutionView(NamedTuple):
    """The author's solution: files below ``~/work``, and a script where there is one."""

    files: tuple[SolutionFile, ...]
    script: str | None


T = TypeVar("T")


class _Fields:
    """Takes typed fields out of a JSON object; a missing or wrong one is named by its path."""

    def __init__(self, data: object, path: str) -> None:
        if not isinstance(data, dict):
            _break(path, "an object")
        self._data: Mapping[str, object] = data
        self._path = path

    def take(self, key: str, kind: type[T], wanted: str) -> T:
        value = self._data.get(key)
        # bool is an int in Python, and is not meant where a number is.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            _break(f"{self._path}.{key}", wanted)
        return value

    def text(self, key: str) -> str:
        return self.take(key, str, "a text")

    def flag(self, key: str) -> bool:
        return self.take(key, bool, "true or false")

    def count(self, key: str) -> int:
        return self.take(key, int, "a whole number")

    def number(self, key: str) -> float:
        value = self._data.get(key)
        return (
            float(self.count(key)) if isinstance(value, int) else self.take(key, float, "a number")
        )

    def is_null(self, key: str) -> bool:
        return self._data.get(key) is None

    def text_or_none(self, key: str) -> str | None:
        return None if self.is_null(key) else self.text(key)

    def fields(self, key: str) -> "_Fields":
        return _Fields(self._data.get(key), f"{self._path}.{key}")

    def all_fields(self, key: str) -> list["_Fields"]:
        items = self.take(key, list, "a list")
        return [_Fields(item, f"{self._path}.{key}[{i}]") for i, item in enumerate(items)]

    def texts(self, key: str) -> tuple[str, ...]:
        items = self.take(key, list, "a list")
        if not all(isinstance(item, str) for item in items):
            _break(f"{self._path}.{key}", "a list of texts")
        return tuple(items)


def _break(path: str, wanted: str) -> NoReturn:
    raise AnswerInvalid(f"The hub's answer breaks the contract: '{path}' is not {wanted}.")


class StarterEntry(NamedTuple):
    """A file of the starter, and the steps whose check takes it."""

    path: str
    steps: tuple[str, ...]


class StarterFile(NamedTuple):
    """A file as a new machine has it; ``data`` is base64."""

    data: str
    is_executable: bool


def read_body(body: bytes) -> object:
    """Give the JSON value of a body.

    Raises:
        AnswerInvalid: It is not JSON.
    """
    try:
        return json.loads(body)
    except ValueError as exc:
        raise AnswerInvalid("The hub's answer is not JSON.") from exc


def _open(data: object, name: str) -> _Fields:
    fields = _Fields(data, name)
    if fields.count("version") != VERSION:
        _break(f"{name}.version", f"{VERSION}: the hub and this machine's image do not match")
    return fields


def parse_error(data: object) -> Refusal:
    """Read ``error.json``."""
    error = _open(data, "error").fields("error")
    return Refusal(error.text("code"), error.text("message"))


def parse_lesson(data: object) -> LessonView:
    """Read ``lesson.json``.

    Raises:
        AnswerInvalid: It is something else.
    """
    root = _open(data, "lesson")
    lesson, solution = root.fields("lesson"), root.fields("solution")
    steps = tuple(_parse_step(step) for step in root.all_fields("steps"))
    if not any(step.name == root.text("current_step") for step in steps):
        _break("lesson.current_step", "one of the steps")
    return LessonView(
        locale=root.text("locale"),
        course=root.fields("course").text("title"),
        title=lesson.text("title"),
        is_finished=lesson.flag("is_finished"),
        steps=steps,
        current_step=root.text("current_step"),
        solution_reason="" if solution.flag("is_available") else solution.text("reason"),
        next_lesson=None
        if root.is_null("next_lesson")
        else _parse_link(root.fields("next_lesson")),
    )


def _parse_link(link: _Fields) -> Link:
    return Link(link.text("title"), link.text("url"))


def _parse_step(step: _Fields) -> StepView:
    hints = step.fields("hints")
    following = None if hints.is_null("next") else hints.fields("next")
    reason = ""
    if following is not None and not following.flag("is_available"):
        reason = following.text("reason")
    return StepView(
        name=step.text("name"),
        title=step.text("title"),
        state=step.text("state"),
        task=step.text_or_none("task"),
        has_check=step.flag("has_check"),
        hints_total=hints.count("total"),
        hints_taken=hints.texts("taken"),
        hint_reason=reason,
    )


def parse_attempt(data: object) -> AttemptView:
    """Read ``attempt_*.json``.

    Raises:
        AnswerInvalid: It is something else, or says "done" without an outcome.
    """
    return _parse_attempt(_open(data, "attempt"))


def parse_attempts(data: object) -> tuple[AttemptView, ...]:
    """Read a list of attempts, the newest first.

    Raises:
        AnswerInvalid: It is something else, or says "done" without an outcome.
    """
    return tuple(_parse_attempt(one) for one in _open(data, "attempts").all_fields("attempts"))


def _parse_attempt(root: _Fields) -> AttemptView:
    state = root.text("state")
    if state == DONE and root.is_null("outcome"):
        _break("attempt.outcome", "there, though the attempt is done")
    # A hub of before this was said does not have it.
    regraded = None if root.is_null("regraded") else root.fields("regraded")
    return AttemptView(
        id=root.text("id"),
        step=root.text("step"),
        state=state,
        position=None if root.is_null("position") else root.count("position"),
        finished_at=root.text_or_none("finished_at"),
        outcome=_parse_outcome(root.fields("outcome")) if state == DONE else None,
        regraded_with="" if regraded is None else regraded.text("course_version"),
    )


def _parse_outcome(outcome: _Fields) -> OutcomeView:
    return OutcomeView(
        outcome=outcome.text("outcome"),
        message=outcome.text("message"),
        duration_s=outcome.number("duration_s"),
        tests=tuple(
            ResultLine(
                name=test.text("name"),
                outcome=test.text("outcome"),
                message=test.text("message"),
                expected=test.text_or_none("expected"),
                actual=test.text_or_none("actual"),
                output=test.text("output"),
            )
            for test in outcome.all_fields("tests")
        ),
    )


def parse_hint(data: object) -> HintView:
    """Read ``hint.json``."""
    root = _open(data, "hint")
    return HintView(root.text("hint"), root.count("taken"), root.count("total"))


def parse_solution(data: object) -> SolutionView:
    """Read ``solution.json``."""
    root = _open(data, "solution")
    files = tuple(
        SolutionFile(file.text("path"), file.text_or_none("text"))
        for file in root.all_fields("files")
    )
    return SolutionView(files, root.text_or_none("script"))


def parse_starter(data: object) -> tuple[StarterEntry, ...]:
    """Read ``starter.json``."""
    files = _open(data, "starter").all_fields("files")
    return tuple(StarterEntry(file.text("path"), file.texts("steps")) for file in files)


def parse_starter_file(data: object) -> StarterFile:
    """Read ``starter_file.json``."""
    root = _open(data, "starter_file")
    return StarterFile(root.text("data"), root.flag("is_executable"))


def parse_files(data: object) -> tuple[str, ...]:
    """Read ``files.json``: paths below ``~/work`` that were changed."""
    return _open(data, "files").texts("files")


def write_error(code: str, message: str) -> bytes:
    """Make ``error.json``."""
    body = {"version": VERSION, "error": {"code": code, "message": message}}
    return json.dumps(body, ensure_ascii=False).encode()
