"""JSON of API v1 ↔ models. The golden samples in ``tests/contract`` hold every shape.

Everything here goes to students: outcomes pass :func:`hexhub.checks.model.redact`, locked steps
have no text, hints and solutions stand here only once they may be had.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from hexhub.archives import Archive
from hexhub.catalog.images import LessonImage
from hexhub.catalog.model import Course, Lesson, Locale, Show, Step
from hexhub.catalog.overlays import Overlay, OverlayFile
from hexhub.checks.model import RESULT_VERSION, Outcome, TestResult, cut, redact
from hexhub.errors import HexHubError, RequestInvalid
from hexhub.events.reports import MAX_EVENTS, MAX_REPORT_BYTES, Claim, Report, check_version
from hexhub.hub_api import ServerStatus
from hexhub.machine_facts import MachineFacts
from hexhub.names import StepName
from hexhub.progress.model import (
    Attempt,
    Progress,
    StepState,
    current_step,
    hint_refusal,
    is_finished,
    solution_refusal,
    step_state,
)
from hexhub.service.pages.text import say_reason
from hexhub.usecases.read_starter import StarterEntry
from hexhub.usecases.record_report import Recorded

API_VERSION = 1
CANCELLED = "cancelled"
"""What students see as the outcome of an attempt that they cancelled."""
MAX_HISTORY = 20
"""Earlier attempts that are shown."""
MAX_BODY_BYTES = 16 * 1024
"""No request of API v1 needs more."""
MAX_WAIT_S = 25.0
"""A waiting GET answers after this long; proxies cut after 30 s and more."""

_KEY = re.compile(r"[0-9a-f]{32}")

Json = dict[str, object]


@dataclass(frozen=True)
class LessonView:
    """What one student sees of one lesson, before it is JSON.

    Attributes:
        progress: None where the student has not started.
        finished_attempts: Step → this student's finished attempts at it, oldest first.
        last_attempts: Step → the newest attempt at it, in any state.
        positions: Attempt id → place in the queue, from 1, for attempts that wait.
        shows: Attempt id → what the author shows of it; left out: as the step says.
    """

    course: Course
    lesson: Lesson
    progress: Progress | None
    finished_attempts: Mapping[StepName, Sequence[Attempt]] = field(default_factory=dict)
    last_attempts: Mapping[StepName, Attempt] = field(default_factory=dict)
    positions: Mapping[str, int] = field(default_factory=dict)
    shows: Mapping[str, Show] = field(default_factory=dict)

    @property
    def passed(self) -> frozenset[StepName]:
        """The steps that are passed."""
        return frozenset(self.progress.passed_at) if self.progress else frozenset()

    @property
    def steps_passed(self) -> int:
        """How many of the lesson's steps are passed."""
        return len(self.passed & {step.name for step in self.lesson.steps})

    @property
    def is_finished(self) -> bool:
        """Tell whether the lesson is finished; stays so when the author adds steps."""
        finished_at = self.progress.finished_at if self.progress else None
        return finished_at is not None or is_finished(self.lesson, self.passed)


def course_url(prefix: str, course: Course) -> str:
    """Give the path of the course's page."""
    return f"{prefix}courses/{course.name}"


def open_url(prefix: str, course: Course, lesson: Lesson) -> str:
    """Give the path of the page that opens the lesson."""
    return f"{course_url(prefix, course)}/lessons/{lesson.name}/open"


def lesson_api(prefix: str, course: Course, lesson: Lesson) -> str:
    """Give the path below which the API has the lesson."""
    return f"{prefix}api/lessons/{course.name}/{lesson.name}"


def courses_json(views: Sequence[Sequence[LessonView]], *, locale: Locale, prefix: str) -> Json:
    """Give the catalogue with the student's own progress: one list of lessons per course."""
    return {
        "version": API_VERSION,
        "courses": [_course_json(lessons, locale, prefix) for lessons in views if lessons],
    }


def _course_json(views: Sequence[LessonView], locale: Locale, prefix: str) -> Json:
    course = views[0].course
    return {
        "name": course.name,
        "title": course.title.in_locale(locale),
        "summary": course.summary.in_locale(locale),
        "url": course_url(prefix, course),
        "is_finished": all(view.is_finished for view in views),
        "lessons": [
            {
                "name": view.lesson.name,
                "title": view.lesson.title.in_locale(locale),
                "url": open_url(prefix, course, view.lesson),
                "steps_total": len(view.lesson.steps),
                "steps_passed": view.steps_passed,
                "is_started": view.progress is not None,
                "is_finished": view.is_finished,
            }
            for view in views
        ],
    }


