"""With all that a student holds, nothing can be had from the API that is not theirs.

``tests/server/test_api.py`` and ``test_login.py`` hold the plain refusals; here a student with the
token of their own machine, of another one of theirs, and with cookies tries to get around them.
"""

import json
from datetime import timedelta

import httpx
import pytest

from hexhub.checks.model import Outcome, OutcomeKind, TestOutcome, TestResult
from hexhub.progress.model import AttemptState
from tests.server.conftest import API, LESSON, PREFIX, Service
from tests.server.small_courses import CANARY, FIRST_SERVER, SECOND_SERVER

ATTEMPTS = f"{LESSON}/steps/one/attempts"
PASSED = Outcome(OutcomeKind.PASSED, tests=(TestResult("t::a", "A", TestOutcome.PASSED),))
FAILED = Outcome(OutcomeKind.FAILED, tests=(TestResult("t::a", "A", TestOutcome.FAILED),))
VERDICT = {"outcome": "passed", "state": "done", "tests": [{"id": "t::a", "outcome": "passed"}]}


def is_untouched(service: Service, user: str = "ada") -> bool:
    """Tell whether a student has neither passed anything nor a finished attempt."""
    progress = service.store.progress(service.place(user))
    attempts = service.store.last_attempts(service.place(user)).values()
    return not (progress and progress.passed_at) and all(
        attempt.state is AttemptState.QUEUED and attempt.outcome is None for attempt in attempts
    )


# --- a forged pass --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (json.dumps(VERDICT).encode(), {}),
        (json.dumps({"outcome": VERDICT}).encode(), {"Content-Type": "application/json"}),
        (json.dumps([VERDICT]).encode(), {"Content-Type": "application/json"}),
        (b"outcome=passed&state=done", {"Content-Type": "application/x-www-form-urlencoded"}),
        (
            b'--x\r\nContent-Disposition: form-data; name="outcome"\r\n\r\npassed\r\n--x--\r\n',
            {"Content-Type": "multipart/form-data; boundary=x"},
        ),
        (b'{"outcome": "passed"}{', {}),
        ('{"outcome": "passed"}'.encode("utf-16"), {"Content-Type": "text/json; charset=utf-16"}),
        (b'{"__proto__": {"outcome": "passed"}}', {}),
    ],
    ids=["verdict", "outcome", "list", "form", "multipart", "broken", "utf-16", "proto"],
)
async def test_no_outcome_comes_in_a_body(
    service: Service, content: bytes, headers: dict[str, str]
) -> None:
    """An attempt that brings its own outcome is refused, whatever the body looks like."""
    answer = await service.machine().post(ATTEMPTS, content=content, headers=headers)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "request_invalid")
    assert service.store.last_attempts(service.place()) == {}
    assert is_untouched(service)


@pytest.mark.parametrize(
    "query",
    [
        "outcome=passed",
        "state=done",
        "user=bob",
        "course=closed",
        "passed=1",
        "expected_ids=",
        "_=1",
    ],
)
async def test_no_outcome_comes_in_a_query(service: Service, query: str) -> None:
    """A query that the request does not have is refused, and nothing is queued."""
    answer = await service.machine().post(f"{ATTEMPTS}?{query}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "request_invalid")
    assert service.store.last_attempts(service.place()) == {}


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST", "OPTIONS"])
async def test_no_method_changes_an_attempt(service: Service, method: str) -> None:
    """An attempt can be looked at only; its state stays as the worker leaves it."""
    machine = service.machine()
    attempt_id = (await machine.post(ATTEMPTS)).json()["id"]

    answer = await machine.request(method, f"{API}attempts/{attempt_id}")

    assert answer.status_code == 405
    assert is_untouched(service)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "GET", "PROPFIND"])
@pytest.mark.parametrize("path", ["attempts", "done", "hints", "outcome", "passed"])
async def test_no_other_method_passes_a_step(service: Service, method: str, path: str) -> None:
    """What is below a step takes POST alone, and three addresses are all there is."""
    answer = await service.machine().request(method, f"{LESSON}/steps/one/{path}")

    assert answer.status_code in (404, 405)
    assert is_untouched(service)


