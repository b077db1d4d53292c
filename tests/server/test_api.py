"""API v1 over real HTTP: every address, its answers and its refusals."""

import asyncio
import time
from datetime import UTC, datetime

import httpx
import pytest

from hexhub.checks.model import Outcome, OutcomeKind, TestOutcome, TestResult
from hexhub.hub_api import GONE_AT_ONCE, HUB_AWAY, HubApi
from hexhub.names import CourseName, LessonName, StepName, UserName
from hexhub.progress.model import Place

from .conftest import API, LESSON, Service
from .small_courses import CANARY, FIRST_SERVER, SECOND_SERVER
from .stub_hub import StartScript

PASSED = Outcome(OutcomeKind.PASSED, tests=(TestResult("t::a", "A", TestOutcome.PASSED),))
FAILED = Outcome(
    OutcomeKind.FAILED,
    tests=(
        TestResult(
            "t::a", "A", TestOutcome.FAILED, message=CANARY, expected=CANARY, actual="1", output="o"
        ),
    ),
    output=CANARY,
)


async def test_courses_are_the_persons_own(service: Service) -> None:
    """The catalogue shows only courses that are open to the person, with their own progress."""
    service.pass_steps("one", user="ada")
    service.pass_steps("one", "two", user="bob")
    ada = service.client(service.hub.person("ada"))

    answer = (await ada.get(f"{API}courses")).json()

    assert [course["name"] for course in answer["courses"]] == ["tiny"]
    first = answer["courses"][0]["lessons"][0]
    assert (first["steps_passed"], first["steps_total"], first["is_started"]) == (1, 3, True)


async def test_a_group_opens_its_course(service: Service) -> None:
    """Who is in a course's group sees it; others get 403 from its lessons, with the reason."""
    insider = service.client(service.hub.person("ada", groups=("insiders",)))
    outsider = service.client(service.hub.person("bob"))

    names = [c["name"] for c in (await insider.get(f"{API}courses")).json()["courses"]]
    refusal = await outsider.get(f"{API}lessons/closed/second")
    opening = await outsider.post(f"{API}lessons/closed/second/open")

    assert names == ["closed", "tiny"]
    assert (await insider.get(f"{API}lessons/closed/second")).status_code == 200
    assert (refusal.status_code, refusal.json()["error"]["code"]) == (403, "access_denied")
    assert opening.status_code == 403
    assert service.hub.starts == []


async def test_lesson_follows_the_wanted_language(service: Service) -> None:
    """``?locale=`` chooses the language; one that the course lacks falls back on its first."""
    machine = service.machine()

    russian = (await machine.get(LESSON, params={"locale": "ru"})).json()
    english = (await machine.get(LESSON, params={"locale": "en-GB"})).json()
    german = (await machine.get(LESSON, params={"locale": "de"})).json()

    assert (russian["locale"], russian["lesson"]["title"]) == ("ru", "Первый")
    assert english["locale"] == german["locale"] == "en"
    assert english["steps"][0]["title"] == "Step one (en)"


async def test_lesson_names_what_comes_next(service: Service) -> None:
    """A lesson links to the one that follows."""
    answer = (await service.machine().get(LESSON)).json()

    assert answer["next_lesson"]["url"] == "/services/hexhub/courses/tiny/lessons/second/open"


async def test_nothing_of_the_author_comes_before_its_time(service: Service) -> None:
    """No word of solution, later steps or later hints is in any answer until it may be."""
    machine = service.machine()
    texts = [
        (await machine.get(LESSON)).text,
        (await machine.get(f"{LESSON}/solution")).text,
        (await service.client(service.hub.person("ada")).get(f"{API}courses")).text,
    ]

    for text in texts:
        assert CANARY not in text
        assert "Do two." not in text
        assert "Hint 1" not in text


