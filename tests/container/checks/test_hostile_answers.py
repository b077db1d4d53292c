"""No answer passes that is none, and every run ends: the whole path with real images."""

import re
import time
from collections.abc import Callable

import pytest

from hexhub.catalog.model import CheckKind, CheckSpec, Lesson, MachineUser, ReportFormat
from hexhub.catalog.overlays import OverlayFile
from hexhub.checks.model import Outcome, OutcomeKind
from hexhub.checks.runner import run_step_check
from hexhub.checks.sandbox import Sandbox

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


def check(
    sandbox: Sandbox,
    lesson: Lesson,
    answer: str,
    *,
    test: str = TEST,
    expected: tuple[str, ...] | None = EXPECTED,
    **more: object,
) -> Outcome:
    """Lay ``answer.py`` into a machine and check it."""
    spec = files_spec(**({"run": "pytest -q test_answer.py"} | more))
    files = {"answer.py": OverlayFile(answer.encode())}
    checks = {"test_answer.py": OverlayFile(test.encode())}
    with sandbox.trial_machine(lesson, files) as machine_id:
        return run_step_check(sandbox, lesson, spec, checks, machine_id, expected)


def test_an_honest_answer_passes(sandbox: Sandbox, make_lesson: MakeLesson) -> None:
    """The path as a whole: files out of a machine, a check of its own, a pass with its tests."""
    outcome = check(sandbox, make_lesson(), GOOD)
    assert outcome.kind is OutcomeKind.PASSED, outcome
    assert tuple(test.id for test in outcome.tests) == EXPECTED
    assert outcome.tests[0].name == "The answer is right"


def test_a_wrong_answer_fails_by_name(sandbox: Sandbox, make_lesson: MakeLesson) -> None:
    """A wrong value fails that test with the author's message and both sides of the comparison."""
    outcome = check(sandbox, make_lesson(), GOOD.replace("2 * x", "x"))
    assert outcome.kind is OutcomeKind.FAILED
    assert outcome.failing_tests == ("test_answer::test_double",)
    failing = outcome.tests[1]
    assert (failing.message, failing.expected, failing.actual) == ("double(4) is wrong.", "8", "4")


CHEATS = {
    "os._exit(0)": "import os\nos._exit(0)",
    "sys.exit(0)": "import sys\nsys.exit(0)",
    "exits when called": "import os\ndef answer(): os._exit(0)\ndef double(x): os._exit(0)",
    "equals everything": (
        "class Any(int):\n    def __eq__(self, other): return True\n"
        "    def __hash__(self): return 0\n"
        "def answer(): return Any(1)\ndef double(x): return Any(1)"
    ),
    "deletes the tests": (
        "import glob, os, shutil\nfor path in ('/check/checks', '/check', '/opt/check'):\n"
        "    shutil.rmtree(path, ignore_errors=True)"
    ),
    "writes a report": (
        "import glob, os\n"
        'xml = \'<testsuite><testcase classname="test_answer" name="test_answer"/>\'\\\n'
        '      \'<testcase classname="test_answer" name="test_double"/></testsuite>\'\n'
        "for path in glob.glob('/check/report*/*') + ['/check/report.xml', '/check/report-0/x',\n"
        "             os.environ.get('HEXHUB_REPORT') or '/check/report.xml', 'report.xml']:\n"
        "    try: open(path, 'w').write(xml)\n"
        "    except OSError: pass"
    ),
    "answers for the harness": (
        "import json, os\n"
        "line = json.dumps({'version': 1, 'nonce': '0' * 32, 'exit_code': 0,\n"
        "    'timed_out': False, 'output': '', 'output_bytes': 0, 'report': '<testsuite/>',\n"
        "    'report_too_big': False, 'duration_s': 0}) + '\\n'\n"
        "for path in ['/proc/1/fd/1', '/dev/stdout', '/dev/console', '/proc/self/fd/1']:\n"
        "    try: open(path, 'w').write(line)\n"
        "    except OSError: pass\n"
        "for number in range(256):\n"
        "    try: os.write(number, line.encode())\n"
        "    except OSError: pass"
    ),
    "a conftest of its own": (
        "open('conftest.py', 'w').write('def pytest_runtest_call(item): item.obj = lambda **k: 1')"
    ),
    "kills the harness": "import os\nos.kill(1, 9)\nos.kill(os.getppid(), 9)\nos.kill(-1, 9)",
    "patches the reader": (
        "import builtins, json\njson.dumps = lambda *a, **k: '[42, 8]'\n"
        "builtins.print = lambda *a, **k: None"
    ),
    "writes the result itself": (
        "import os\n"
        "for number in range(3, 64):\n"
        "    for text in (b'42', b'[42]', b'{\"value\": 42}', b'[{\"value\": 42}]'):\n"
        "        try: os.write(number, text)\n"
        "        except OSError: pass\n"
        "os._exit(0)"
    ),
    "syntax error": "def answer(: return 42",
    "not there": "",
    "null bytes": "\0",
}