@pytest.mark.parametrize(
    "header", ["X-HTTP-Method-Override", "X-Method-Override", "X-Original-URL", "X-Rewrite-URL"]
)
async def test_no_header_makes_another_request_of_it(service: Service, header: str) -> None:
    """Headers by which some servers change method or path do nothing."""
    value = "DELETE" if "Method" in header else f"{API}lessons/tiny/first/solution"

    answer = await service.machine().get(LESSON, headers={header: value})

    assert answer.status_code == 200
    assert answer.json()["lesson"]["name"] == "first"
    assert CANARY not in answer.text


async def test_a_step_with_a_check_is_not_done_by_word(service: Service) -> None:
    """``done`` passes no step that has a check, not even one that failed, nor a locked one."""
    machine = service.machine()
    attempt_id = (await machine.post(ATTEMPTS)).json()["id"]
    service.finish(attempt_id, FAILED)

    answers = [await machine.post(f"{LESSON}/steps/{s}/done") for s in ("one", "two", "three")]

    assert [answer.status_code for answer in answers] == [400, 409, 409]
    progress = service.store.progress(service.place())
    assert progress is not None
    assert progress.passed_at == {}


# --- somebody else's ------------------------------------------------------------------------------


async def test_another_students_attempt_cannot_be_replayed(service: Service) -> None:
    """The id of somebody's passed attempt shows nothing and passes nothing for another student."""
    bobs = (await service.machine("bob").post(ATTEMPTS)).json()["id"]
    service.finish(bobs, PASSED)
    ada = service.machine("ada")

    shown = await ada.get(f"{API}attempts/{bobs}", params={"wait": 0})
    unknown = await ada.get(f"{API}attempts/{'0' * 32}")
    tries = [
        await ada.post(f"{ATTEMPTS}/{bobs}"),
        await ada.post(f"{ATTEMPTS}?id={bobs}"),
        await ada.post(ATTEMPTS, json={"id": bobs}),
        await ada.post(ATTEMPTS, headers={"X-Request-Id": bobs}),
    ]
    own = await ada.get(LESSON)

    assert shown.status_code == unknown.status_code == 404
    assert shown.text.replace(bobs, "") == unknown.text.replace("0" * 32, "")
    assert [answer.status_code for answer in tries] == [404, 400, 400, 201]
    assert tries[3].json()["id"] != bobs
    assert own.json()["steps"][0]["state"] == "open"
    assert bobs not in own.text
    assert is_untouched(service, "ada")


async def test_another_students_results_are_not_in_any_answer(service: Service) -> None:
    """What others did and wrote is in no answer that a student's token can get."""
    word = "what-bob-printed"
    bob = service.machine("bob")
    result = TestResult("t::a", "A", TestOutcome.FAILED, message=word, output=word)
    attempt_id = (await bob.post(ATTEMPTS)).json()["id"]
    service.finish(attempt_id, Outcome(OutcomeKind.FAILED, message=word, tests=(result,)))
    ada = service.machine("ada")
    mine = (await ada.post(ATTEMPTS)).json()["id"]

    answers = [
        await ada.get(LESSON),
        await ada.get(f"{API}attempts/{mine}"),
        await ada.get(f"{API}attempts/{attempt_id}"),
        await ada.get(f"{LESSON}/server"),
        await ada.get(f"{LESSON}/solution"),
        await ada.get(f"{LESSON}?locale=en&user=bob"),
        await service.client(service.hub.person("ada")).get(f"{API}courses"),
        await service.client(service.hub.person("ada")).get(LESSON),
    ]

    assert word in (await bob.get(f"{API}attempts/{attempt_id}")).text
    for answer in answers:
        assert word not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "lessons/tiny/second",
        "lessons/closed/second",
        "lessons/tiny/second/steps/only/done",
        "lessons/tiny/first%2F..%2Fsecond",
        "lessons/tiny/first/../second",
        "lessons/tiny/./second",
        "lessons//tiny/second",
        "lessons/tiny/second/",
        "lessons/TINY/second",
        "lessons/tiny/second%00",
        "courses",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_path_leads_to_no_other_lesson(service: Service, method: str, path: str) -> None:
    """A machine's token opens its own lesson, however another one is written in the path."""
    machine = service.client(service.hub.machine("ada", FIRST_SERVER, groups=("insiders",)))
    url = httpx.URL(f"{service.url}{API}").copy_with(raw_path=f"{API}{path}".encode())

    answer = await machine.request(method, url)

    assert answer.status_code in (403, 404, 405)
    assert "Do it." not in answer.text
    for lesson in ("first", "second"):
        place = service.place()
        assert service.store.progress(place.__class__(place.user, place.course, lesson)) is None


