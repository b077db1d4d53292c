"""Every run ends, and what it ends with is right: the whole path with real images.

What answers that are none try is in ``tests/cheats``.
"""

import re
import secrets
import time
from collections.abc import Callable, Iterator

import pytest

from hexhub.catalog.model import CheckKind, CheckSpec, Lesson, MachineUser, ReportFormat
from hexhub.catalog.overlays import OverlayFile
from hexhub.checks.engine import Engine
from hexhub.checks.model import Outcome, OutcomeKind
from hexhub.checks.runner import run_step_check
from hexhub.checks.sandbox import Sandbox
from hexhub.checks.trial_machine import put_files, run_script, trial_machine

from .conftest import MB, files_spec

MakeLesson = Callable[..., Lesson]
CANARY = "the-hidden-answer-is-42"
TEST = f'''
"""{CANARY}"""
def test_answer(student):
    """The answer is right."""
    assert student.call("answer:answer") == 42, "answer() is wrong."
def test_double(student):
    """The double is right."""
    assert student.call("answer:double", 4) == 8, "double(4) is wrong."
'''
EXPECTED = ("test_answer::test_answer", "test_answer::test_double")
GOOD = "def answer(): return 42\ndef double(x): return 2 * x\n"


Check = Callable[..., Outcome]


@pytest.fixture(scope="module")
def student_machine(make_lesson: MakeLesson) -> Iterator[tuple[Engine, Lesson, str]]:
    """Give one machine for all answers: they are taken out of it, and nothing runs in it."""
    lesson = make_lesson()
    engine = Engine(f"answers-{secrets.token_hex(4)}")
    with trial_machine(engine, lesson, {}) as machine_id:
        yield engine, lesson, machine_id
    engine.close()


@pytest.fixture
def check(sandbox: Sandbox, student_machine: tuple[Engine, Lesson, str]) -> Check:
    """Give what lays ``answer.py`` into a machine and checks it."""
    engine, lesson, machine_id = student_machine

    def check_answer(
        answer: str,
        *,
        test: str = TEST,
        expected: tuple[str, ...] | None = EXPECTED,
        **more: object,
    ) -> Outcome:
        spec = files_spec(**({"run": "pytest -q test_answer.py"} | more))
        put_files(engine, machine_id, lesson.user, {"answer.py": OverlayFile(answer.encode())})
        checks = {"test_answer.py": OverlayFile(test.encode())}
        return run_step_check(sandbox, lesson, spec, checks, machine_id, expected)

    return check_answer


def test_an_honest_answer_passes(check: Check) -> None:
    """The path as a whole: files out of a machine, a check of its own, a pass with its tests."""
    outcome = check(GOOD)
    assert outcome.kind is OutcomeKind.PASSED, outcome
    assert tuple(test.id for test in outcome.tests) == EXPECTED
    assert outcome.tests[0].name == "The answer is right"