@pytest.mark.parametrize("cheat", list(CHEATS))
def test_no_cheat_passes(sandbox: Sandbox, make_lesson: MakeLesson, cheat: str) -> None:
    """Whatever the student's program does instead of answering, it is not a pass."""
    outcome = check(sandbox, make_lesson(), CHEATS[cheat])
    assert outcome.kind in (OutcomeKind.FAILED, OutcomeKind.ERROR), outcome
    assert set(outcome.failing_tests) or outcome.message


def test_nothing_of_the_checks_leaks(sandbox: Sandbox, make_lesson: MakeLesson) -> None:
    """A program that looks everywhere finds neither the tests nor what they compare with."""
    spy = (
        "import os, glob\n"
        "def look():\n"
        "    found = []\n"
        "    paths = glob.glob('/check/**', recursive=True) + glob.glob('/proc/*/environ')\n"
        "    paths += glob.glob('/proc/*/cmdline') + glob.glob('/proc/*/fd/*')\n"
        "    paths += glob.glob('/proc/*/maps') + ['/check/checks/test_answer.py']\n"
        "    paths += glob.glob('/proc/*/root/check/checks/*') + glob.glob('/proc/*/cwd/*')\n"
        "    for path in paths:\n"
        "        if path.startswith(('/proc/self', '/proc/thread-self', f'/proc/{os.getpid()}/',\n"
        "                            '/check/work')):\n"
        "            continue\n"
        "        try:\n"
        "            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)\n"
        "            data = os.read(descriptor, 100000)\n"
        "            os.close(descriptor)\n"
        "        except OSError: continue\n"
        "        if b'hidden-answer' in data or b'HEXHUB_REPORT' in data or b'report-' in data:\n"
        "            found.append(path)\n"
        "    return found\n"
        "def answer(): raise RuntimeError(f'{look()}')\n"
        "def double(x): return 8\n"
    )
    outcome = check(sandbox, make_lesson(), spy)
    assert outcome.kind is OutcomeKind.FAILED
    assert "RuntimeError: []" in outcome.tests[0].message
    assert all(CANARY not in f"{test.message}{test.output}" for test in outcome.tests)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("def answer():\n    while True: pass\ndef double(x): return 8", "within 5 sec"),
        (
            "def answer():\n    import time; time.sleep(600)\ndef double(x): return 8",
            "within 5 sec",
        ),
        (
            "import os\ndef answer():\n    while True:\n        try: os.fork()\n"
            "        except OSError: pass\ndef double(x): return 2 * x",
            "within 5 sec",
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
def test_greedy_programs_end(
    sandbox: Sandbox, make_lesson: MakeLesson, answer: str, words: str
) -> None:
    """Time, processes, output, memory and disk are limited: no pass, and words for the limit."""
    began = time.monotonic()
    outcome = check(sandbox, make_lesson(), answer, timeout_s=30.0)
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
        ("head -c 1G /dev/zero; exit 0", "made no report|longer than 3 s"),
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
def test_broken_checks_end(sandbox: Sandbox, make_lesson: MakeLesson, run: str, words: str) -> None:
    """A check that hangs, floods, forks, eats memory or writes rubbish is an error that says so."""
    began = time.monotonic()
    outcome = check(sandbox, make_lesson(), GOOD, run=run, timeout_s=3.0)
    assert outcome.kind is OutcomeKind.ERROR
    assert re.search(words, outcome.message)
    assert len(outcome.output) < 20_000
    assert time.monotonic() - began < 150


def test_a_test_that_is_gone_is_no_pass(sandbox: Sandbox, make_lesson: MakeLesson) -> None:
    """Every test that the author's solution had must be in the report."""
    expected = (*EXPECTED, "test_answer::test_more")
    outcome = check(sandbox, make_lesson(), GOOD, expected=expected)
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
    sandbox: Sandbox,
    make_lesson: MakeLesson,
    report: ReportFormat,
    run: str,
    kind: str,
    tests: list[str],
) -> None:
    """A check may be a shell command: its exit code, or TAP on its output, is the report."""
    outcome = check(sandbox, make_lesson(), GOOD, run=run, report=report, expected=None)
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
    CheckKind.MACHINE, "pytest -q test_page.py", ReportFormat.JUNIT, 8.0, memory_bytes=256 * MB
)
MACHINE_IDS = ("test_page::test_page", "test_page::test_shadow")