async def test_another_machine_of_the_same_student_has_nothing_here(service: Service) -> None:
    """The token of the student's other machine neither makes, sees nor shows this one's."""
    mine = service.machine()
    attempt_id = (await mine.post(ATTEMPTS)).json()["id"]
    service.finish(attempt_id, PASSED)
    service.pass_steps("two", "three")
    other = service.machine("ada", SECOND_SERVER)

    answers = [
        await other.get(f"{API}attempts/{attempt_id}"),
        await other.post(ATTEMPTS),
        await other.get(f"{LESSON}/solution"),
        await other.post(f"{LESSON}/steps/one/hints"),
    ]

    assert {answer.status_code for answer in answers} == {403}
    assert all(CANARY not in answer.text for answer in answers)
    assert (await mine.get(f"{LESSON}/solution")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X-JupyterHub-User": "bob"},
        {"X-Forwarded-User": "bob", "Remote-User": "bob", "X-Remote-User": "bob"},
        {"Cookie": "service-hexhub=bob; jupyterhub-user=bob; hexhub_user=bob"},
        {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1", "Forwarded": "for=127.0.0.1"},
    ],
    ids=["hub", "proxy", "cookie", "address"],
)
async def test_no_header_makes_another_student_of_it(
    service: Service, headers: dict[str, str]
) -> None:
    """Who speaks is what JupyterHub says of the token, and nothing that the request claims."""
    service.pass_steps("one", user="bob")

    answer = await service.machine("ada").get(LESSON, headers=headers)

    assert answer.json()["steps"][0]["state"] == "open"
    assert service.store.progress(service.place("ada")) is None


@pytest.mark.parametrize("where", ["query", "body", "cookie", "basic"])
async def test_a_token_counts_in_its_header_only(service: Service, where: str) -> None:
    """A token in the address, a body, a cookie or another scheme is nobody's, and never logged."""
    token = service.hub.machine("bob", FIRST_SERVER)
    client = service.client()
    if where == "query":
        answer = await client.get(f"{LESSON}?token={token}")
    elif where == "body":
        answer = await client.post(ATTEMPTS, json={"token": token})
    elif where == "cookie":
        answer = await client.get(LESSON, headers={"Cookie": f"service-hexhub={token}"})
    else:
        answer = await client.get(LESSON, auth=("bob", token))

    assert answer.status_code in (400, 403)
    assert service.store.progress(service.place("bob")) is None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "steps/one/attempts"),
        ("POST", "steps/one/hints"),
        ("POST", "steps/three/done"),
        ("POST", "open"),
        ("POST", "stop"),
        ("GET", "solution"),
    ],
)
async def test_a_cookie_without_its_token_does_nothing(
    service: Service, method: str, path: str
) -> None:
    """A page of another student's machine, on the same host, cannot speak for who opens it.

    Their browser sends the cookies along, and the page may even choose the cookie of the XSRF
    token; it cannot know a token that goes with their log-in.
    """
    bob = await service.browser("bob")
    del bob.headers["Sec-Fetch-Mode"]
    # JupyterHub takes those after the second, of a GET, for a visit to a page or an image of one.
    modes = ("cors", "same-origin", "no-cors", "navigate", "websocket", "", None)
    headers = [
        {
            **({} if mode is None else {"Sec-Fetch-Mode": mode, "Sec-Fetch-Site": "same-origin"}),
            **({} if token is None else {"X-XSRFToken": token}),
        }
        for mode in modes
        for token in (None, "", "chosen")
    ]
    bob.cookies.set("_xsrf", "chosen", path=f"{PREFIX}api")
    for given in headers:
        answer = await bob.request(method, f"{LESSON}/{path}", headers=given)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "login_required")

    assert service.store.progress(service.place("bob")) is None
    assert service.hub.starts == []


# --- before its time ------------------------------------------------------------------------------


