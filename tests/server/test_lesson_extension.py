"""The server extension in a real single-user server: the browser's side, the terminal's socket."""

import json
import socket
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from .lesson_machine import TOKEN, LessonHub, Machine, Reply, golden

LESSON = "lessons/real-machine/web-server"
ATTEMPT = "6f1d4c0a9b7e4f0f8a3c2d1e5b6a7c8d"

ROUTES = [
    ("GET", "lesson", LESSON, "lesson", 200),
    ("POST", "steps/listens/attempts", f"{LESSON}/steps/listens/attempts", "attempt_queued", 201),
    ("GET", f"attempts/{ATTEMPT}", f"attempts/{ATTEMPT}", "attempt_failed", 200),
    ("POST", f"attempts/{ATTEMPT}/cancel", f"attempts/{ATTEMPT}/cancel", "attempt_failed", 200),
    ("GET", "steps/listens/history", f"{LESSON}/steps/listens/history", "attempt_failed", 200),
    ("GET", "images/a.png", f"{LESSON}/images/a.png", "attempt_failed", 200),
    ("POST", "steps/listens/hints", f"{LESSON}/steps/listens/hints", "hint", 200),
    ("POST", "steps/listens/done", f"{LESSON}/steps/listens/done", "lesson", 200),
    ("GET", "solution", f"{LESSON}/solution", "solution", 200),
    ("POST", "reset", f"{LESSON}/reset", "server", 200),
    ("POST", "reset/undo", f"{LESSON}/reset/undo", "server", 200),
    ("GET", "starter", f"{LESSON}/starter", "starter", 200),
]


@pytest.fixture(scope="module")
def hub() -> Iterator[LessonHub]:
    hub = LessonHub()
    yield hub
    hub.close()