def lesson_json(view: LessonView, *, locale: Locale, prefix: str, now: datetime) -> Json:
    """Give a lesson as its panel shows it.

    Args:
        view: The lesson and what the student did in it.
        locale: Wanted language; each text falls back on its own.
        prefix: Path of the web process, with both slashes.
        now: Aware UTC; decides on hints and the solution.
    """
    course, lesson = view.course, view.lesson
    following, preceding = course.after(lesson.name), course.before(lesson.name)
    return {
        "version": API_VERSION,
        "locale": locale,
        "locales": list(course.locales),
        "course": {
            "name": course.name,
            "title": course.title.in_locale(locale),
            "url": course_url(prefix, course),
        },
        "lesson": {
            "name": lesson.name,
            "title": lesson.title.in_locale(locale),
            "theory": lesson.theory.in_locale(locale),
            "home": str(lesson.user.home),
            "open": list(lesson.open),
            "preview": [
                {"port": preview.port, "title": preview.title.in_locale(locale)}
                for preview in lesson.preview
            ],
            "is_finished": view.is_finished,
            "records_commands": lesson.records_commands,
        },
        "steps": [_step_json(view, step, locale, now) for step in lesson.steps],
        "current_step": current_step(lesson, view.passed).name,
        "solution": _availability(_solution_refusal(view, now), locale),
        "previous_lesson": _link_json(course, preceding, locale, prefix),
        "next_lesson": _link_json(course, following, locale, prefix),
        "recorded_url": f"{prefix}recorded",
    }


def _link_json(course: Course, lesson: Lesson | None, locale: Locale, prefix: str) -> Json | None:
    if lesson is None:
        return None
    return {
        "name": lesson.name,
        "title": lesson.title.in_locale(locale),
        "url": open_url(prefix, course, lesson),
    }


def _solution_refusal(view: LessonView, now: datetime) -> str | None:
    if view.progress is None:
        return "The solution opens when all steps are passed."
    return solution_refusal(view.lesson.reveal, view.progress, now)


def _availability(refusal: str | None, locale: Locale) -> Json:
    reason = None if refusal is None else say_reason(locale, refusal)
    return {"is_available": refusal is None, "reason": reason}


def _step_json(view: LessonView, step: Step, locale: Locale, now: datetime) -> Json:
    state = step_state(step, view.passed)
    last = view.last_attempts.get(step.name)
    return {
        "name": step.name,
        "title": step.title.in_locale(locale),
        "state": state.value,
        "task": None if state is StepState.LOCKED else step.task.in_locale(locale),
        "points": step.points,
        "has_check": step.check is not None,
        "hints": _hints_json(view, step, state, locale, now),
        "last_attempt": None
        if last is None
        else attempt_json(
            last,
            show=view.shows.get(last.id, show_of(step)),
            position=view.positions.get(last.id),
            locale=locale,
        ),
    }


def _hints_json(
    view: LessonView,
    step: Step,
    state: StepState,
    locale: Locale,
    now: datetime,
) -> Json:
    count = view.progress.hints_taken.get(step.name, 0) if view.progress else 0
    taken = step.hints[:count]
    following: Json | None = None
    if len(step.hints) > count and state is not StepState.LOCKED:
        started_at = view.progress.started_at if view.progress else now
        finished = view.finished_attempts.get(step.name, ())
        refusal = hint_refusal(step.hints[count], attempts=finished, started_at=started_at, now=now)
        following = _availability(refusal, locale)
    return {
        "total": len(step.hints),
        "taken": [hint.text.in_locale(locale) for hint in taken],
        "next": following,
    }


def show_of(step: Step) -> Show:
    """Tell how much of a failing test of this step the student sees."""
    return step.check.show if step.check else Show.FULL


