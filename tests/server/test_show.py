"""``show: full | message | name`` is kept on every way out of a real service and a real worker.

A canary stands in each text of a failing test and in what the run printed. It is looked for in all
that a student's side gets, in the events, and in what web service and worker log.
"""

import asyncio
import json
import logging
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from hexhub.catalog.published import PublishedCatalog
from hexhub.catalog.reader import read_course
from hexhub.checks.model import Outcome, OutcomeKind, TestOutcome, TestResult
from hexhub.cli.check import author_json, print_outcome
from hexhub.names import CourseName, LessonName, make_server_name
from hexhub.settings import Settings
from hexhub.worker import Worker

from .conftest import API, PREFIX, Service
from .lesson_machine import LessonHub, Machine, Reply

SERVER = make_server_name(CourseName("shown"), LessonName("all"))
LESSON = f"{API}lessons/shown/all"
SHOWS = ("full", "message", "name")
WORDS = "The sum is wrong. canary-in-message"
VALUES = ("canary-in-expected", "canary-in-actual", "canary-in-output")
OF_THE_RUN = "canary-in-the-run"
CANARIES = ("canary-in-message", *VALUES, OF_THE_RUN)
OUTCOME = Outcome(
    OutcomeKind.FAILED,
    tests=(
        TestResult("t::good", "Good", TestOutcome.PASSED, points=1.0),
        TestResult(
            "t::sum",
            "The sum",
            TestOutcome.FAILED,
            message=WORDS,
            expected=VALUES[0],
            actual=VALUES[1],
            output=VALUES[2],
        ),
        TestResult(
            "t::compared",
            "Compared",
            TestOutcome.ERROR,
            message=f"assert {VALUES[1]} == {VALUES[0]}",
        ),
    ),
    output=OF_THE_RUN,
    duration_s=0.1,
)
ALLOWED = {
    "full": {"canary-in-message", *VALUES},
    "message": {"canary-in-message"},
    "name": set(),
}
"""What a student may see; what the run printed as a whole is never theirs."""

_COURSE = """\
schema: 1
title: {en: Shown, ru: Показано}
summary: {en: For tests., ru: Для проб.}
locales: [en, ru]
image: hexhub/base
lessons: [all]
"""
_STEP = """\
  - id: {step}
    needs: []
    check: {{kind: machine, run: pytest -q test_it.py, show: {show}}}
    hints: [{{after: {{test: "t::sum"}}}}, {{after: {{attempts: 2}}}}, {{after: {{minutes: 1}}}}]
"""


def publish(sources: Path, catalog: Path, *, instead: tuple[str, ...] = SHOWS) -> None:
    """Publish the course ``shown``, with a step for each value of ``show``.

    Args:
        instead: What the steps show, where it is not what they are called after.
    """
    folder = sources / "shown"
    lesson = folder / "lessons/all"
    steps = "".join(
        _STEP.format(step=step, show=show) for step, show in zip(SHOWS, instead, strict=True)
    )
    files = {
        folder / "course.yml": _COURSE,
        lesson / "lesson.yml": f"schema: 1\ntitle: {{en: All, ru: Все}}\nsteps:\n{steps}",
        lesson / "checks/test_it.py": f"def test_it(): ...  # {' '.join(CANARIES)}\n",
        lesson / "starter/app.py": "x = 1\n",
        lesson / "solution/app.py": f"x = 2  # {' '.join(CANARIES)}\n",
    }
    for tag in ("en", "ru"):
        files[folder / tag / "course.md"] = "About it.\n"
        files[lesson / tag / "README.md"] = "Theory.\n"
        for show in SHOWS:
            files[lesson / tag / f"steps/{show}.md"] = f"# Step {show}\n\nDo it.\n"
            for number in (1, 2, 3):
                files[lesson / tag / f"hints/{show}-{number}.md"] = f"Hint {number}.\n"
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    PublishedCatalog(catalog).publish(folder, read_course(folder), {})


@dataclass
class Checked:
    """A service, a worker that gives every attempt the outcome, and a student's machine."""

    service: Service
    client: httpx.AsyncClient

    async def check(self, step: str) -> dict[str, str]:
        """Press Check and wait; give every text that came back, by the way it came."""
        pressed = await self.client.post(f"{LESSON}/steps/{step}/attempts")
        attempt_id = pressed.json()["id"]
        for _ in range(6):
            waited = await self.client.get(f"{API}attempts/{attempt_id}", params={"wait": "20"})
            if waited.json()["state"] == "done":
                break
        return {"pressed": pressed.text, "waited": waited.text}


@pytest.fixture
async def checked(
    service: Service, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> AsyncIterator[Checked]:
    """Give the service with the course published and a real worker at work."""
    caplog.set_level(logging.INFO)
    publish(tmp_path / "sources", settings.published)
    worker = Worker(service.store, service.context.catalog, lambda *_: OUTCOME, poll_s=0.05)
    thread = threading.Thread(target=worker.run, name="worker")
    thread.start()
    yield Checked(service, service.machine("ada", SERVER))
    worker.stop()
    await asyncio.to_thread(thread.join, 30)
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LessonHub, Machine]]:
    """Give a student's machine, and the hub that it asks: its answers are the real service's."""
    home = tmp_path_factory.mktemp("machine") / "home"
    home.mkdir()
    hub = LessonHub()
    machine = Machine(home, hub.url)
    machine.start(HEXHUB_COURSE="shown", HEXHUB_LESSON="all")
    yield hub, machine
    machine.stop()
    hub.close()


def seen_in(text: str) -> set[str]:
    """Give the canaries that stand in a text."""
    return {canary for canary in CANARIES if canary in text}