async def test_attempt_is_queued_then_done(service: Service) -> None:
    """Check answers 201 at once; the waiting GET answers when the worker has finished."""
    machine = service.machine()
    queued = await machine.post(f"{LESSON}/steps/one/attempts")
    attempt_id = queued.json()["id"]
    assert (queued.status_code, queued.json()["position"]) == (201, 1)

    waiting = asyncio.create_task(machine.get(f"{API}attempts/{attempt_id}", params={"wait": 25}))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    service.finish(attempt_id, PASSED)
    done = (await waiting).json()

    assert (done["state"], done["outcome"]["outcome"]) == ("done", "passed")
    lesson = (await machine.get(LESSON)).json()
    assert [step["state"] for step in lesson["steps"]] == ["passed", "open", "locked"]
    assert lesson["current_step"] == "two"


async def test_tests_are_named_in_the_students_language(service: Service) -> None:
    """Names that the author wrote in a language of the course reach the student who reads it."""
    test = TestResult("t::a", "Adds", TestOutcome.PASSED, names={"ru": "Складывает"})
    machine = service.machine()
    attempt_id = (await machine.post(f"{LESSON}/steps/one/attempts")).json()["id"]
    service.finish(attempt_id, Outcome(OutcomeKind.PASSED, tests=(test,)))

    async def name(path: str, locale: str) -> str:
        answer = (await machine.get(path, params={"locale": locale})).json()
        attempt = answer if "outcome" in answer else answer["steps"][0]["last_attempt"]
        return str(attempt["outcome"]["tests"][0]["name"])

    for path in (f"{API}attempts/{attempt_id}", LESSON):
        assert await name(path, "ru") == "Складывает"
        assert await name(path, "en") == "Adds"


async def test_waiting_ends_by_itself(service: Service) -> None:
    """A GET that waits gives the attempt as it is after ``wait`` seconds."""
    machine = service.machine()
    attempt_id = (await machine.post(f"{LESSON}/steps/one/attempts")).json()["id"]
    began = time.monotonic()

    answer = await machine.get(f"{API}attempts/{attempt_id}", params={"wait": 0.5})

    assert answer.json()["state"] == "queued"
    assert time.monotonic() - began > 0.4


async def test_two_tabs_share_one_attempt(service: Service) -> None:
    """Ten presses of Check at once make one attempt: one 201, the others 200 with its id."""
    machine = service.machine()

    answers = await asyncio.gather(
        *(machine.post(f"{LESSON}/steps/one/attempts") for _ in range(10))
    )

    assert sorted(a.status_code for a in answers) == [200] * 9 + [201]
    assert len({a.json()["id"] for a in answers}) == 1


async def test_failing_test_shows_what_the_author_allows(service: Service) -> None:
    """With ``show: name`` neither message nor values of a failing test reach the student."""
    machine = service.machine()
    attempt_id = (await machine.post(f"{LESSON}/steps/one/attempts")).json()["id"]
    service.finish(attempt_id, FAILED)

    answer = await machine.get(f"{API}attempts/{attempt_id}")
    lesson = await machine.get(LESSON)

    test = answer.json()["outcome"]["tests"][0]
    assert (test["name"], test["outcome"], test["message"]) == ("A", "failed", "")
    assert lesson.json()["steps"][0]["last_attempt"]["outcome"]["outcome"] == "failed"
    assert CANARY not in answer.text + lesson.text


async def test_attempts_are_private(service: Service) -> None:
    """An attempt of somebody else is not there; one of another lesson is not this machine's."""
    mine = (await service.machine().post(f"{LESSON}/steps/one/attempts")).json()["id"]
    others = await service.machine("bob").get(f"{API}attempts/{mine}")
    other_lesson = await service.machine("ada", SECOND_SERVER).get(f"{API}attempts/{mine}")

    assert (others.status_code, others.json()["error"]["code"]) == (404, "attempt_not_found")
    assert (other_lesson.status_code, other_lesson.json()["error"]["code"]) == (
        403,
        "access_denied",
    )