def attempt_json(
    attempt: Attempt, *, show: Show, position: int | None, locale: Locale = ""
) -> Json:
    """Give an attempt as its student sees it.

    Args:
        attempt: In any state.
        show: What the author shows of failing tests.
        position: Place in the queue, from 1; None unless it waits.
        locale: Language of the tests' names, where the author wrote them in it.
    """
    return {
        "version": API_VERSION,
        "id": attempt.id,
        "step": attempt.step,
        "state": attempt.state.value,
        "requested_at": time_json(attempt.requested_at),
        "finished_at": None if attempt.finished_at is None else time_json(attempt.finished_at),
        "position": position,
        "outcome": None
        if attempt.outcome is None
        else {
            **outcome_json(redact(attempt.outcome, show), attempt.step, locale),
            **({"outcome": CANCELLED} if attempt.is_cancelled else {}),
        },
        "regraded": None
        if attempt.regrade_of is None
        else {"original": attempt.regrade_of, "course_version": attempt.version},
    }


def attempts_json(attempts: Sequence[Json]) -> Json:
    """Give a list of attempts that are JSON already."""
    return {"version": API_VERSION, "attempts": list(attempts)}


def image_json(image: LessonImage) -> Json:
    """Give a picture of a lesson; its bytes are base64."""
    return {
        "version": API_VERSION,
        "media_type": image.media_type,
        "data": base64.b64encode(image.data).decode("ascii"),
    }


def outcome_json(outcome: Outcome, step: StepName, locale: Locale = "") -> Json:
    """Give an outcome as it stands; call :func:`hexhub.checks.model.redact` before for students."""
    return {
        "version": RESULT_VERSION,
        "outcome": outcome.kind.value,
        "message": cut(outcome.message),
        "duration_s": outcome.duration_s,
        "tests": [_test_json(test, step, locale) for test in outcome.tests],
    }


def _test_json(test: TestResult, step: StepName, locale: Locale) -> Json:
    return {
        "id": test.id,
        "name": test.name_in(locale),
        "step": step,
        "outcome": test.outcome.value,
        "points": test.points,
        "max_points": test.max_points,
        "expected": test.expected,
        "actual": test.actual,
        "message": test.message,
        "output": test.output,
        "duration_s": test.duration_s,
    }


def hint_json(step: StepName, hint: str, *, taken: int, total: int) -> Json:
    """Give a hint that was just taken; ``taken`` counts it."""
    return {
        "version": API_VERSION,
        "step": step,
        "hint": hint,
        "taken": taken,
        "total": total,
    }


def solution_json(files: Overlay, script: bytes | None) -> Json:
    """Give the author's solution: its files by path, and its script."""
    return {
        "version": API_VERSION,
        "files": [
            {"path": path, "text": text, "is_binary": text is None}
            for path, text in ((path, text_of(files[path].data)) for path in sorted(files))
        ],
        "script": None if script is None else script.decode("utf-8", "replace"),
    }


def text_of(data: bytes) -> str | None:
    """Give the text of a file, or None where it is binary."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def server_json(status: ServerStatus) -> Json:
    """Give where the machine of a lesson is."""
    return {
        "version": API_VERSION,
        "state": status.state.value,
        "progress": status.progress,
        "message": status.message,
        "url": status.url,
    }


def archive_url(prefix: str, course: Course, lesson: Lesson) -> str:
    """Give the path of the files of a student's old machine."""
    return f"{course_url(prefix, course)}/lessons/{lesson.name}/archive"


def archive_json(archive: Archive, url: str) -> Json:
    """Give when an archive was taken, its size, and where it is."""
    return {
        "made_at": time_json(archive.made_at),
        "size_bytes": archive.size_bytes,
        "url": url,
    }


def machine_json(facts: MachineFacts, archive: Json | None = None) -> Json:
    """Give what becomes of a lesson's machine."""
    ended = facts.ended
    return {
        "version": API_VERSION,
        "idle_stop_at": _time_or_null(facts.idle_stop_at),
        "undo_until": _time_or_null(facts.undo_until),
        "ended": None
        if ended is None
        else {
            "reason": ended.reason.value,
            "exit_code": ended.exit_code,
            "at": time_json(ended.at),
            "memory_bytes": ended.memory_bytes,
        },
        "archive": archive,
    }


def starter_json(entries: Sequence[StarterEntry]) -> Json:
    """Give the files of a starter by name."""
    return {
        "version": API_VERSION,
        "files": [
            {"path": entry.path, "size_bytes": entry.size_bytes, "steps": list(entry.steps)}
            for entry in entries
        ],
    }


def starter_file_json(path: str, file: OverlayFile) -> Json:
    """Give one file of a starter, whatever is in it."""
    return {
        "version": API_VERSION,
        "path": path,
        "is_executable": file.is_executable,
        "data": base64.b64encode(file.data).decode(),
    }