def check_machine(sandbox: Sandbox, lesson: Lesson, script: str, run: str = "") -> Outcome:
    """Run ``script`` in a machine, then check the machine."""
    from dataclasses import replace

    spec = replace(MACHINE_SPEC, run=run or MACHINE_SPEC.run)
    checks = {"test_page.py": OverlayFile(MACHINE_TEST.encode())}
    with sandbox.trial_machine(lesson, {}) as machine_id:
        result = sandbox.exec_script(machine_id, script.encode(), lesson.user, 30)
        assert result.exit_code == 0, result.output
        if "sleep 2" in script:
            time.sleep(3)
        return run_step_check(sandbox, lesson, spec, checks, machine_id, MACHINE_IDS)


@pytest.mark.parametrize("user", list(MachineUser))
def test_a_machine_is_checked(sandbox: Sandbox, make_lesson: MakeLesson, user: MachineUser) -> None:
    """What stands in the student's machine passes or fails by name."""
    lesson = make_lesson(user=user)
    assert check_machine(sandbox, lesson, "echo hello >index.html").is_pass
    outcome = check_machine(sandbox, lesson, "echo hallo >index.html")
    assert outcome.failing_tests == MACHINE_IDS[:1]
    assert outcome.tests[0].message == "index.html must say hello."


_AGAINST_NEW_PROCESSES = """
    nohup setsid bash -c 'sleep 2; while :; do for p in /proc/[0-9]*; do
        read -r name <$p/comm || continue
        case $name in tini|sleep|bash) ;; *) kill -{signal} ${{p#/proc/}} ;; esac
    done; done' >/dev/null 2>&1 &
"""
_AGAINST_HARNESS = """
    nohup setsid bash -c 'while :; do for p in /proc/[0-9]*; do
        read -r name <$p/comm || continue
        case $name in python*) kill -{signal} ${{p#/proc/}} ;; esac
    done; done' >/dev/null 2>&1 &
"""
TRAPS = {
    "replaced programs": """
        for program in python3 sh bash cat env; do
            printf '#!/usr/bin/perl\\nopen F, ">/root/ran"; exit 0' >/tmp/fake; chmod 755 /tmp/fake
            cp -f /tmp/fake /usr/local/bin/$program
        done
        for program in python pytest; do cp -f /tmp/fake /opt/check/bin/$program; done
        echo /root/evil.so >/etc/ld.so.preload
        true
    """,
    "hides files behind links": "ln -s /proc/1/root/etc/hostname index.html",
    "a link to itself": "ln -s index.html index.html",
    "a pipe": "mkfifo index.html",
    "a device": "ln -s /dev/zero index.html",
    "a giant": "truncate -s 10G index.html",
    "a folder": "mkdir index.html",
    "stops what is new": _AGAINST_NEW_PROCESSES.format(signal="STOP"),
    "kills what is new": _AGAINST_NEW_PROCESSES.format(signal="KILL"),
    "stops the harness": _AGAINST_HARNESS.format(signal="STOP"),
    "kills the harness": _AGAINST_HARNESS.format(signal="KILL"),
    "writes into every standard output": """
        nohup setsid bash -c 'while :; do for p in /proc/[0-9]*; do
            for n in 1 2 3 4 5; do echo "{\\"version\\": 1}" >$p/fd/$n; done
        done; done' >/dev/null 2>&1 &
    """,
    "writes reports": """
        nohup setsid bash -c 'while :; do for p in /proc/[0-9]*; do
            for r in $p/root/check/report*/report.xml; do echo "<testsuite/>" >$r; done
            rm -rf $p/root/check/checks
        done; done' >/dev/null 2>&1 &
    """,
}


