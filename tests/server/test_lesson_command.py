"""The ``lesson`` command as the student runs it: a program, a real socket, a real terminal."""

import json
import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .lesson_machine import LESSON_COMMAND, LessonHub, Machine, Reply, golden

LESSON = "lessons/real-machine/web-server"
STEP = f"{LESSON}/steps/listens"
ATTEMPT = "6f1d4c0a9b7e4f0f8a3c2d1e5b6a7c8d"


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
def fresh(hub: LessonHub, machine: Machine) -> None:
    hub.seen.clear()
    hub.replies.clear()
    hub.answer("GET", LESSON, Reply(golden("lesson")))
    hub.answer("POST", f"{STEP}/attempts", Reply(golden("attempt_queued"), 201))
    queued = golden("attempt_queued")["id"]
    hub.answer("GET", f"attempts/{queued}", Reply(golden("attempt_failed")))
    hub.answer("POST", f"{STEP}/hints", Reply(golden("hint")))
    hub.answer("POST", f"{STEP}/done", Reply(golden("lesson")))
    hub.answer("GET", f"{LESSON}/solution", Reply(golden("solution")))
    (machine.home / ".config/hexhub/locale").unlink(missing_ok=True)


def changed(name: str, **values: Any) -> dict[str, Any]:
    return golden(name) | values


def passed_attempt(**values: Any) -> dict[str, Any]:
    attempt = golden("attempt_failed")
    attempt["outcome"]["outcome"] = "passed"
    for test in attempt["outcome"]["tests"]:
        test |= {"outcome": "passed", "message": "", "expected": None, "actual": None}
    attempt["outcome"] |= values
    return attempt


def finished_lesson() -> dict[str, Any]:
    lesson = golden("lesson")
    lesson["lesson"]["is_finished"] = True
    lesson["solution"] = {"is_available": True, "reason": None}
    for step in lesson["steps"]:
        step |= {"state": "passed", "task": step["task"] or "Done."}
    lesson["current_step"] = "serves"
    return lesson


def attempt_answers(hub: LessonHub, *attempts: dict[str, Any]) -> None:
    path = f"attempts/{golden('attempt_queued')['id']}"
    hub.answer("GET", path, *(Reply(attempt) for attempt in attempts))


def test_it_says_where_one_is(machine: Machine) -> None:
    """Course, lesson, all steps with their states, and the three commands; exit 0."""
    said = machine.lesson()
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout == (
        "A real machine › Serve a page  0 of 2 steps\n"
        "\n"
        "  ▸ Listen\n"
        "  · Serve your own page (not open yet)\n"
        "\n"
        "  lesson task   read the task of this step\n"
        "  lesson check  check your work\n"
        "  lesson hint   take a hint (1 of 2 taken)\n"
    )


def test_a_failed_check_shows_test_by_test_and_ends_with_1(machine: Machine) -> None:
    """What failed has the author's words and both sides of the comparison."""
    said = machine.lesson("check")
    assert (said.returncode, said.stderr) == (1, "")
    assert said.stdout == (
        "  ✔ nginx listens on port 8000\n"
        "  ✘ The page says hello\n"
        "      GET / answered 200, but the page has no 'Hello' in it.\n"
        "      expected  Hello\n"
        "      found     Welcome to nginx!\n"
        "\n"
        "Not yet: 1 of 2 tests pass.\n"
    )


def test_a_passed_check_ends_with_0_and_says_how_to_go_on(hub: LessonHub, machine: Machine) -> None:
    """After a pass the next step is one command away."""
    attempt_answers(hub, passed_attempt())
    said = machine.lesson("check", "listens")
    assert said.returncode == 0
    assert said.stdout.endswith("Passed: 2 of 2 tests.\nGo on with: lesson next\n")