@pytest.mark.parametrize("show", SHOWS)
async def test_what_the_student_gets(
    checked: Checked, machine: tuple[LessonHub, Machine], show: str
) -> None:
    """Waiting request, panel, hints, pages and terminal show what the author allows, no more."""
    texts = await checked.check(show)
    texts["lesson"] = (await checked.client.get(LESSON)).text
    texts["hint"] = (await checked.client.post(f"{LESSON}/steps/{show}/hints")).text
    texts["solution"] = (await checked.client.get(f"{LESSON}/solution")).text
    browser = await checked.service.browser("ada")
    for page in ("", "courses/shown", "courses/shown/lessons/all/open"):
        texts[f"page {page}"] = (await browser.get(f"{PREFIX}{page}")).text
    hub, there = machine
    asked = json.loads(texts["waited"])
    hub.answer("GET", "lessons/shown/all", Reply(json.loads(texts["lesson"])))
    hub.answer("POST", f"lessons/shown/all/steps/{show}/attempts", Reply(asked))
    hub.answer("GET", f"attempts/{asked['id']}", Reply(asked))
    said = await asyncio.to_thread(there.lesson, "check", show)
    assert said.returncode == 1, said.stdout + said.stderr
    texts["terminal"] = said.stdout + said.stderr
    with there.client() as extension:
        answer = await asyncio.to_thread(extension.get, f"hexhub/attempts/{asked['id']}")
    texts["extension"] = answer.text
    assert answer.status_code == 200, answer.text
    texts["log of the machine"] = there.log.read_text(encoding="utf-8")

    found = {way: seen_in(text) for way, text in texts.items()}
    allowed = ALLOWED[show]
    assert found.pop("waited") == allowed
    assert found.pop("lesson") == allowed
    assert found.pop("extension") == allowed
    assert found.pop("terminal") == allowed
    # The worker may have been done before the answer to the press.
    assert found.pop("pressed") in (set(), allowed)
    assert set().union(*found.values()) == set(), found


async def test_events_and_logs_say_nothing_of_the_tests(
    checked: Checked, caplog: pytest.LogCaptureFixture
) -> None:
    """Web service and worker log that there was an attempt, events which tests failed; no texts."""
    for show in SHOWS:
        await checked.check(show)
    logged = "\n".join(
        f"{record.getMessage()} {record.exc_text or ''}" for record in caplog.records
    )
    events = [json.dumps(dict(event.data)) for event in checked.service.store.events()]

    assert "POST" in logged
    assert ": failed" in logged
    assert seen_in(logged) == set()
    assert sum('"t::sum"' in event for event in events) == len(SHOWS)
    assert seen_in("\n".join(events)) == set()


@pytest.mark.parametrize(
    ("instead", "step", "allowed"),
    [("name", "full", "name"), ("full", "name", "name"), ("message", "full", "message")],
)
async def test_a_new_version_shows_no_more_of_an_old_attempt(
    checked: Checked, settings: Settings, tmp_path: Path, instead: str, step: str, allowed: str
) -> None:
    """What is shown is what both versions allow, in the attempt and in the panel alike."""
    attempt_id = json.loads((await checked.check(step))["waited"])["id"]
    publish(tmp_path / "sources", settings.published, instead=(instead,) * 3)
    attempt = await checked.client.get(f"{API}attempts/{attempt_id}")
    lesson = await checked.client.get(LESSON)
    assert attempt.json()["outcome"]["outcome"] == "failed"
    assert seen_in(attempt.text) == seen_in(lesson.text) == ALLOWED[allowed]


async def test_another_student_gets_nothing(checked: Checked) -> None:
    """Also with ``show: full`` a result is its student's alone."""
    attempt_id = json.loads((await checked.check("full"))["waited"])["id"]
    other = checked.service.machine("bob", SERVER)
    for answer in (await other.get(f"{API}attempts/{attempt_id}"), await other.get(LESSON)):
        assert seen_in(answer.text) == set()


def test_the_author_sees_all() -> None:
    """``hexhub check`` is the author's, whatever ``show`` says."""
    assert seen_in(json.dumps(author_json(OUTCOME, "full"))) == set(CANARIES)
    runner = CliRunner()
    with runner.isolation() as (out, *_):
        print_outcome(OUTCOME)
        printed = out.getvalue().decode()
    assert seen_in(printed) == set(CANARIES) - {OF_THE_RUN}


async def test_hints_open_by_test_by_attempts_and_by_time(
    checked: Checked, settings: Settings
) -> None:
    """A hint waits for its test to fail, for so many checks, or for so many minutes."""
    hints = f"{LESSON}/steps/full/hints"

    async def ask() -> tuple[int, str]:
        answer = await checked.client.post(hints)
        content = answer.json()
        if answer.status_code == 200:
            return 200, content["hint"]
        return answer.status_code, content["error"]["message"]

    assert await ask() == (409, "This hint belongs to a test that has not failed yet.")
    await checked.check("full")
    assert (await ask())[0] == 200
    assert await ask() == (409, "This hint opens after 1 more check.")
    await checked.check("full")
    assert (await ask())[0] == 200
    assert await ask() == (409, "This hint opens in 1 min.")
    with sqlite3.connect(settings.database_url.removeprefix("sqlite:///")) as database:
        # The student started a minute earlier than they did.
        changed = database.execute(
            "UPDATE progress"
            " SET started_at = strftime('%Y-%m-%d %H:%M:%f', started_at, '-1 minute')"
        )
        assert changed.rowcount == 1
    assert await ask() == (200, "Hint 3.")