async def test_no_hint_before_its_time(service: Service) -> None:
    """Asking often, or naming a number, gives no hint whose condition is not met."""
    machine = service.machine()
    first = await machine.post(f"{LESSON}/steps/one/hints")
    tries = [
        *[await machine.post(f"{LESSON}/steps/one/hints") for _ in range(5)],
        await machine.post(f"{LESSON}/steps/one/hints?number=2"),
        await machine.post(f"{LESSON}/steps/one/hints", json={"number": 2}),
        await machine.post(f"{LESSON}/steps/one/hints/2"),
        await machine.post(f"{LESSON}/steps/two/hints"),
    ]
    # Attempts that only wait do not open it.
    await machine.post(ATTEMPTS)
    tries.append(await machine.post(f"{LESSON}/steps/one/hints"))
    lesson = await machine.get(LESSON)

    assert first.json()["hint"] == "Hint 1 (en)."
    assert [answer.status_code for answer in tries] == [*[409] * 5, 400, 400, 404, 409, 409]
    assert all("Hint 2" not in answer.text for answer in [*tries, lesson])


@pytest.mark.parametrize(
    "query", ["", "?reveal=1", "?version=1", "?locale=en", "?path=../solution/app.py"]
)
async def test_no_solution_before_the_last_step(service: Service, query: str) -> None:
    """All steps but one are not all; nor does the time matter where passing opens it."""
    service.pass_steps("one", "two")
    machine = service.machine()

    answer = await machine.get(f"{LESSON}/solution{query}")

    assert answer.status_code in (400, 403)
    assert CANARY not in answer.text
    progress = service.store.progress(service.place())
    assert progress is not None
    assert service.store.now() - progress.started_at < timedelta(days=1)


@pytest.mark.parametrize(
    "path",
    [
        "solution/app.py",
        "solution/solve.sh",
        "checks",
        "checks/test_one.py",
        "files/checks/test_one.py",
        "..%2f..%2fchecks%2ftest_one.py",
        "source.ipynb",
    ],
)
async def test_no_file_of_the_author_has_an_address(service: Service, path: str) -> None:
    """Neither API nor static files lead to the files of a course, also once all is passed."""
    service.pass_steps("one", "two", "three")
    ada = service.client(service.hub.person("ada"))

    answers = [
        await ada.get(f"{LESSON}/{path}"),
        await ada.get(f"{PREFIX}static/{path}"),
        await ada.get(f"{PREFIX}static/..%2f..%2fpublished/tiny/lessons/first/{path}"),
        await ada.get(f"{PREFIX}courses/tiny/lessons/first/{path}"),
    ]

    assert {answer.status_code for answer in answers} <= {403, 404}
    assert all(CANARY not in answer.text for answer in answers)


@pytest.mark.parametrize("size", [16 * 1024 + 1, 60_000])
async def test_an_oversized_body_is_refused(service: Service, size: int) -> None:
    """A body beyond its limit is refused before it is parsed, and nothing is queued."""
    answer = await service.machine().post(ATTEMPTS, content=b"{" + b" " * size + b"}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "request_invalid")
    assert service.store.last_attempts(service.place()) == {}


# --- what comes out -------------------------------------------------------------------------------


async def test_what_a_program_printed_is_inert_in_the_answer(service: Service) -> None:
    """HTML in a result is text of a JSON answer that no browser takes for a page.

    ``show: name`` leaves the message out; the outcome's own sentence is always shown.
    """
    html = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
    machine = service.machine()
    attempt_id = (await machine.post(ATTEMPTS)).json()["id"]
    name = TestResult("t::a", html, TestOutcome.FAILED, message=html)
    service.finish(attempt_id, Outcome(OutcomeKind.FAILED, message=html, tests=(name,)))

    for answer in (await machine.get(f"{API}attempts/{attempt_id}"), await machine.get(LESSON)):
        assert answer.headers["Content-Type"].startswith("application/json")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "</script>" not in answer.text
        assert json.dumps(html)[1:-1] in json.dumps(answer.json())


@pytest.mark.parametrize("path", ["", "courses/tiny", "courses/tiny/lessons/first/open"])
async def test_a_students_name_is_inert_in_pages(service: Service, path: str) -> None:
    """A user name that is HTML is shown as text; an authenticator may allow any."""
    browser = await service.browser("<script>alert(1)</script>")

    page = await browser.get(f"{PREFIX}{path}")

    assert page.status_code == 200
    assert "<script>alert(1)" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text
