"""The golden samples hold what web, extension and front end say to each other."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hexhub.catalog.model import (
    CheckKind,
    CheckSpec,
    Course,
    Hint,
    Lesson,
    Limits,
    MachineUser,
    Network,
    Preview,
    ReportFormat,
    Show,
    Step,
    Text,
)
from hexhub.catalog.overlays import OverlayFile
from hexhub.checks.model import Outcome, OutcomeKind, TestOutcome, TestResult
from hexhub.errors import StepLocked
from hexhub.hub_api import ServerState, ServerStatus
from hexhub.machine_facts import EndReason, MachineEnd, MachineFacts, facts_json, read_facts
from hexhub.names import CourseName, LessonName, StepName, UserName, Version
from hexhub.progress.model import Attempt, AttemptState, Place, Progress
from hexhub.service.wire import (
    Json,
    LessonView,
    attempt_json,
    courses_json,
    error_json,
    hint_json,
    lesson_json,
    machine_json,
    server_json,
    solution_json,
    starter_file_json,
    starter_json,
)
from hexhub.usecases.read_starter import StarterEntry

SAMPLES = Path(__file__).parent
PREFIX = "/services/hexhub/"
NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
COURSE = CourseName("real-machine")
LESSON = LessonName("web-server")
LISTENS = StepName("listens")
PLACE = Place(UserName("ada"), COURSE, LESSON)
VERSION = Version("0123456789ab")


def sample(name: str) -> Json:
    """Read one golden sample."""
    content: Json = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return content


def text(english: str) -> Text:
    return Text({"en": english})


def check(show: Show = Show.FULL) -> CheckSpec:
    return CheckSpec(
        CheckKind.MACHINE, "pytest -q test_listens.py", ReportFormat.JUNIT, 20.0, show=show
    )


def step(name: str, title: str, **more: object) -> Step:
    given: dict[str, object] = {"task": text("Do it."), "check": check(), **more}
    return Step(name=StepName(name), title=text(title), **given)  # type: ignore[arg-type]


def lesson(name: str, title: str, steps: tuple[Step, ...]) -> Lesson:
    return Lesson(
        course=COURSE,
        name=LessonName(name),
        title=text(title),
        image="hexhub/web",
        user=MachineUser.ROOT,
        limits=Limits(512 * 1024**2, 1.0, 256, 1024**3, 1800),
        network=Network.INTERNET,
        steps=steps,
        theory=text("A web server listens on a **port**."),
        open=("work/index.html", "terminal"),
        preview=(Preview(8000, text("Your site")),),
        records_commands=True,
    )


def course(*lessons: Lesson) -> Course:
    return Course(
        name=COURSE,
        title=text("A real machine"),
        summary=text("Five lessons on a machine of your own."),
        locales=("en", "ru"),
        lessons=lessons,
        version=VERSION,
    )


def progress(**more: object) -> Progress:
    return Progress(place=PLACE, version=VERSION, started_at=NOW, **more)  # type: ignore[arg-type]


def test_courses_show_the_persons_own_progress() -> None:
    """The catalogue says for each lesson how many of its steps this person has passed."""
    steps = (step("listens", "Listen"), step("serves", "Serve"), step("stays", "Stay"))
    web_server = lesson("web-server", "Serve a page", steps)
    view = LessonView(course(web_server), web_server, progress(passed_at={LISTENS: NOW}))

    assert courses_json([[view]], locale="en", prefix=PREFIX) == sample("courses")


def test_lesson_hides_what_is_not_open_yet() -> None:
    """A locked step has no task, a hint that was not taken no text, and both say why."""
    steps = (
        step(
            "listens",
            "Listen",
            task=text("Make nginx listen on port 8000."),
            hints=(Hint(text("Look at `nginx -T`.")), Hint(text("Secret."), after_attempts=1)),
        ),
        step("serves", "Serve your own page", needs=(LISTENS,), task=text("Secret.")),
    )
    web_server = lesson("web-server", "Serve a page", steps)
    database = lesson("database", "A database of your own", steps)
    view = LessonView(course(web_server, database), web_server, progress(hints_taken={LISTENS: 1}))

    assert lesson_json(view, locale="en", prefix=PREFIX, now=NOW) == sample("lesson")


def test_queued_attempt_says_its_place() -> None:
    """An attempt that waits has a place in the queue and no outcome."""
    attempt = Attempt(
        "0b8a5f5c7e0d4b1e9f1f2a3b4c5d6e7f", PLACE, LISTENS, VERSION, AttemptState.QUEUED, NOW
    )

    assert attempt_json(attempt, show=Show.FULL, position=1) == sample("attempt_queued")


def failed_attempt() -> Attempt:
    outcome = Outcome(
        OutcomeKind.FAILED,
        tests=(
            TestResult(
                "test_listens::test_port",
                "nginx listens on port 8000",
                TestOutcome.PASSED,
                points=1.0,
                duration_s=0.01,
            ),
            TestResult(
                "test_listens::test_page",
                "The page says hello",
                TestOutcome.FAILED,
                message="GET / answered 200, but the page has no 'Hello' in it.",
                expected="Hello",
                actual="Welcome to nginx!",
                duration_s=0.02,
            ),
        ),
        output="all that was printed",
        duration_s=0.84,
    )
    return Attempt(
        "6f1d4c0a9b7e4f0f8a3c2d1e5b6a7c8d",
        PLACE,
        LISTENS,
        VERSION,
        AttemptState.DONE,
        NOW,
        finished_at=NOW + timedelta(seconds=1),
        outcome=outcome,
    )


def test_failed_attempt_says_test_by_test() -> None:
    """With ``show: full`` a student sees both sides of the comparison that failed."""
    assert attempt_json(failed_attempt(), show=Show.FULL, position=None) == sample("attempt_failed")


def test_regraded_attempt_says_so() -> None:
    """A newer verdict names the attempt that it is of, and the version that gave it."""
    passed = TestResult(
        "test_listens::test_port",
        "nginx listens on port 8000",
        TestOutcome.PASSED,
        points=1.0,
        duration_s=0.01,
    )
    again = replace(
        failed_attempt(),
        id="d41d8cd98f004b2e8980e9980c9c8a7f",
        version=Version("3f9c1d20ab4e"),
        finished_at=NOW + timedelta(days=2),
        outcome=Outcome(OutcomeKind.PASSED, tests=(passed,), duration_s=0.5),
        regrade_of=failed_attempt().id,
    )

    assert attempt_json(again, show=Show.FULL, position=None) == sample("attempt_regraded")


def test_attempt_is_redacted_as_the_author_wants() -> None:
    """With ``show: name`` no word of a test goes out but its name."""
    answer = json.dumps(attempt_json(failed_attempt(), show=Show.NAME, position=None))

    assert "The page says hello" in answer
    for secret in ("Welcome to nginx!", "GET / answered", "all that was printed"):
        assert secret not in answer


def test_hint_counts() -> None:
    """A hint comes with how many there are and how many are taken."""
    answer = hint_json(
        LISTENS,
        "Look at the `listen` line in `/etc/nginx/sites-enabled/default`.",
        taken=1,
        total=2,
    )

    assert answer == sample("hint")


def test_solution_has_text_and_says_what_is_none() -> None:
    """Files that are not text are named without content."""
    files = {
        "site/index.html": OverlayFile(b"<h1>Hello</h1>\n", False),
        "logo.png": OverlayFile(b"\x89PNG\r\n\x1a\n\0", False),
    }
    answer = solution_json(files, b"#!/bin/sh\nnginx\n")
    golden = sample("solution")

    assert sorted(answer["files"], key=str) == sorted(golden["files"], key=str)  # type: ignore[call-overload]
    assert answer["script"] == golden["script"]


def test_server_says_what_is_happening() -> None:
    """A machine that starts has a percentage and a sentence."""
    status = ServerStatus(
        ServerState.STARTING, "/user/ada/web-server-1f2e3d4c/lab", 40, "Starting the machine"
    )

    assert server_json(status) == sample("server")


def test_error_has_a_stable_code() -> None:
    """An error has a code for programs and a sentence for people."""
    error = StepLocked("Step 'serves' opens when these are passed: listens.")

    assert error_json(error) == sample("error")


def test_machine_says_what_becomes_of_it() -> None:
    """Idle stop, undo, how it ended and the archive of an old machine, each with its time."""
    facts = MachineFacts(
        idle_stop_at=NOW + timedelta(minutes=30),
        undo_until=NOW + timedelta(days=7),
        ended=MachineEnd(
            EndReason.OUT_OF_MEMORY, 137, NOW - timedelta(minutes=10), memory_bytes=512 * 1024**2
        ),
    )
    golden = sample("machine")

    assert machine_json(facts, golden["archive"]) == golden  # type: ignore[arg-type]
    assert read_facts(facts_json(facts)) == facts


def test_starter_has_names_and_steps_and_any_bytes() -> None:
    """A starter is listed by name and step; one file comes in base64, since it may be binary."""
    entries = [StarterEntry("index.html", 15, (LISTENS,)), StarterEntry("serve.sh", 10, ())]
    file = OverlayFile(b"#!/bin/sh\n", is_executable=True)

    assert starter_json(entries) == sample("starter")
    assert starter_file_json("serve.sh", file) == sample("starter_file")