async def test_locked_step_says_what_is_missing(service: Service) -> None:
    """A step whose needs are not passed refuses with 409 and names them."""
    answer = await service.machine().post(f"{LESSON}/steps/two/attempts")

    assert answer.status_code == 409
    assert answer.json()["error"] == {
        "code": "step_locked",
        "message": "Step 'two' opens when these are passed: one.",
    }


async def test_hints_come_one_by_one(service: Service) -> None:
    """A hint is given in the wanted language, and the next one only when its time has come."""
    machine = service.machine()

    first = await machine.post(f"{LESSON}/steps/one/hints", params={"locale": "ru"})
    second = await machine.post(f"{LESSON}/steps/one/hints")
    attempt_id = (await machine.post(f"{LESSON}/steps/one/attempts")).json()["id"]
    service.finish(attempt_id, FAILED)
    after_attempt = await machine.post(f"{LESSON}/steps/one/hints")
    none_left = await machine.post(f"{LESSON}/steps/one/hints")

    assert first.json() == {
        "version": 1,
        "step": "one",
        "hint": "Hint 1 (ru).",
        "taken": 1,
        "total": 2,
    }
    assert (second.status_code, second.json()["error"]["code"]) == (409, "hint_locked")
    assert after_attempt.json()["taken"] == 2
    assert none_left.status_code == 409


async def test_step_without_check_is_done_by_word(service: Service) -> None:
    """``done`` passes only steps without a check, gives the lesson, and may be said twice."""
    machine = service.machine()
    service.pass_steps("one", "two")

    checked = await machine.post(f"{LESSON}/steps/one/done")
    done = await machine.post(f"{LESSON}/steps/three/done")
    again = await machine.post(f"{LESSON}/steps/three/done")

    assert (checked.status_code, checked.json()["error"]["code"]) == (400, "request_invalid")
    assert done.json()["lesson"]["is_finished"] is True
    assert again.status_code == 200


async def test_solution_opens_with_the_last_step(service: Service) -> None:
    """The solution is refused before the lesson is finished, and whole afterwards."""
    machine = service.machine()
    before = await machine.get(f"{LESSON}/solution")
    service.pass_steps("one", "two", "three")
    after = (await machine.get(f"{LESSON}/solution")).json()

    assert (before.status_code, before.json()["error"]["code"]) == (403, "solution_locked")
    assert {file["path"]: file["text"] for file in after["files"]} == {
        "app.py": f"x = 2  # {CANARY}\n",
        "logo.png": None,
    }
    assert after["script"] == "#!/bin/sh\ntrue\n"


async def test_opening_starts_the_lessons_server(service: Service) -> None:
    """``open`` makes the progress, starts the server under the lesson's title, once."""
    ada = service.client(service.hub.person("ada"))

    first = await ada.post(f"{LESSON}/open", params={"locale": "ru"})
    second = await ada.post(f"{LESSON}/open")

    assert (first.status_code, first.json()["state"]) == (200, "ready")
    assert second.json()["state"] == "ready"
    ((user, server),) = service.hub.starts
    assert user == "ada"
    assert service.hub.servers[user, server].display_name == "Первый"
    assert first.json()["url"] == f"/user/ada/{server}/lab"
    assert service.store.progress(service.place()) is not None


async def test_starting_says_what_is_happening(service: Service) -> None:
    """While a machine starts, its state has the spawner's sentences, and then that it is ready."""
    service.hub.script = StartScript(
        events=[{"progress": 15, "message": "Making"}, {"progress": 70, "message": "Starting"}],
        pause_s=0.5,
        answers_after_s=0.1,
    )
    ada = service.client(service.hub.person("ada"))
    seen = [(await ada.post(f"{LESSON}/open")).json()]
    while seen[-1]["state"] == "starting":
        seen.append((await ada.get(f"{LESSON}/server", params={"wait": 2})).json())

    assert seen[0]["state"] == "starting"
    assert {"Making", "Starting"} <= {answer["message"] for answer in seen}
    assert seen[-1]["state"] == "ready"
    assert len(service.hub.starts) == 1