def test_a_wrong_answer_fails_by_name(check: Check) -> None:
    """A wrong value fails that test with the author's message and both sides of the comparison."""
    outcome = check(GOOD.replace("2 * x", "x"))
    assert outcome.kind is OutcomeKind.FAILED
    assert outcome.failing_tests == ("test_answer::test_double",)
    failing = outcome.tests[1]
    assert (failing.message, failing.expected, failing.actual) == ("double(4) is wrong.", "8", "4")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("def answer():\n    while True: pass\ndef double(x): return 8", "within 2 sec"),
        (
            "def answer():\n    import time; time.sleep(600)\ndef double(x): return 8",
            "within 2 sec",
        ),
        (
            "import os\ndef answer():\n    while True:\n        try: os.fork()\n"
            "        except OSError: pass\ndef double(x): return 2 * x",
            "within 2 sec",
        ),
        (
            "import subprocess\ndef answer():\n"
            "    return [subprocess.Popen(['sleep', '60']) for _ in range(400)]\n"
            "def double(x): return 2 * x",
            "256 processes and threads",
        ),
        (
            "import threading, time\ndef answer():\n    for _ in range(400):\n"
            "        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
            "def double(x): return 2 * x",
            "256 processes and threads",
        ),
        (
            "def answer():\n    while True: print('x' * 65536)\ndef double(x): return 2 * x",
            "printed more than 1000000 bytes",
        ),
        (
            "x = bytearray(10**10)\ndef answer(): return 42\ndef double(x): return 8",
            "more than 256 MB of memory",
        ),
        (
            "import os\ndef answer():\n    x = []\n    while True: x.append(bytearray(10**7))\n"
            "def double(x): return 2 * x",
            "more than 256 MB of memory",
        ),
        (
            "def answer():\n    with open('/tmp/big', 'wb') as f:\n"
            "        while True: f.write(bytes(10**6))\ndef double(x): return 2 * x",
            "64 MB may be written to /tmp",
        ),
        (
            "def answer(): return 'x' * 10**8\ndef double(x): return 2 * x",
            "memory|too (big|long|large)",
        ),
        ("def answer():\n    a = []; a.append(a); return a\ndef double(x): return 2 * x", ""),
    ],
    ids=[
        "spins",
        "sleeps",
        "forks without end",
        "too many processes",
        "too many threads",
        "prints without end",
        "asks for 10 GB",
        "eats memory",
        "fills the disk",
        "a huge value",
        "a value in itself",
    ],
)
def test_greedy_programs_end(check: Check, answer: str, words: str) -> None:
    """Time, processes, output, memory and disk are limited: no pass, and words for the limit."""
    began = time.monotonic()
    # A program that never returns is waited for as long as the test says.
    test = TEST.replace('"answer:answer")', '"answer:answer", timeout_s=2)')
    more = {"test": test} if words.startswith("within") else {}
    outcome = check(answer, timeout_s=30.0, **more)
    assert outcome.kind in (OutcomeKind.FAILED, OutcomeKind.ERROR), outcome
    assert EXPECTED[0] in outcome.failing_tests or outcome.message, outcome
    assert time.monotonic() - began < 150
    said = "\n".join([outcome.message, *(test.message for test in outcome.tests)])
    assert re.search(words, said), outcome


@pytest.mark.parametrize(
    ("run", "words"),
    [
        ("sleep 600", "ran longer than 3 s and was stopped"),
        ("trap '' TERM INT HUP; while :; do :; done", "ran longer than 3 s and was stopped"),
        ("setsid sleep 600 & exit 0", "made no report"),
        ("head -c 300M /dev/zero; exit 0", "made no report|longer than 3 s"),
        ("head -c 1G /dev/zero >$HEXHUB_REPORT", "bigger than 1024 KB"),
        ("head -c 1G /dev/zero >/tmp/x", "64 MB may be written to /tmp"),
        ("head -c 1G /dev/zero >/check/x", "128 MB beside the files"),
        ("f() { f | f & }; f; sleep 600", "(longer than 3 s|no report).*256 processes"),
        ("python -c 'x = [bytearray(10**7) for _ in range(10**5)]'", "256 MB of memory"),
        ("rm -rf /check/checks; exit 0", "made no report"),
        ("ln -s /etc/passwd $HEXHUB_REPORT", "made no report"),
        ("mkfifo $HEXHUB_REPORT", "made no report"),
        ("echo rubbish >$HEXHUB_REPORT", "The report is no XML"),
        ("no-such-command", "made no report"),
        ("kill -9 $PPID; kill -9 1; exit 0", "made no report"),
    ],
)
def test_broken_checks_end(check: Check, run: str, words: str) -> None:
    """A check that hangs, floods, forks, eats memory or writes rubbish is an error that says so."""
    began = time.monotonic()
    outcome = check(GOOD, run=run, timeout_s=3.0)
    assert outcome.kind is OutcomeKind.ERROR
    assert re.search(words, outcome.message)
    assert len(outcome.output) < 20_000
    assert time.monotonic() - began < 150