def _time_or_null(moment: datetime | None) -> str | None:
    return None if moment is None else time_json(moment)


def error_json(error: HexHubError) -> Json:
    """Give an error: its stable code and its sentence."""
    return {"version": API_VERSION, "error": {"code": error.code, "message": str(error)}}


def time_json(moment: datetime) -> str:
    """Give a time as ``2026-11-24T10:00:00Z``, with microseconds only where there are some."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def read_empty_body(body: bytes) -> None:
    """Accept a body that says nothing: none at all, or ``{}``.

    Raises:
        RequestInvalid: It is too large, not JSON, or names a field; no request of v1 has any.
    """
    if len(body) > MAX_BODY_BYTES:
        raise RequestInvalid(f"The body has {len(body)} bytes; {MAX_BODY_BYTES} are allowed.")
    if not body.strip():
        return
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise RequestInvalid("The body is not JSON. Send none, or {}.") from None
    if not isinstance(content, dict):
        raise RequestInvalid("The body is not a JSON object. Send none, or {}.")
    if content:
        fields = ", ".join(repr(str(name)[:40]) for name in sorted(content)[:5])
        raise RequestInvalid(f"Unknown fields in the body: {fields}. This request has none.")


def read_report(body: bytes) -> Report:
    """Read a batch of events: ``{"version": 1, "dropped": 0, "events": [...]}``.

    What is wrong with a single event is no matter of the whole (``hexhub.events.reports``).

    Raises:
        RequestInvalid: It is too large, not JSON, or not of that form.
    """
    if len(body) > MAX_REPORT_BYTES:
        raise RequestInvalid(f"The body has {len(body)} bytes; {MAX_REPORT_BYTES} are allowed.")
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise RequestInvalid("The body is not JSON.") from None
    if not isinstance(content, dict) or content.keys() != {"version", "dropped", "events"}:
        raise RequestInvalid("The body is not an object of 'version', 'dropped' and 'events'.")
    check_version(content["version"])
    dropped, events = content["dropped"], content["events"]
    if isinstance(dropped, bool) or not isinstance(dropped, int) or dropped < 0:
        raise RequestInvalid("'dropped' is not a whole number.")
    if not isinstance(events, list) or len(events) > MAX_EVENTS:
        raise RequestInvalid(f"'events' is not a list of {MAX_EVENTS} events at most.")
    return Report(tuple(Claim(event, len(json.dumps(event))) for event in events), dropped)


def report_json(recorded: Recorded) -> Json:
    """Give what became of a batch of events."""
    return {
        "version": API_VERSION,
        "stored": recorded.stored,
        "refused": [
            {
                "index": claim.index,
                "id": claim.id,
                "code": claim.problem.value,
                "message": claim.message,
            }
            for claim in recorded.refused
        ],
    }


def read_arguments(
    arguments: Mapping[str, Sequence[bytes]], allowed: Sequence[str]
) -> dict[str, str]:
    """Read the query of a request.

    Raises:
        RequestInvalid: An argument is unknown, given twice, or not text.
    """
    values = {}
    for name, given in arguments.items():
        if name not in allowed:
            known = ", ".join(allowed) or "nothing"
            raise RequestInvalid(f"Unknown argument {name[:40]!r}. Allowed: {known}.")
        if len(given) != 1:
            raise RequestInvalid(f"Argument {name!r} is given {len(given)} times; give it once.")
        try:
            values[name] = given[0].decode("utf-8")
        except UnicodeDecodeError:
            raise RequestInvalid(f"Argument {name!r} is not UTF-8 text.") from None
    return values


def read_key(text: str | None) -> str | None:
    """Read ``key``: 32 hex digits that name one press of Check.

    Raises:
        RequestInvalid: It is something else.
    """
    if text is not None and not _KEY.fullmatch(text):
        raise RequestInvalid(f"Argument 'key' is {text[:40]!r}; it takes 32 hex digits.")
    return text


def read_wait_s(text: str | None) -> float:
    """Read ``wait``: seconds, from 0 to 25; more is taken as 25.

    Raises:
        RequestInvalid: It is not such a number.
    """
    if text is None:
        return 0.0
    try:
        wait_s = float(text)
    except ValueError:
        wait_s = -1.0
    if not wait_s >= 0:
        raise RequestInvalid(f"Argument 'wait' is {text[:40]!r}; it takes seconds from 0 to 25.")
    return min(wait_s, MAX_WAIT_S)