def test_the_last_pass_shows_the_way_out_of_the_lesson(hub: LessonHub, machine: Machine) -> None:
    """Solution and next lesson, the latter as a link that the terminal can open."""
    attempt_answers(hub, passed_attempt())
    with machine.client() as browser:
        browser.get("hexhub/lesson", headers={"Host": "learn.example.org"})
    hub.answer("GET", LESSON, Reply(golden("lesson")), Reply(finished_lesson()))
    said = machine.lesson("check")
    assert said.stdout.endswith(
        "You have finished the lesson 'Serve a page'.\n"
        "The author's solution: lesson solution\n"
        "Next lesson: A database of your own\n"
        "  http://learn.example.org/services/hexhub/courses/real-machine/lessons/database/open\n"
    )
    assert machine.lesson("next").stdout.startswith("You have finished the lesson")


def test_many_lines_are_compared_as_in_the_panel(hub: LessonHub, machine: Machine) -> None:
    """What is missing, what is there instead, and a word where only spaces differ."""
    attempt = golden("attempt_failed")
    attempt["outcome"]["tests"][1] |= {"expected": "a\nhello\nc", "actual": "a\nhullo\nc"}
    attempt_answers(hub, attempt)
    said = machine.lesson("check")
    assert (
        "      - expected   + found\n        a\n      - hello\n      + hullo\n        c\n"
    ) in said.stdout
    attempt["outcome"]["tests"][1] |= {"expected": "a b", "actual": "a  b"}
    attempt_answers(hub, attempt)
    said = machine.lesson("check")
    assert "      expected  a·b\n      found     a··b\n      They differ only in" in said.stdout