def test_a_test_that_is_gone_is_no_pass(check: Check) -> None:
    """Every test that the author's solution had must be in the report."""
    expected = (*EXPECTED, "test_answer::test_more")
    outcome = check(GOOD, expected=expected)
    assert outcome.kind is OutcomeKind.ERROR
    assert "test_answer::test_more" in outcome.message


@pytest.mark.parametrize(
    ("report", "run", "kind", "tests"),
    [
        (ReportFormat.EXIT, "echo all well", "passed", ["exit"]),
        (ReportFormat.EXIT, "echo 'Line 3 is missing.'; exit 1", "failed", ["exit"]),
        (ReportFormat.TAP, "printf '1..2\\nok 1 - a\\nok 2 - b\\n'", "passed", ["a", "b"]),
        (ReportFormat.TAP, "printf '1..2\\nok 1 - a\\n'", "failed", ["a", "plan"]),
        (ReportFormat.TAP, "printf '1..1\\nok 1 - a\\n'; exit 1", "error", ["a"]),
    ],
)
def test_other_reports(
    check: Check,
    report: ReportFormat,
    run: str,
    kind: str,
    tests: list[str],
) -> None:
    """A check may be a shell command: its exit code, or TAP on its output, is the report."""
    outcome = check(GOOD, run=run, report=report, expected=None)
    assert outcome.kind.value == kind
    assert [test.id for test in outcome.tests] == tests


MACHINE_TEST = '''
def test_page(machine):
    """The page says hello."""
    assert machine.read_text("index.html").strip() == "hello", "index.html must say hello."
def test_shadow(machine):
    """Links stay in the machine."""
    assert "student" in machine.read_text("/etc/passwd")
'''
MACHINE_SPEC = CheckSpec(
    CheckKind.MACHINE, "pytest -q test_page.py", ReportFormat.JUNIT, 60.0, memory_bytes=256 * MB
)
MACHINE_IDS = ("test_page::test_page", "test_page::test_shadow")


def check_machine(sandbox: Sandbox, lesson: Lesson, script: str, run: str = "") -> Outcome:
    """Run ``script`` in a machine, then check the machine."""
    from dataclasses import replace

    spec = replace(MACHINE_SPEC, run=run or MACHINE_SPEC.run)
    checks = {"test_page.py": OverlayFile(MACHINE_TEST.encode())}
    with trial_machine(sandbox.engine, lesson, {}) as machine_id:
        result = run_script(sandbox.engine, machine_id, script.encode(), lesson.user, 30)
        assert result.exit_code == 0, result.output
        return run_step_check(sandbox, lesson, spec, checks, machine_id, MACHINE_IDS)


@pytest.mark.parametrize("user", list(MachineUser))
def test_a_machine_is_checked(sandbox: Sandbox, make_lesson: MakeLesson, user: MachineUser) -> None:
    """What stands in the student's machine passes or fails by name."""
    lesson = make_lesson(user=user)
    assert check_machine(sandbox, lesson, "echo hello >index.html").is_pass
    outcome = check_machine(sandbox, lesson, "echo hallo >index.html")
    assert outcome.failing_tests == MACHINE_IDS[:1]
    assert outcome.tests[0].message == "index.html must say hello."


def test_a_check_changes_nothing_in_the_machine(sandbox: Sandbox, make_lesson: MakeLesson) -> None:
    """A check looks at the machine and cannot write to it, not even by its command."""
    lesson = make_lesson()
    run = "echo x >/proc/1/root/home/student/work/mark; pytest -q test_page.py"
    checks = {"test_page.py": OverlayFile(MACHINE_TEST.encode())}
    from dataclasses import replace

    spec = replace(MACHINE_SPEC, run=run)
    files = {"index.html": OverlayFile(b"hello\n")}
    with trial_machine(sandbox.engine, lesson, files) as machine_id:
        outcome = run_step_check(sandbox, lesson, spec, checks, machine_id, MACHINE_IDS)
        listing = run_script(sandbox.engine, machine_id, b"ls", lesson.user, 30)
    assert outcome.is_pass, outcome
    assert listing.output == "index.html\n"