async def test_ten_tabs_cost_the_hub_one_stream(service: Service) -> None:
    """However many pages wait for a machine, JupyterHub is asked for one start and few streams."""
    service.hub.script = StartScript(
        events=[{"progress": 15, "message": "Making"}], pause_s=0.6, answers_after_s=0.05
    )
    ada = service.client(service.hub.person("ada"))

    await asyncio.gather(*(ada.post(f"{LESSON}/open") for _ in range(10)))
    await asyncio.gather(*(ada.get(f"{LESSON}/server", params={"wait": 1}) for _ in range(10)))

    assert len(service.hub.starts) == 1
    assert service.hub.streams <= 3


@pytest.mark.parametrize("answers_after_s", [0.01, 10.0], ids=["told later", "told at once"])
async def test_failed_start_says_why(service: Service, answers_after_s: float) -> None:
    """The spawner's sentence reaches the student, and another try may succeed."""
    sentence = "Docker is not running on this computer, or does not answer."
    service.hub.script = StartScript(
        events=[{"progress": 5, "message": "Finding your lesson"}],
        pause_s=0.1,
        answers_after_s=answers_after_s,
        failure=sentence,
        failure_status=503,
    )
    ada = service.client(service.hub.person("ada"))
    answer = (await ada.post(f"{LESSON}/open")).json()
    while answer["state"] == "starting":
        answer = (await ada.get(f"{LESSON}/server", params={"wait": 2})).json()
    assert (answer["state"], answer["message"]) == ("failed", sentence)
    assert (await ada.get(f"{LESSON}/server")).json()["message"] == sentence

    service.hub.script = StartScript()
    again = (await ada.post(f"{LESSON}/open")).json()
    assert again["state"] == "ready"


async def test_a_server_that_is_gone_at_once_is_started_again(service: Service) -> None:
    """Docker may have ended the machine while JupyterHub said that it stood."""
    service.hub.script = StartScript(lost=1)
    ada = service.client(service.hub.person("ada"))

    answer = (await ada.post(f"{LESSON}/open")).json()
    while answer["state"] == "starting":
        answer = (await ada.get(f"{LESSON}/server", params={"wait": 2})).json()

    assert answer["state"] == "ready"
    assert len(service.hub.starts) == 2


async def test_a_server_that_is_always_gone_at_once_is_told(service: Service) -> None:
    """Nobody starts it for ever."""
    service.hub.script = StartScript(lost=99)
    ada = service.client(service.hub.person("ada"))

    answer = (await ada.post(f"{LESSON}/open")).json()
    while answer["state"] == "starting":
        answer = (await ada.get(f"{LESSON}/server", params={"wait": 2})).json()

    assert (answer["state"], answer["message"]) == ("failed", GONE_AT_ONCE)
    assert len(service.hub.starts) == 2


async def test_a_fresh_copy_knows_of_a_failure(service: Service) -> None:
    """A web process that did not ask for the start learns from JupyterHub why it failed."""
    server = service.hub.begin(
        "ada", service.context.catalog.course("tiny").lessons[0].server_name, ""
    )
    server.pending, server.failure = None, "The image is missing."
    assert server.task is not None
    server.task.cancel()

    answer = (await service.machine().get(f"{LESSON}/server")).json()

    assert (answer["state"], answer["message"]) == ("failed", "The image is missing.")


async def test_stopping_stops(service: Service) -> None:
    """``stop`` stops the server; its state is then ``stopped``; stopping twice is no fault."""
    ada = service.client(service.hub.person("ada"))
    await ada.post(f"{LESSON}/open")

    stopped = await ada.post(f"{LESSON}/stop")
    again = await ada.post(f"{LESSON}/stop")

    assert (stopped.status_code, stopped.json()["state"]) == (200, "stopped")
    assert again.json()["state"] == "stopped"
    assert (await ada.get(f"{LESSON}/server")).json()["state"] == "stopped"