@pytest.mark.parametrize("trap", list(TRAPS))
def test_no_trap_of_a_root_student_passes(
    sandbox: Sandbox, make_lesson: MakeLesson, trap: str
) -> None:
    """A student who is root may replace, hide, stop and kill: the check ends and does not pass."""
    lesson = make_lesson(user=MachineUser.ROOT)
    began = time.monotonic()
    outcome = check_machine(sandbox, lesson, TRAPS[trap])
    assert outcome.kind in (OutcomeKind.FAILED, OutcomeKind.ERROR), outcome
    assert time.monotonic() - began < 150


def test_a_root_student_sees_nothing_of_the_check(
    sandbox: Sandbox, make_lesson: MakeLesson
) -> None:
    """From inside, the check's files, environment and memory cannot be read while it runs."""
    watch = """
        echo hello >index.html
        nohup setsid bash -c 'for i in $(seq 1 400); do for p in /proc/[0-9]*; do
            cat $p/environ $p/root/check/checks/* $p/root/check/*/* $p/cwd/* 2>/dev/null |
            grep -a -o -e HEXHUB_REPORT -e must.say.hello -e report-[0-9a-f]* >>/root/seen
        done; done' >/dev/null 2>&1 &
        sleep 0.2
    """
    lesson = make_lesson(user=MachineUser.ROOT)
    checks = {"test_page.py": OverlayFile(MACHINE_TEST.encode())}
    with sandbox.trial_machine(lesson, {}) as machine_id:
        assert sandbox.exec_script(machine_id, watch.encode(), lesson.user, 30).exit_code == 0
        outcome = run_step_check(sandbox, lesson, MACHINE_SPEC, checks, machine_id, MACHINE_IDS)
        seen = sandbox.exec_script(machine_id, b"cat /root/seen", lesson.user, 30)
    assert outcome.is_pass, outcome
    assert (seen.exit_code, seen.output) == (0, "")


def test_a_check_changes_nothing_in_the_machine(sandbox: Sandbox, make_lesson: MakeLesson) -> None:
    """A check looks at the machine and cannot write to it, not even by its command."""
    lesson = make_lesson()
    run = "echo x >/proc/1/root/home/student/work/mark; pytest -q test_page.py"
    checks = {"test_page.py": OverlayFile(MACHINE_TEST.encode())}
    from dataclasses import replace

    spec = replace(MACHINE_SPEC, run=run)
    files = {"index.html": OverlayFile(b"hello\n")}
    with sandbox.trial_machine(lesson, files) as machine_id:
        outcome = run_step_check(sandbox, lesson, spec, checks, machine_id, MACHINE_IDS)
        listing = sandbox.exec_script(machine_id, b"ls", lesson.user, 30)
    assert outcome.is_pass, outcome
    assert listing.output == "index.html\n"