@pytest.fixture(scope="module")
def machine(hub: LessonHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    home = tmp_path_factory.mktemp("machine") / "home"
    home.mkdir()
    machine = Machine(home, hub.url)
    machine.start()
    yield machine
    machine.stop()


@pytest.fixture(autouse=True)
def fresh(hub: LessonHub) -> None:
    hub.seen.clear()
    hub.gone.clear()
    hub.replies.clear()
    for method, _, path, sample, status in ROUTES:
        hub.answer(method, path, Reply(golden(sample), status))


def over_socket(machine: Machine) -> httpx.Client:
    transport = httpx.HTTPTransport(uds=str(machine.socket))
    return httpx.Client(transport=transport, base_url="http://lesson", timeout=60)


@pytest.mark.parametrize(("method", "path", "api_path", "sample", "status"), ROUTES)
def test_every_route_hands_on_the_answer_and_speaks_with_the_servers_token(
    hub: LessonHub,
    machine: Machine,
    method: str,
    path: str,
    api_path: str,
    sample: str,
    status: int,
) -> None:
    """What the API answers arrives unchanged, in the browser and in the terminal."""
    with machine.client() as browser, over_socket(machine) as terminal:
        for answer in (
            browser.request(method, f"hexhub/{path}"),
            terminal.request(method, f"/hexhub/{path}"),
        ):
            assert answer.status_code == status
            assert answer.json() == golden(sample)
            assert answer.headers["Content-Type"] == "application/json"
            assert answer.headers["Cache-Control"] == "no-store"
    assert [(s.method, s.target.partition("?")[0]) for s in hub.seen] == [(method, api_path)] * 2
    assert {s.authorization for s in hub.seen} == {f"token {TOKEN}"}


@pytest.mark.parametrize("status", [400, 403, 404, 409, 429, 500, 503])
def test_a_refusal_keeps_its_status_and_its_words(
    hub: LessonHub, machine: Machine, status: int
) -> None:
    """Errors of the API are not translated on the way."""
    hub.answer("POST", f"{LESSON}/steps/listens/hints", Reply(golden("error"), status))
    with machine.client() as browser:
        answer = browser.post("hexhub/steps/listens/hints")
    assert (answer.status_code, answer.json()) == (status, golden("error"))


def test_a_hub_that_says_when_to_come_again_is_heard(hub: LessonHub, machine: Machine) -> None:
    """Retry-After is handed on: it holds back everybody's panels at once after a fault."""
    hub.answer("GET", LESSON, Reply(golden("error"), 503))
    with machine.client() as browser:
        assert browser.get("hexhub/lesson").headers["Retry-After"] == "2"


@pytest.mark.parametrize("page", [b"<html>502 Bad Gateway</html>", b"", b"\xff\xfe{"])
def test_what_is_not_json_is_told_as_an_unreachable_hub(
    hub: LessonHub, machine: Machine, page: bytes
) -> None:
    """A proxy's error page never reaches the panel."""
    hub.answer("GET", LESSON, Reply(page, 200))
    with machine.client() as browser:
        answer = browser.get("hexhub/lesson")
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "hub_unreachable"
    assert "html" not in answer.json()["error"]["message"]


def test_an_answer_without_end_is_cut_off(hub: LessonHub, machine: Machine) -> None:
    """More than 8 MiB of an answer is not taken into memory."""
    hub.answer("GET", f"{LESSON}/solution", Reply(b'"' + b"x" * (9 * 1024**2) + b'"'))
    with machine.client() as browser:
        assert browser.get("hexhub/solution").status_code == 503


@pytest.mark.parametrize(
    "path",
    [
        "steps/../attempts",
        "steps/Listens/attempts",
        "steps/a%2Fb/attempts",
        f"steps/{'a' * 41}/attempts",
        "attempts/../../courses",
        "attempts/6F1D",
        "courses",
    ],
)
def test_no_path_but_those_reaches_the_api(hub: LessonHub, machine: Machine, path: str) -> None:
    """Names are checked before they become part of a URL that carries the token."""
    with machine.client() as browser, over_socket(machine) as terminal:
        assert browser.post(f"hexhub/{path}").status_code == 404
        refused = terminal.post(f"/hexhub/{path}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "not_found")
    assert hub.seen == []


@pytest.mark.parametrize("key", ["../x", "A" * 32, "0" * 31, "0" * 32 + "%0d"])
def test_a_key_that_is_none_is_refused(hub: LessonHub, machine: Machine, key: str) -> None:
    """What names a press of Check is 32 hex digits, or the hub is not asked."""
    with machine.client() as browser:
        assert browser.post(f"hexhub/steps/listens/attempts?key={key}").status_code == 400
    assert hub.seen == []


def test_the_wrong_method_is_refused_with_the_right_one(hub: LessonHub, machine: Machine) -> None:
    """405 names the method that the address takes."""
    with machine.client() as browser:
        answer = browser.post("hexhub/lesson")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")
    assert answer.json()["error"]["code"] == "request_invalid"
    assert hub.seen == []


@pytest.mark.parametrize("query", ["locale=../en", "locale=en%0d%0aX", "locale=" + "e" * 40])
def test_a_locale_that_is_none_is_refused(hub: LessonHub, machine: Machine, query: str) -> None:
    """A query argument is checked before it is handed on."""
    with machine.client() as browser:
        answer = browser.get(f"hexhub/lesson?{query}")
    assert answer.status_code == 400
    assert "locale" in answer.json()["error"]["message"]
    assert hub.seen == []


@pytest.mark.parametrize(
    ("asked", "handed_on"), [("7", 200), ("25", 200), ("9999", 200), ("-1", 400), ("x", 400)]
)
def test_a_wait_is_whole_seconds_and_at_most_25(
    hub: LessonHub, machine: Machine, asked: str, handed_on: int
) -> None:
    """A waiting request is bounded on this side too."""
    with machine.client() as browser:
        answer = browser.get(f"hexhub/attempts/{ATTEMPT}?wait={asked}")
    assert answer.status_code == handed_on
    if handed_on == 200:
        assert hub.seen[0].target == f"attempts/{ATTEMPT}?wait={min(int(asked), 25)}"


def test_a_waiting_request_ends_with_its_browser(hub: LessonHub, machine: Machine) -> None:
    """A closed tab leaves no request behind at the hub."""
    hub.answer("GET", f"attempts/{ATTEMPT}", Reply(golden("attempt_queued"), pause_s=20))
    with machine.client() as browser, pytest.raises(httpx.ReadTimeout):
        browser.get(f"hexhub/attempts/{ATTEMPT}?wait=25", timeout=0.5)
    machine.wait_for(lambda: hub.gone == [f"attempts/{ATTEMPT}"], "the hub sees the end")


def test_many_waiting_requests_do_not_hold_up_others(hub: LessonHub, machine: Machine) -> None:
    """Thirty open tabs wait, and the thirty-first is answered at once."""
    hub.answer("GET", f"attempts/{ATTEMPT}", Reply(golden("attempt_queued"), pause_s=10))

    def wait() -> None:
        with machine.client() as browser:
            browser.get(f"hexhub/attempts/{ATTEMPT}?wait=10")

    threads = [threading.Thread(target=wait) for _ in range(30)]
    for thread in threads:
        thread.start()
    machine.wait_for(lambda: len(hub.seen) >= 30, "all of them wait")
    with machine.client() as browser:
        assert browser.get("hexhub/lesson").status_code == 200
    assert all(thread.is_alive() for thread in threads)
    for thread in threads:
        thread.join()


def test_strangers_are_refused(hub: LessonHub, machine: Machine) -> None:
    """Without a token, or with an unknown one, nothing is handed on."""
    for token in ("", "somebody-elses"):
        with machine.client(token) as stranger:
            answer = stranger.get("hexhub/lesson", headers={"Sec-Fetch-Mode": "cors"})
            assert answer.status_code == 403
            assert answer.json()["error"]["code"] == "access_denied"
    assert hub.seen == []


def test_a_cookie_alone_changes_nothing(hub: LessonHub, machine: Machine) -> None:
    """Another page in the same browser cannot press Check: that takes the XSRF token."""
    with machine.browser() as browser:
        forged = browser.post("hexhub/steps/listens/attempts")
        assert forged.status_code == 403
        assert forged.json()["error"]["code"] == "access_denied"
        assert hub.seen == []
        token = browser.cookies.get("_xsrf") or ""
        meant = browser.post("hexhub/steps/listens/attempts", headers={"X-XSRFToken": token})
    assert meant.status_code == 201


def test_the_terminal_takes_the_language_of_the_panel(hub: LessonHub, machine: Machine) -> None:
    """Who has switched the panel to Russian is not asked again in the terminal."""
    with machine.client() as browser, over_socket(machine) as terminal:
        browser.get("hexhub/lesson?locale=ru")
        terminal.get("/hexhub/lesson")
        browser.post("hexhub/steps/listens/hints")
        browser.get("hexhub/lesson?locale=en")
        terminal.get("/hexhub/lesson")
    languages = [s.target.partition("?")[2] for s in hub.seen]
    assert languages == ["locale=ru", "locale=ru", "locale=ru", "locale=en", "locale=en"]


def test_the_terminal_learns_the_browsers_address(hub: LessonHub, machine: Machine) -> None:
    """Only the browser knows under which name the hub is seen; the terminal's links need it."""
    headers = {"Host": "learn.example.org", "X-Forwarded-Proto": "https"}
    with machine.client() as browser, over_socket(machine) as terminal:
        browser.get("hexhub/lesson", headers=headers)
        answer = terminal.get("/hexhub/lesson")
    assert answer.headers["X-HexHub-Origin"] == "https://learn.example.org"


def test_a_greeting_does_not_ask_the_hub_again(hub: LessonHub, machine: Machine) -> None:
    """A new terminal's prompt does not wait for the network."""
    with over_socket(machine) as terminal:
        terminal.get("/hexhub/lesson")
        answer = terminal.get("/hexhub/lesson?remembered=1")
    assert answer.json() == golden("lesson")
    assert len(hub.seen) == 1


def test_the_socket_is_for_its_user_alone(machine: Machine) -> None:
    """Folder 0700 and socket 0600: that is all the authentication there is on this side."""
    assert machine.socket.stat().st_mode & 0o777 == 0o600
    assert machine.socket.parent.stat().st_mode & 0o777 == 0o700


def test_noise_on_the_socket_does_no_harm(machine: Machine) -> None:
    """Bytes that are no HTTP, and bodies without end, end that connection and nothing else."""
    for noise in (
        b"\x00" * 1000 + b"\r\n\r\n",
        b"POST /hexhub/lesson HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n"
        + b"x" * 100,
    ):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(machine.socket))
            connection.sendall(noise)
            while connection.recv(4096):
                pass
    with over_socket(machine) as terminal:
        assert terminal.get("/hexhub/lesson").status_code == 200


def test_terminals_start_in_work_and_hold_no_token(machine: Machine) -> None:
    """A program that prints its environment (a debug page, a CGI script) gives no token away."""
    with machine.client() as browser:
        name = browser.post("api/terminals").json()["name"]
        pids = [
            int(path.name)
            for path in Path("/proc").iterdir()
            if path.name.isdecimal() and parent_of(path) == machine.process.pid
        ]
        shells = {pid: Path(f"/proc/{pid}/environ").read_bytes() for pid in pids}
        folders = {pid: Path(f"/proc/{pid}/cwd").resolve() for pid in pids}
        assert browser.delete(f"api/terminals/{name}").status_code == 204
    assert set(folders.values()) == {machine.home / "work"}
    assert all(TOKEN.encode() not in env for env in shells.values())
    assert all(b"HEXHUB_LESSON=web-server" in env for env in shells.values())


def parent_of(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def test_a_terminal_opens_also_where_work_is_gone(machine: Machine) -> None:
    """Who has removed ~/work needs a terminal most of all."""
    work = machine.home / "work"
    work.rmdir()
    with machine.client() as browser:
        answer = browser.post("api/terminals")
        assert answer.status_code == 200, answer.text
        browser.delete(f"api/terminals/{answer.json()['name']}")
    work.mkdir()


def test_only_the_systems_kernels_are_offered(machine: Machine) -> None:
    """JupyterLab's own Python is no kernel: nothing that the student installs is there."""
    with machine.client() as browser:
        specs = browser.get("api/kernelspecs").json()["kernelspecs"]
        started = browser.post("api/kernels", content=json.dumps({"name": "python3"}))
    assert all("/.venv/" not in spec["resource_dir"] for spec in specs.values())
    assert started.status_code >= 400 or "python3" in specs


def test_the_ide_is_set_up_for_lessons(machine: Machine) -> None:
    """It opens /lab in ~/work, without news, updates, quit button or unused extensions."""
    with machine.browser() as browser:
        page = browser.get("lab", headers={"Sec-Fetch-Mode": "navigate"}).text
        lsp = browser.get("lsp/status", headers={"Sec-Fetch-Mode": "navigate"})
    config = json.loads(page.partition('type="application/json">')[2].partition("</script>")[0])
    assert config["preferredPath"] == "work"
    assert config["quitButton"] is False
    assert config["news"] == {"disabled": True}
    assert lsp.status_code == 404


def test_without_the_hub_it_says_so(tmp_path: Path) -> None:
    """A hub that has gone away is told in one sentence, with 503, and heals by itself."""
    home = tmp_path / "home"
    home.mkdir()
    hub = LessonHub()
    machine = Machine(home, hub.url)
    try:
        machine.start()
        hub.close()
        with over_socket(machine) as terminal:
            answer = terminal.get("/hexhub/lesson")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "hub_unreachable")
        said = machine.lesson("check")
        assert (said.returncode, said.stdout) == (2, "")
        assert said.stderr == (
            "The hub does not answer. Your work is safe on this machine; try again in a moment.\n"
        )
    finally:
        machine.stop()


def test_files_are_put_back_and_taken_back(hub: LessonHub, machine: Machine) -> None:
    """From panel and terminal: a file, or a step's files, as new, and the student's again, once."""
    hub.answer("GET", f"{LESSON}/starter/file", Reply(golden("starter_file")))
    page = machine.home / "work" / "index.html"
    page.write_text("mine\n")
    with machine.client() as browser, over_socket(machine) as terminal:
        put = browser.post("hexhub/files/reset", params={"step": "listens"})
        assert (put.status_code, put.json()) == (200, golden("files"))
        assert page.read_text() == "#!/bin/sh\n"
        again = terminal.post("/hexhub/files/reset", params={"path": "index.html"})
        assert again.json() == {"version": 1, "files": []}
        taken = terminal.post("/hexhub/files/undo")
        assert taken.json() == golden("files")
        assert page.read_text() == "mine\n"
        refused = browser.post("hexhub/files/undo", params={"path": "index.html"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "nothing_to_undo")
        for query in ({}, {"step": "no-such-step"}, {"path": "../x"}):
            refused = browser.post("hexhub/files/reset", params=query)
            assert (refused.status_code, refused.json()["error"]["code"]) == (
                400,
                "request_invalid",
            )
        assert browser.get("hexhub/files/reset").status_code == 405


def test_a_file_that_is_not_of_the_starter_is_refused_by_the_hub(
    hub: LessonHub, machine: Machine
) -> None:
    """The API's refusal arrives as it is."""
    hub.answer("GET", f"{LESSON}/starter/file", Reply(golden("error"), 404))
    with machine.client() as browser:
        answer = browser.post("hexhub/files/reset", params={"path": "mine.txt"})
    assert (answer.status_code, answer.json()) == (404, golden("error"))


def test_memory_is_told(machine: Machine) -> None:
    """The status bar can show how much is used; nobody without the server's token can."""
    with machine.client() as browser, machine.client(token="") as stranger:
        answer = browser.get("hexhub/memory")
        assert stranger.get("hexhub/memory").status_code in (302, 403)
    assert answer.status_code in (200, 404)
    if answer.status_code == 200:
        assert answer.json().keys() == golden("memory").keys()
        assert answer.json()["used_bytes"] > 0


def last_use(browser: httpx.Client) -> str:
    """Give when Jupyter Server was last used, as it says itself."""
    used: str = browser.get("api/status").json()["last_activity"]
    return used


def test_a_page_that_only_stands_open_is_no_use(hub: LessonHub, machine: Machine) -> None:
    """What JupyterLab and the panel ask by themselves does not count; what a student does does."""
    hub.answer("GET", f"{LESSON}/machine", Reply(golden("machine")))
    with machine.client() as browser:
        before = last_use(browser)
        for path in ("kernels", "kernelspecs", "sessions", "terminals", "contents/work?content=1"):
            assert browser.get(f"api/{path}").status_code == 200
        for path in ("lesson", "machine", "memory"):
            browser.get(f"hexhub/{path}")
        assert last_use(browser) == before
        (machine.home / "work" / "read.txt").write_text("text")
        assert browser.get("api/contents/work/read.txt?type=file").status_code == 200
        after_reading = last_use(browser)
        assert after_reading > before
        here = browser.post("hexhub/here")
        assert (here.status_code, here.json()["undo_until"]) == (
            200,
            golden("machine")["undo_until"],
        )
        assert last_use(browser) > after_reading


def test_the_machine_knows_best_when_it_is_stopped(
    hub: LessonHub, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Of its own use it has heard before the hub has; the rest of the answer is the hub's."""
    hub.answer("GET", f"{LESSON}/machine", Reply(golden("machine")))
    home = tmp_path_factory.mktemp("idle") / "home"
    home.mkdir()
    machine = Machine(home, hub.url)
    try:
        machine.start(HEXHUB_IDLE_S="3600")
        with machine.client() as browser, over_socket(machine) as terminal:
            facts = browser.get("hexhub/machine").json()
            stop_at = datetime.fromisoformat(facts["idle_stop_at"])
            used_at = datetime.fromisoformat(last_use(browser))
            assert stop_at == used_at + timedelta(hours=1)
            assert {**facts, "idle_stop_at": None} == {**golden("machine"), "idle_stop_at": None}
            assert terminal.get("/hexhub/machine").json() == facts
    finally:
        machine.stop()


MENU = "lab/api/settings/@jupyterlab/mainmenu-extension:plugin"


@pytest.mark.parametrize(
    ("chosen", "language", "file_menu"),
    [("ru", "ru-RU", "Файл"), ("en", None, "File"), ("xx", None, "File")],
)
def test_jupyterlab_speaks_the_language_of_the_page(
    machine: Machine, chosen: str, language: str | None, file_menu: str
) -> None:
    """What is chosen on HexHub's pages holds for JupyterLab's menus; English where it has none."""
    with machine.browser() as browser:
        browser.cookies.set("hexhub_locale", chosen)
        page = browser.get("lab", headers={"Sec-Fetch-Mode": "navigate"})
        words = browser.get("lab/api/translations/default").json()
        menus = browser.get(MENU).json()["schema"]["jupyter.lab.menus"]["main"]
    assert page.status_code == 200
    assert words["data"].get("jupyterlab", {}).get("", {}).get("language") == language
    assert [menu["label"] for menu in menus if menu["id"] == "jp-mainmenu-file"] == [file_menu]


def test_the_students_own_choice_of_a_language_stands(machine: Machine) -> None:
    """Who has chosen a language in JupyterLab's settings has that one, whatever the page says."""
    own = "lab/api/settings/@jupyterlab/translation-extension:plugin"
    with machine.client() as client:
        assert client.put(own, json={"raw": '{"locale": "ru_RU"}'}).status_code == 204
    try:
        with machine.browser() as browser:
            browser.cookies.set("hexhub_locale", "en")
            browser.get("lab", headers={"Sec-Fetch-Mode": "navigate"})
            menus = browser.get(MENU).json()["schema"]["jupyter.lab.menus"]["main"]
        assert "Файл" in [menu["label"] for menu in menus]
    finally:
        with machine.client() as client:
            assert client.put(own, json={"raw": "{}"}).status_code == 204