@pytest.mark.parametrize("ends_at_once", [False, True])
async def test_start_waits_for_a_stop(service: Service, ends_at_once: bool) -> None:
    """A lesson that is opened while its machine still stops is started when that is over.

    It may be over just after JupyterHub has refused the start for it.
    """
    service.hub.script = StartScript(stop_ends_at_once=ends_at_once)
    server = service.hub.begin("ada", FIRST_SERVER, "")
    assert server.task is not None
    await server.task
    server.ready, server.pending = False, "stop"
    service.hub.starts.clear()
    ada = service.client(service.hub.person("ada"))

    answer = (await ada.post(f"{LESSON}/open")).json()
    assert answer["state"] == "starting" or ends_at_once
    server.pending = None
    while answer["state"] == "starting":
        answer = (await ada.get(f"{LESSON}/server", params={"wait": 2})).json()

    assert answer["state"] == "ready"
    assert len(service.hub.starts) == 1


@pytest.mark.parametrize("already_started", [False, True])
async def test_start_goes_on_after_a_restart_of_the_hub(
    service: Service, already_started: bool
) -> None:
    """A machine that is asked for while JupyterHub restarts is there once JupyterHub is."""
    service.hub.script = StartScript(pause_s=0.6, answers_after_s=0.05)
    ada = service.client(service.hub.person("ada"))
    await ada.get(LESSON)
    service.hub.down = not already_started

    answer = (await ada.post(f"{LESSON}/open")).json()
    service.hub.down = True
    assert answer["state"] == "starting"
    await asyncio.sleep(1.0)
    waiting = (await ada.get(f"{LESSON}/server")).json()
    service.hub.down = False
    answer = waiting
    while answer["state"] == "starting":
        answer = (await ada.get(f"{LESSON}/server", params={"wait": 2})).json()

    assert (waiting["state"], waiting["message"]) == ("starting", HUB_AWAY)
    assert answer["state"] == "ready"


async def test_start_gives_up_on_a_hub_that_stays_away(service: Service) -> None:
    """When JupyterHub does not come back, the start fails and says so."""
    hub = service.context.hub
    service.context.hub = HubApi(service.hub.api_url, "x", quick_s=2.0, patience_s=0.3)
    await hub.close()
    ada = service.client(service.hub.person("ada"))
    await ada.get(LESSON)
    service.hub.down = True

    answer = (await ada.post(f"{LESSON}/open")).json()

    assert answer["state"] == "failed"
    assert "JupyterHub" in answer["message"]