def test_watching_checks_after_each_change_until_it_is_passed(
    hub: LessonHub, machine: Machine
) -> None:
    """The first verdict is at once, the next after a file has changed; a pass ends it with 0."""
    work = machine.home / "work"
    work.mkdir(exist_ok=True)
    attempt_answers(hub, golden("attempt_failed"), passed_attempt())
    process = subprocess.Popen(
        [str(LESSON_COMMAND), "check", "--watch"],
        env={
            "HOME": str(machine.home),
            "LANG": "C.UTF-8",
            "HEXHUB_LESSON_SOCKET": str(machine.socket),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    lines = iter(process.stdout.readline, "")
    assert any("Ctrl-C ends this" in line for line in lines)
    (work / "answer.txt").write_text("42")
    rest = "".join(lines)
    assert process.wait(timeout=60) == 0
    process.stdout.close()
    assert "Passed: 2 of 2 tests.\nGo on with: lesson next\n" in rest


@pytest.mark.parametrize(
    ("outcome", "code", "words"),
    [
        ("failed", 1, "Not yet: 1 of 2 tests pass."),
        ("error", 1, "Your work stopped the check."),
        ("ungradable", 2, "The check could not be made. That is not your fault"),
        ("cancelled", 2, "Cancelled. This check does not count."),
        ("of-the-future", 2, "The check could not be made. That is not your fault"),
    ],
)
def test_exit_codes_tell_outcomes_apart(
    hub: LessonHub, machine: Machine, outcome: str, code: int, words: str
) -> None:
    """0 passed, 1 not passed, 2 not to be had; an unknown outcome is never a pass."""
    attempt = golden("attempt_failed")
    attempt["outcome"] |= {"outcome": outcome, "message": "Memory ran out."}
    attempt_answers(hub, attempt)
    said = machine.lesson("check")
    assert "Memory ran out.\n" in said.stdout
    assert words in said.stdout
    if outcome != "of-the-future":
        assert said.returncode == code
    else:
        assert said.returncode != 0


def test_a_check_is_waited_for(hub: LessonHub, machine: Machine) -> None:
    """Queued and running answers are asked again, with a wait at the server, until it is done."""
    queued, running = golden("attempt_queued"), changed("attempt_queued", state="running")
    attempt_answers(hub, queued, running, running, golden("attempt_failed"))
    assert machine.lesson("check").returncode == 1
    asked = [seen.target for seen in hub.seen if seen.target.startswith("attempts/")]
    # While it is queued more often, so that the place in the queue is a fresh one.
    assert asked == [f"attempts/{queued['id']}?wait={wait_s}" for wait_s in (3, 3, 20, 20)]


def test_json_is_the_answer_itself(machine: Machine) -> None:
    """Programs get what the API said, and the same exit codes."""
    said = machine.lesson("check", "--json")
    assert (said.returncode, json.loads(said.stdout)) == (1, golden("attempt_failed"))
    for words, sample in (((), "lesson"), (("hint",), "hint"), (("solution",), "solution")):
        assert json.loads(machine.lesson(*words, "--json").stdout) == golden(sample)


def test_a_refusal_is_said_in_its_own_words_and_ends_with_2(
    hub: LessonHub, machine: Machine
) -> None:
    """The API's sentence goes to standard error, nothing to standard output."""
    hub.answer("POST", f"{STEP}/attempts", Reply(golden("error"), 409))
    said = machine.lesson("check")
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr == "Step 'serves' opens when these are passed: listens.\n"


def test_a_step_without_a_check_is_marked_as_done(hub: LessonHub, machine: Machine) -> None:
    """``check`` names ``done``, and ``done`` refuses a step that has a check."""
    lesson = golden("lesson")
    lesson["steps"][0]["has_check"] = False
    hub.answer("GET", LESSON, Reply(lesson))
    said = machine.lesson("check")
    assert (said.returncode, said.stderr) == (
        2,
        "This step has no check. When you are through with it: lesson done\n",
    )
    assert machine.lesson("done").stdout == "Done: Listen\nGo on with: lesson next\n"
    hub.answer("GET", LESSON, Reply(golden("lesson")))
    assert machine.lesson("done").stderr == "This step has a check: lesson check\n"


def test_hints_are_numbered_and_come_to_an_end(hub: LessonHub, machine: Machine) -> None:
    """Every call takes one more; when all are taken they are shown again and none is asked for."""
    assert machine.lesson("hint").stdout.startswith("Hint 1 of 2\n\nLook at the `listen` line")
    lesson = golden("lesson")
    lesson["steps"][0]["hints"] = {"total": 2, "taken": ["First.", "Second."], "next": None}
    hub.answer("GET", LESSON, Reply(lesson))
    hub.seen.clear()
    said = machine.lesson("hint")
    assert said.stdout == (
        "Hint 1 of 2\n\nFirst.\n\nHint 2 of 2\n\nSecond.\n\nThat were all hints of this step.\n"
    )
    assert [seen.method for seen in hub.seen] == ["GET"]


def test_an_unknown_step_names_the_known_ones(hub: LessonHub, machine: Machine) -> None:
    """What, which, how out; and nothing of it becomes part of a path."""
    said = machine.lesson("check", "nope")
    assert said.stderr == "No step 'nope' in this lesson. It has: listens, serves.\n"
    for word in ("../../x", "a?b=c", "a b", "Ё", "a" * 41):
        assert machine.lesson("check", word).returncode == 2
    assert {seen.method for seen in hub.seen} == {"GET"}


def test_a_locked_task_is_not_there(machine: Machine) -> None:
    """The command says when it opens."""
    assert machine.lesson("task", "serves").stderr == (
        "The task of 'Serve your own page' opens when the steps before it are passed.\n"
    )


@pytest.mark.parametrize("words", [("bogus",), ("--bogus",), ("check", "a", "b"), ("next", "x")])
def test_what_it_does_not_know_it_says(machine: Machine, words: tuple[str, ...]) -> None:
    """A wrong command line never does something else instead."""
    said = machine.lesson(*words)
    assert (said.returncode, said.stdout) == (2, "")
    assert "'lesson --help' shows what there is" in said.stderr


@pytest.mark.parametrize(
    ("words", "env"),
    [
        (("--locale", "ru"), {}),
        (("--locale=ru",), {}),
        ((), {"HEXHUB_LOCALE": "ru_RU.UTF-8"}),
    ],
)
def test_it_speaks_russian_when_asked(
    hub: LessonHub, machine: Machine, words: tuple[str, ...], env: dict[str, str]
) -> None:
    """The texts of the lesson are asked for in the same language."""
    said = machine.lesson(*words, **env)
    assert "lesson check  проверить решение" in said.stdout
    assert hub.seen[0].target == f"{LESSON}?locale=ru"


def test_a_stored_language_stays_and_can_be_overruled(machine: Machine) -> None:
    """``lesson locale ru`` is for good; the command line and the variable go before it."""
    assert machine.lesson("locale", "ru").stdout == "Теперь эта команда говорит по-русски.\n"
    assert "проверить" in machine.lesson().stdout
    assert "check your work" in machine.lesson("--locale", "en").stdout
    assert "check your work" in machine.lesson(HEXHUB_LOCALE="en").stdout
    assert machine.lesson("locale", "fr").stderr == "Нет языка 'fr'. Есть: en, ru.\n"


def test_a_file_is_put_back_and_taken_back(hub: LessonHub, machine: Machine) -> None:
    """By its name from where one is; the student's own version is not lost."""
    hub.answer("GET", f"{LESSON}/starter", Reply(golden("starter")))
    hub.answer("GET", f"{LESSON}/starter/file", Reply(golden("starter_file")))
    file = machine.home / "work/index.html"
    file.parent.mkdir(exist_ok=True)
    file.write_text("mine")
    said = machine.lesson("reset", "work/index.html")
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout == (
        "index.html is as it was at the beginning.\n"
        "To take yours back: lesson reset work/index.html --undo\n"
    )
    assert file.read_text() != "mine"
    assert "already" in machine.lesson("reset", "work/index.html").stdout
    said = machine.lesson("reset", "work/index.html", "--undo")
    assert said.stdout == "index.html is as you had it.\n"
    assert file.read_text() == "mine"
    again = machine.lesson("reset", "work/index.html", "--undo")
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr.startswith("Nothing of that is kept")


def test_the_machine_is_reset_only_after_a_yes(hub: LessonHub, machine: Machine) -> None:
    """A program must say --yes, a person is asked; nothing else changes a whole machine."""
    for path in ("reset", "reset/undo"):
        hub.answer("POST", f"{LESSON}/{path}", Reply(golden("server")))
    said = machine.lesson("reset")
    assert (said.returncode, said.stdout) == (2, "")
    assert "lesson reset --yes" in said.stderr
    shown = in_terminal(machine, ["lesson", "reset"], b"no\n")
    assert "Your progress stays" in shown
    assert "Nothing was changed." in shown
    assert [seen.method for seen in hub.seen if "reset" in seen.target] == []
    shown = in_terminal(machine, ["lesson", "reset"], b"yes\n")
    assert "a new one starts. Reload the page" in shown
    said = machine.lesson("reset", "--undo", "--yes", "--locale", "ru")
    assert (said.returncode, said.stdout[:20]) == (0, "Прежняя машина возвр")
    posts = [seen.target for seen in hub.seen if seen.method == "POST"]
    assert posts == [f"{LESSON}/reset", f"{LESSON}/reset/undo?locale=ru"]


def test_untrusted_texts_cannot_steer_the_terminal(hub: LessonHub, machine: Machine) -> None:
    """A program's output with escape sequences is shown without them, in JSON too."""
    evil = "\x1b]0;owned\x07\x1b[2J\x1b[32m✔ forged\r\x9b1A\u202eneddih"
    attempt = golden("attempt_failed")
    attempt["outcome"]["message"] = evil
    attempt["outcome"]["tests"][1] |= {
        "name": evil, "message": evil, "expected": evil, "actual": evil, "output": evil,
    }  # fmt: skip
    attempt_answers(hub, attempt)
    lesson = golden("lesson")
    lesson["course"]["title"] = lesson["lesson"]["title"] = lesson["steps"][0]["task"] = evil
    hub.answer("GET", LESSON, Reply(lesson))
    for words in (("check",), ("check", "--json"), (), ("task",), ("greet",)):
        said = machine.lesson(*words)
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", said.stdout + said.stderr)


def test_what_is_not_the_api_is_not_believed(hub: LessonHub, machine: Machine) -> None:
    """An answer of another version or shape ends with 2 and a sentence."""
    for body in ({"version": 2}, {"version": 1}, [], "x", changed("lesson", steps=[])):
        hub.answer("GET", LESSON, Reply(body))
        said = machine.lesson()
        assert (said.returncode, said.stdout) == (2, "")
        assert "The hub's answer breaks the contract" in said.stderr


def test_without_a_server_it_says_so_and_a_new_terminal_is_silent(machine: Machine) -> None:
    """A shell outside of a lesson is not bothered."""
    nowhere = {"HEXHUB_LESSON_SOCKET": str(machine.home / "nothing.sock")}
    said = machine.lesson("check", **nowhere)
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr
    greeting = machine.lesson("greet", **nowhere)
    assert (greeting.returncode, greeting.stdout, greeting.stderr) == (0, "", "")


def test_a_file_that_is_no_socket_gets_no_requests(machine: Machine, tmp_path: Path) -> None:
    """What stands at the socket's place must be a socket of this user."""
    fake = tmp_path / "lesson.sock"
    fake.write_text("no socket")
    assert machine.lesson(HEXHUB_LESSON_SOCKET=str(fake)).returncode == 2


def test_the_greeting_names_lesson_step_and_commands(machine: Machine) -> None:
    """Where one is, and what to type; no line is too long for a narrow terminal."""
    machine.lesson()
    assert machine.lesson("greet").stdout == (
        "Serve a page · Now: Listen\n"
        "lesson task   what to do\n"
        "lesson check  check it\n"
        "lesson hint   a hint\n"
    )


def test_a_slow_hub_does_not_hold_up_a_new_terminal(hub: LessonHub, tmp_path: Path) -> None:
    """The greeting waits a tenth of a second at most and then says less."""
    home = tmp_path / "home"
    home.mkdir()
    machine = Machine(home, hub.url)
    try:
        machine.start()
        hub.answer("GET", LESSON, Reply(golden("lesson"), pause_s=30))
        began = time.monotonic()
        said = machine.lesson("greet")
        took_s = time.monotonic() - began
        assert said.stdout.startswith("This machine belongs to a lesson.\n")
        assert took_s < 20  # 0.13 s on an idle machine
    finally:
        machine.stop()


def test_it_runs_on_a_bare_python_with_hostile_surroundings(
    machine: Machine, tmp_path: Path
) -> None:
    """Neither the working folder nor PYTHONPATH nor the user's site is imported from."""
    for module in ("json", "re", "socket", "hexhub_lesson", "sitecustomize", "usercustomize"):
        (machine.home / f"{module}.py").write_text("raise SystemExit('imported')\n")
    try:
        said = machine.lesson(PYTHONPATH=str(machine.home))
        assert (said.returncode, said.stderr) == (0, "")
    finally:
        for path in machine.home.glob("*.py"):
            path.unlink()


def test_ascii_terminals_get_ascii(machine: Machine) -> None:
    """Where the encoding has no ✔ there is [ok]; foreign letters become question marks."""
    said = subprocess.run(
        ["/usr/bin/python3", "-X", "utf8=0", "-IS", str(LESSON_COMMAND), "--locale=ru", "check"],
        env={"HEXHUB_LESSON_SOCKET": str(machine.socket), "LC_ALL": "C"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (said.returncode, said.stderr) == (1, b"")
    assert b"[no] The page says hello" in said.stdout
    assert b"?" * 8 in said.stdout


def test_a_closed_pipe_is_no_error(machine: Machine) -> None:
    """``lesson task | head -0`` ends without a traceback."""
    command = f"{LESSON_COMMAND} solution | :"
    said = subprocess.run(
        ["/bin/bash", "-c", command],
        env={"PATH": "/usr/bin:/bin", "HEXHUB_LESSON_SOCKET": str(machine.socket)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert said.stderr == ""


def in_terminal(machine: Machine, argv: list[str], keys: bytes = b"", **env: str) -> str:
    """Run a program in a pseudo-terminal of 80 columns and give all that it showed."""
    main, other = pty.openpty()
    process = subprocess.Popen(
        argv,
        stdin=other,
        stdout=other,
        stderr=other,
        start_new_session=True,
        cwd=machine.home,
        env={
            "PATH": f"{LESSON_COMMAND.parent}:/usr/bin:/bin",
            "HOME": str(machine.home),
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "HEXHUB_LESSON_SOCKET": str(machine.socket),
            **env,
        },
    )
    os.close(other)
    os.write(main, keys)
    shown = b""
    ends_at = time.monotonic() + 30
    while time.monotonic() < ends_at:
        if select.select([main], [], [], 0.1)[0]:
            try:
                block = os.read(main, 65536)
            except OSError:
                break
            if not block:
                break
            shown += block
        elif process.poll() is not None:
            break
    process.wait(timeout=30)
    os.close(main)
    return shown.decode()


def test_a_terminal_has_colours_and_a_spinner_unless_told_not_to(
    hub: LessonHub, machine: Machine
) -> None:
    """Colours only on a terminal, and never with NO_COLOR."""
    path = f"attempts/{golden('attempt_queued')['id']}"
    hub.answer("GET", path, Reply(golden("attempt_failed"), pause_s=0.5))
    shown = in_terminal(machine, ["lesson", "check"])
    assert "\x1b[31m✘\x1b[0m" in shown
    assert "⠋ Checking…" in shown
    plain = in_terminal(machine, ["lesson", "check"], NO_COLOR="1")
    assert "✘ The page says hello" in plain
    assert "\x1b[3" not in plain


def test_a_terminal_breaks_long_messages_between_words(hub: LessonHub, machine: Machine) -> None:
    """It may be narrow, beside files and lesson; in pipes and files messages stay whole."""
    attempt = golden("attempt_failed")
    message = " ".join(f"word-{number}" for number in range(60))
    attempt["outcome"]["tests"][1]["message"] = message
    attempt_answers(hub, attempt)
    assert f"      {message}\n" in machine.lesson("check").stdout
    shown = in_terminal(machine, ["lesson", "check"], NO_COLOR="1").splitlines()
    wrapped = [line for line in shown if line.startswith("      word-")]
    assert " ".join(wrapped).split() == message.split()
    assert len(wrapped) > 1
    assert max(map(len, wrapped)) <= 80


@pytest.mark.parametrize(
    ("locale", "first", "second", "third"),
    [
        ("en", "Checking…", "Waiting, 2 before you…", "Waiting, you are next…"),
        ("ru", "Проверяем…", "Ждём очереди, впереди: 2…", "Ждём очереди, вы следующие…"),
    ],
)
def test_the_place_in_the_queue_is_shown_after_two_seconds(
    hub: LessonHub, machine: Machine, locale: str, first: str, second: str, third: str
) -> None:
    """A short wait looks like a check; a longer one says how many are before, anew each time."""
    hub.answer("POST", f"{STEP}/attempts", Reply(changed("attempt_queued", position=3), 201))
    path = f"attempts/{golden('attempt_queued')['id']}"
    hub.answer(
        "GET",
        path,
        Reply(changed("attempt_queued", position=1), pause_s=4),
        Reply(golden("attempt_failed"), pause_s=1),
    )
    shown = in_terminal(machine, ["lesson", "--locale", locale, "check"])
    assert first in shown
    assert second in shown[shown.index(first) :]
    assert third in shown[shown.index(second) :]


@pytest.mark.parametrize(
    ("state", "locale", "words"),
    [
        ("running", "en", "This check was running already when you asked."),
        ("running", "ru", "Эта проверка уже шла, когда вы её попросили."),
        ("queued", "en", ""),
    ],
)
def test_a_check_that_was_running_may_not_know_the_newest_files(
    hub: LessonHub, machine: Machine, state: str, locale: str, words: str
) -> None:
    """Who joins a running check is told to check again; a queued one takes the newest files."""
    position = 1 if state == "queued" else None
    joined = changed("attempt_queued", state=state, position=position)
    hub.answer("POST", f"{STEP}/attempts", Reply(joined, 200))
    said = machine.lesson("--locale", locale, "check")
    assert said.returncode == 1
    assert said.stdout.splitlines()[-1].startswith(words or "Not yet")


def test_the_history_says_what_was_graded_again(hub: LessonHub, machine: Machine) -> None:
    """One line for each earlier check, the newest first, and the version of a newer verdict."""
    old, again = golden("attempt_failed"), golden("attempt_regraded")
    cancelled = golden("attempt_failed")
    cancelled["outcome"] |= {"outcome": "cancelled", "tests": []}
    both = {"version": 1, "attempts": [again, old, cancelled]}
    hub.answer("GET", f"{STEP}/history", Reply(both))
    said = machine.lesson("history", "listens", TZ="UTC")
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout == (
        "  ✔ 2026-11-26 10:00 UTC  Passed  1 of 1 tests\n"
        "    graded again with version 3f9c1d20ab4e of the course\n"
        "  ✘ 2026-11-24 10:00 UTC  Not yet  1 of 2 tests\n"
        "  – 2026-11-24 10:00 UTC  Cancelled\n"
    )
    assert json.loads(machine.lesson("history", "--json").stdout) == both
    hub.answer("GET", f"{STEP}/history", Reply({"version": 1, "attempts": []}))
    assert "нет" in machine.lesson("history", "--locale", "ru").stdout


def test_ctrl_c_leaves_the_check_running_and_says_so(hub: LessonHub, machine: Machine) -> None:
    """The verdict is made outside; the next 'lesson check' shows it."""
    path = f"attempts/{golden('attempt_queued')['id']}"
    hub.answer("GET", path, Reply(golden("attempt_failed"), pause_s=20))
    main = ["/usr/bin/timeout", "--foreground", "-s", "INT", "1.5", "lesson", "check"]
    shown = in_terminal(machine, main)
    assert "The check goes on. 'lesson check' shows its result." in shown
    assert "Traceback" not in shown


def test_a_new_terminal_is_greeted_once_and_completes_words(machine: Machine) -> None:
    """The hook of interactive shells: greeting in the first one, none in a shell within it."""
    machine.lesson()
    hook = LESSON_COMMAND.parent / "hexhub.sh"
    shell = ["/bin/bash", "--noprofile", "--rcfile", str(hook), "-i"]
    inner = " ".join(shell)
    keys = (
        f"COMP_WORDS=(lesson check l); COMP_CWORD=2; _hexhub_complete_lesson; "
        f"echo got ${{COMPREPLY[@]}}\n{inner}\nexit\nexit\n"
    )
    shown = in_terminal(machine, shell, keys.encode(), NO_COLOR="1", PS1="$ ")
    assert shown.count("Serve a page · Now: Listen") == 1
    assert "got listens" in shown


def test_the_hook_is_silent_in_scripts(machine: Machine) -> None:
    """``bash -c`` and scripts that source it print nothing."""
    hook = LESSON_COMMAND.parent / "hexhub.sh"
    said = subprocess.run(
        ["/bin/bash", "-c", f". {hook}; echo end"],
        env={"PATH": f"{LESSON_COMMAND.parent}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (said.stdout, said.stderr) == ("end\n", "")