async def test_hub_away_is_said(service: Service) -> None:
    """When JupyterHub does not answer, requests that need it get 503 and when to come back."""
    ada = service.client(service.hub.person("ada"))
    assert (await ada.get(LESSON)).status_code == 200
    service.hub.down = True

    known = await ada.get(f"{LESSON}/server")
    unknown = await service.client(service.hub.person("bob")).get(LESSON)
    still = await ada.get(LESSON)

    assert (known.status_code, known.json()["error"]["code"]) == (503, "hub_unreachable")
    assert known.headers["Retry-After"]
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (503, "hub_unreachable")
    assert still.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "lessons/nowhere/first", 404, "course_not_found"),
        ("GET", "lessons/tiny/nowhere", 404, "lesson_not_found"),
        ("POST", "lessons/tiny/first/steps/nowhere/attempts", 404, "step_not_found"),
        ("GET", f"attempts/{'0' * 32}", 404, "attempt_not_found"),
        ("GET", "attempts/short", 404, "request_invalid"),
        ("GET", "nowhere", 404, "request_invalid"),
        ("DELETE", "lessons/tiny/first", 405, "request_invalid"),
        ("GET", "lessons/tiny/first?locale=../../etc", 400, "request_invalid"),
        ("GET", "lessons/tiny/first?colour=red", 400, "request_invalid"),
        ("GET", "lessons/tiny/first?locale=en&locale=ru", 400, "request_invalid"),
        ("GET", f"attempts/{'0' * 32}?wait=soon", 400, "request_invalid"),
        ("GET", f"attempts/{'0' * 32}?wait=nan", 400, "request_invalid"),
        ("GET", "lessons/%00/first", 404, "course_not_found"),
        ("GET", "lessons/..%2F..%2Fetc/first", 404, "course_not_found"),
    ],
)
async def test_bad_requests_are_refused(
    service: Service, method: str, path: str, status: int, code: str
) -> None:
    """What does not exist, or breaks the contract, is refused with one status and code."""
    answer = await service.client(service.hub.person("ada")).request(method, f"{API}{path}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"passed": true}', b'{"user": "bob"}', b" " * 20_000, b"[" * 16_000]
)
async def test_bodies_say_nothing(service: Service, body: bytes) -> None:
    """No request has fields: a body with some, broken or too large, is refused."""
    answer = await service.machine().post(f"{LESSON}/steps/one/attempts", content=body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "request_invalid")
    assert service.store.last_attempts(service.place()) == {}


async def test_huge_body_is_cut_off(service: Service) -> None:
    """A body of megabytes is not read: the connection ends, and nothing is stored."""
    with pytest.raises(httpx.TransportError):
        await service.machine().post(f"{LESSON}/steps/one/attempts", content=b"x" * 5_000_000)

    assert service.store.last_attempts(service.place()) == {}


async def test_unknown_names_tell_nothing_of_closed_courses(service: Service) -> None:
    """The message of an unknown course lists only courses that the person may see."""
    answer = await service.client(service.hub.person("ada")).get(f"{API}lessons/nowhere/first")

    assert "tiny" in answer.text
    assert "closed" not in answer.text


async def test_too_many_waiting_requests_are_refused(service: Service) -> None:
    """One person may not hold hundreds of connections open; others do not notice."""
    machine = service.machine()
    attempt_id = (await machine.post(f"{LESSON}/steps/one/attempts")).json()["id"]
    waiting = [
        asyncio.create_task(machine.get(f"{API}attempts/{attempt_id}", params={"wait": 2}))
        for _ in range(40)
    ]
    answers = await asyncio.gather(*waiting)
    other = await service.machine("bob").get(LESSON)

    assert {a.status_code for a in answers} == {200, 429}
    assert other.status_code == 200
    assert (await machine.get(LESSON)).status_code == 200


async def test_request_ids_come_back(service: Service) -> None:
    """Every answer has an id that the log has too; a sensible one of the client's is kept."""
    machine = service.machine()

    own = await machine.get(LESSON, headers={"X-Request-Id": "0123456789abcdef"})
    made = await machine.get(LESSON, headers={"X-Request-Id": "no spaces, please"})

    assert own.headers["X-Request-Id"] == "0123456789abcdef"
    assert len(made.headers["X-Request-Id"]) == 32


async def test_answers_are_not_kept(service: Service) -> None:
    """No answer of the API may be stored by caches, sniffed or framed."""
    headers = (await service.machine().get(LESSON)).headers

    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "Server" not in headers


async def test_progress_belongs_to_who_asks(service: Service) -> None:
    """No part of a request names the student: everybody sees and changes their own progress."""
    await service.machine("ada").post(f"{LESSON}/steps/one/hints")

    bobs = (await service.machine("bob").get(LESSON)).json()

    assert bobs["steps"][0]["hints"]["taken"] == []
    place = Place(UserName("bob"), CourseName("tiny"), LessonName("first"))
    assert service.store.progress(place) is None
    assert service.store.now() <= datetime.now(UTC)
    assert service.store.attempts(place, StepName("one")) == []
