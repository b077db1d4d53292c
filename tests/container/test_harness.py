"""The harness and the ``student`` fixture against honest and hostile programs, in containers."""

import time

import pytest

from hexhub.catalog.model import MachineUser, ReportFormat
from hexhub.checks.model import OutcomeKind, TestOutcome

from .conftest import RunCheck

SECRET = "canary-7fb1c2"
AREA_TEST = {
    "test_area.py": f'''
SECRET = "{SECRET}"

def test_area(student):
    """Gives the area
    ru: Даёт площадь
    """
    assert student.call("geometry:area", 3, 4) == 12
'''
}


def check_program(run_check: RunCheck, source: str, **more: object):
    return run_check(AREA_TEST, {"geometry.py": source}, **more)


def test_a_right_answer_passes(run_check: RunCheck) -> None:
    """A right program passes, and names and points come with the report."""
    done = check_program(run_check, "def area(a, b):\n    return a * b\n")
    assert done.outcome.kind is OutcomeKind.PASSED, done
    (test,) = done.outcome.tests
    assert (test.id, test.name) == ("test_area::test_area", "Gives the area")
    assert test.names == {"ru": "Даёт площадь"}
    assert done.answer.exit_code == 0
    assert not done.answer.timed_out


def test_a_wrong_answer_fails_with_both_sides(run_check: RunCheck) -> None:
    """A wrong value fails with expected, actual, and what the program printed."""
    done = check_program(run_check, "def area(a, b):\n    print('adding')\n    return a + b\n")
    (test,) = done.outcome.tests
    assert test.outcome is TestOutcome.FAILED
    assert (test.expected, test.actual) == ("12", "7")
    assert "adding" in test.output
    assert done.answer.exit_code == 1


BROKEN_PROGRAMS = [
    (
        "def area(a, b):\n    return a / (b - b)\n",
        "area(3, 4) raised ZeroDivisionError: division by zero ({file}, line 2)",
    ),
    ("import os\nos._exit(0)\n", "area(3, 4) ended the program (exit code 0)"),
    ("import sys\nsys.exit(0)\n", "import {module} raised SystemExit: 0 ({file}, line 2)"),
    (
        "import os\ndef area(a, b):\n    os.kill(os.getpid(), 9)\n",
        "area(3, 4) ended the program (signal 9)",
    ),
    (
        "def area(a, b):\n    while True: pass\n",
        "area(3, 4) did not return within 5 seconds.",
    ),
    ("x = \n", "import {module} raised SyntaxError: invalid syntax ({file}, line 1)"),
    ("def area(a, b):\n    return object()\n", "area(3, 4) returned a value of type object"),
    ("def volume(): pass\n", "{file} has no function 'area'."),
    ("import geometria\n", "No module named 'geometria' ({file}, line 1)"),
    (
        "def area(a, b):\n    r = []\n    r.append(r)\n    return r\n",
        "area(3, 4) returned data nested more than",
    ),
    (
        "def area(a, b):\n    while True: print('x' * 100000)\n",
        "area(3, 4) printed more than 1000000 bytes",
    ),
]
"""A program, and what is told of it; ``{module}`` and ``{file}`` are its own."""


def test_a_broken_program_is_told_why(run_check: RunCheck) -> None:
    """Whatever ends a call, the student reads one sentence that says so; the next program runs."""
    modules = [f"broken_{number}" for number in range(len(BROKEN_PROGRAMS))]
    checks = {
        f"test_{module}.py": AREA_TEST["test_area.py"].replace("geometry", module)
        for module in modules
    }
    work: dict[str, str | bytes] = {
        f"{module}.py": source for module, (source, _) in zip(modules, BROKEN_PROGRAMS, strict=True)
    }
    done = run_check(checks, work, timeout_s=60.0)
    told = {test.id: test for test in done.outcome.tests}
    assert len(told) == len(BROKEN_PROGRAMS)
    for module, (_, message) in zip(modules, BROKEN_PROGRAMS, strict=True):
        test = told[f"test_{module}::test_area"]
        assert test.outcome is TestOutcome.FAILED
        assert message.replace("{file}", f"{module}.py").replace("{module}", module) in test.message


CHEATS = {
    "exit at once": "import os\nos._exit(0)\n",
    "always equal": """
class Yes(int):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    __hash__ = int.__hash__
def area(a, b): return Yes(5)
""",
    "always equal by a patched encoder": """
import sys, builtins
class Yes:
    def __eq__(self, other): return True
for module in list(sys.modules.values()):
    for name in ("encode", "decode"):
        if hasattr(module, name) and "hexhub" in getattr(module, "__name__", ""):
            setattr(module, name, lambda *a, **k: Yes())
def area(a, b): return Yes()
""",
    "forged report": """
import glob, os
XML = '<testsuites><testsuite tests="1"><testcase classname="test_area" name="test_area"/></testsuite></testsuites>'
places = ["/check/report.xml", "report.xml", "/tmp/report.xml", "/check/work/report.xml",
          "/check/report-0/report.xml"] + glob.glob("/check/*/*.xml") + glob.glob("/check/report*")
for place in places:
    try:
        open(place, "w").write(XML)
    except OSError:
        pass
for fd in range(3, 256):
    try:
        os.write(fd, XML.encode())
    except OSError:
        pass
os._exit(0)
""",
    "forged answer of the harness": """
import json, os
line = json.dumps({"version": 1, "nonce": "0" * 32, "exit_code": 0, "timed_out": False, "output": "",
    "output_bytes": 0, "report": "<testsuites/>", "report_too_big": False, "duration_s": 1}) + "\\n"
for place in ["/proc/1/fd/1", "/proc/1/fd/4", "/dev/stdout", "/proc/self/fd/1", "/dev/console"]:
    try:
        open(place, "w").write(line)
    except OSError:
        pass
os._exit(0)
""",
    "deleted tests": """
import os, shutil
shutil.rmtree("/check/checks", ignore_errors=True)
os.system("rm -rf /check /opt/check 2>/dev/null")
def area(a, b): return 5
""",
    "conftest, sitecustomize and pytest.ini in work": """
def area(a, b): return 5
""",
    "killed tests": """
import os, signal
for pid in range(1, 200):
    if pid != os.getpid():
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
def area(a, b): return 5
""",
    "traced tests": """
import ctypes, os
libc = ctypes.CDLL(None)
for pid in range(1, 100):
    if pid != os.getpid() and libc.ptrace(16, pid, 0, 0) == 0:
        raise SystemExit(f"traced {pid}")
def area(a, b): return 5
""",
}
PLANTED = {
    "conftest.py": "import pytest\n@pytest.hookimpl(tryfirst=True)\ndef pytest_runtest_call(item): item.obj = lambda *a: None\n",
    "sitecustomize.py": "import os\nos._exit(0)\n",
    "usercustomize.py": "import os\nos._exit(0)\n",
    "json.py": "raise SystemExit(0)\n",
    "pytest.py": "raise SystemExit(0)\n",
    "hexhub_check.py": "raise SystemExit(0)\n",
    "pytest.ini": "[pytest]\naddopts = --collect-only\n",
    "pyproject.toml": '[tool.pytest.ini_options]\naddopts = "--collect-only"\n',
    ".bashrc": "exit 0\n",
}


@pytest.mark.parametrize("name", sorted(CHEATS))
def test_no_cheat_passes(run_check: RunCheck, name: str) -> None:
    """Where the student is root, the program runs as another user, and passes no more.

    ``tests/cheats`` has the cheats of programs that run as the student.
    """
    work: dict[str, str | bytes] = {"geometry.py": CHEATS[name]}
    if "work" in name:
        work |= PLANTED
    done = run_check(AREA_TEST, work, user=MachineUser.ROOT)
    assert done.outcome.kind is OutcomeKind.FAILED, done
    assert done.outcome.tests[0].outcome is TestOutcome.FAILED
    assert "traced" not in done.messages


SPY = """
import glob, os, subprocess
found = []
def look(path):
    try:
        with open(path, "rb") as file:
            found.append(path + ": " + repr(file.read(200000)))
    except OSError as error:
        pass
for path in ["/check/checks/test_area.py", "/proc/1/environ", "/proc/1/cmdline", "/proc/1/maps",
             "/proc/1/mem", "/proc/1/root/check/checks/test_area.py", "/proc/1/cwd/test_area.py"]:
    look(path)
for pid in filter(str.isdigit, os.listdir("/proc")):
    for name in ("environ", "cmdline", "maps", "stack"):
        look(f"/proc/{pid}/{name}")
    for fd in glob.glob(f"/proc/{pid}/fd/*"):
        look(fd)
for folder, folders, files in os.walk("/check"):
    for name in files + folders:
        found.append(os.path.join(folder, name))
        look(os.path.join(folder, name))
for name in glob.glob("/tmp/**", recursive=True) + glob.glob("/var/tmp/**") + glob.glob("/run/**"):
    look(name)
found += [f"{k}={v}" for k, v in os.environ.items()]
found.append(subprocess.run(["ps", "-ef"], capture_output=True, text=True).stdout)
def area(a, b): return "\\n".join(found)[:400000]
"""


def test_a_spy_finds_neither_tests_nor_report(run_check: RunCheck) -> None:
    """The student's program can read nothing of the tests, the report's place or the nonce."""
    reveal = {
        "test_area.py": AREA_TEST["test_area.py"].replace(
            '    assert student.call("geometry:area", 3, 4) == 12',
            '    print(student.call("geometry:area", 3, 4))\n    assert False, "shown"',
        )
    }
    done = run_check(reveal, {"geometry.py": SPY})
    seen = done.answer.report or ""
    assert "TMPDIR=/tmp" in seen
    assert SECRET not in seen
    assert "/check/report-" not in seen
    assert "PYTEST_ADDOPTS" not in seen


def test_ld_preload_and_path_are_not_inherited(run_check: RunCheck) -> None:
    """A second call starts clean: nothing the first one left in folders changes the tests."""
    source = """
import os
for path in ("/etc/ld.so.preload", "/tmp/python3", "/usr/local/bin/sh", "python3", "/tmp/pytest"):
    try:
        with open(path, "w") as file:
            file.write("#!/bin/sh\\nexit 0\\n")
        os.chmod(path, 0o755)
    except OSError:
        pass
os.environ["LD_PRELOAD"] = "/tmp/evil.so"
os.environ["PATH"] = "/tmp:/check/work"
def area(a, b): return 5
"""
    twice = {
        "test_area.py": """
def test_first(student):
    assert student.call("geometry:area", 3, 4) == 5

def test_second(student):
    assert student.run(["python3", "-c", "import os; print(os.environ.get('LD_PRELOAD'))"]).stdout == "None\\n"
    assert student.call("geometry:area", 3, 4) == 12
"""
    }
    done = run_check(twice, {"geometry.py": source})
    assert [t.outcome for t in done.outcome.tests] == [TestOutcome.PASSED, TestOutcome.FAILED]
    assert done.outcome.tests[1].actual == "5"


FORK_BOMB = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass\n"
DAEMON = """
import os, time
for number in range(20):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            open(f"/tmp/alive-{number}", "w").write("x")
            time.sleep(600)
        os._exit(0)
"""


@pytest.mark.parametrize(
    ("source", "what"), [(FORK_BOMB, "bomb"), (DAEMON, "daemons")], ids=["bomb", "daemons"]
)
def test_nothing_outlives_a_run(run_check: RunCheck, source: str, what: str) -> None:
    """After a run, however it forked, no process of the student is left, and tests go on."""
    checks = {
        "test_area.py": """
import os, pathlib

def owned():
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if entry.stat().st_uid == int(os.environ["HEXHUB_UID"]):
                    if " Z " not in (entry / "stat").read_text():
                        found.append(entry.name)
            except OSError:
                pass
    return found

def test_left(student):
    done = student.run(["python3", "bad.py"], timeout_s=2)
    assert owned() == []

def test_after(student):
    assert student.call("geometry:area", 3, 4) == 12
"""
    }
    done = run_check(
        checks, {"geometry.py": "def area(a, b): return a * b\n", "bad.py": source}, timeout_s=30
    )
    assert done.outcome.kind is OutcomeKind.PASSED, (what, done)


def test_a_command_that_never_ends_is_stopped(run_check: RunCheck) -> None:
    """The author's command is ended at its time-out, with all it started, and told as such."""
    started = time.monotonic()
    done = run_check(
        {
            "slow.sh": "trap '' TERM INT\n(trap '' TERM; sleep 600) &\nsetsid sleep 600 &\nsleep 600\n"
        },
        {},
        run="sh slow.sh",
        report=ReportFormat.EXIT,
        timeout_s=1.5,
    )
    assert (done.answer.timed_out, done.answer.exit_code) == (True, None)
    assert time.monotonic() - started < 300


def test_output_that_is_larger_than_memory_is_cut(run_check: RunCheck) -> None:
    """Of endless output the end is kept, the rest is counted, and memory stays small."""
    done = run_check(
        {},
        {},
        run="head -c 200000000 /dev/zero | tr '\\0' x; echo the end",
        report=ReportFormat.EXIT,
        timeout_s=60,
        memory_mb=64,
    )
    assert done.answer.exit_code == 0
    assert done.answer.output_bytes == 200_000_008
    assert done.answer.output.endswith("xxx" + "the end\n")
    assert len(done.answer.output) <= 64 * 1024


def test_a_program_that_eats_memory_fails_alone(run_check: RunCheck) -> None:
    """Where memory runs out the student's program is ended, and the tests tell of it."""
    done = check_program(
        run_check, "def area(a, b):\n    return len(bytearray(10**10) + bytearray(10**10))\n"
    )
    assert done.outcome.kind is OutcomeKind.FAILED
    done = check_program(
        run_check,
        "def area(a, b):\n    x = []\n    while True:\n        x.append(bytearray(10**6))\n",
    )
    assert done.outcome.kind is OutcomeKind.FAILED
    assert "signal 9" in done.outcome.tests[0].message or "MemoryError" in done.messages


def test_a_report_that_is_too_big_is_said(run_check: RunCheck) -> None:
    """A report beyond its limit is not sent, and that is told."""
    done = run_check(
        {"test_a.py": "def test_a():\n    assert False, 'x' * 10\n"},
        {},
        run='head -c 3000000 /dev/zero > "$HEXHUB_REPORT"',
    )
    assert (done.answer.report, done.answer.report_too_big) == (None, True)


def test_tap_comes_from_standard_output(run_check: RunCheck) -> None:
    """A TAP check prints its report; what goes to standard error is output only."""
    done = run_check(
        {}, {}, run="echo 1..1; echo noise >&2; echo ok 1 - fine", report=ReportFormat.TAP
    )
    assert done.answer.report == "1..1\nok 1 - fine\n"
    assert "noise" in done.answer.output


def test_programs_run_with_input_and_limits(run_check: RunCheck) -> None:
    """``student.run`` feeds input, keeps streams apart, and tells exit code and time-out."""
    checks = {
        "test_run.py": """
import pytest
from hexhub_check import StudentError

def test_streams(student):
    done = student.run(["python3", "echo.py", "a"], stdin="привет")
    assert (done.exit_code, done.stdout, done.stderr) == (3, "привет a", "err")

def test_big_input_that_nobody_reads(student):
    assert student.run(["true"], stdin="x" * 5_000_000).exit_code == 0

def test_timeout(student):
    done = student.run(["sleep", "60"], timeout_s=0.5)
    assert done.timed_out and done.exit_code == -9

def test_missing_program(student):
    with pytest.raises(StudentError, match="There is no program"):
        student.run(["no-such-program"])

def test_not_executable(student):
    with pytest.raises(StudentError, match="chmod"):
        student.run(["./echo.py"])

def test_flood(student):
    with pytest.raises(StudentError, match="printed more than"):
        student.run(["yes"], timeout_s=20)

def test_who(student):
    done = student.run(["sh", "-c", "id -u; id -G; grep -E 'Cap(Eff|Prm|Inh|Amb)|NoNew' /proc/self/status"])
    words = done.stdout.split()
    assert words[:2] == ["1000", "1000"]
    assert set(words[3::2][:4]) == {"0000000000000000"}
    assert words[-1] == "1"

def test_many(student):
    assert student.call_many([("m:add", 1), ("m:add", 2)]) == [1, 3]
    assert student.call("m:add", 2) == 2

def test_values(student):
    value = [1, 2.5, None, True, "é", {"a": [1]}, {1: (2, 3)}, 2**20000, float("inf")]
    assert student.call("m:same", value) == value[:6] + [{1: [2, 3]}] + value[7:]

@pytest.mark.points(3)
@pytest.mark.parametrize("n", [1, 2])
def test_points(student, n):
    assert n
"""
    }
    work: dict[str, str | bytes] = {
        "echo.py": "import sys\nsys.stdout.write(sys.stdin.read() + ' ' + sys.argv[1])\n"
        "sys.stderr.write('err')\nsys.exit(3)\n",
        "m.py": "total = 0\ndef add(n):\n    global total\n    total += n\n    return total\n"
        "def same(x): return x\n",
    }
    done = run_check(checks, work, timeout_s=60)
    failed = [(t.id, t.message) for t in done.outcome.tests if t.outcome is not TestOutcome.PASSED]
    assert failed == []
    assert {t.id: t.max_points for t in done.outcome.tests}["test_run::test_points[2]"] == 3


def test_files_are_read_without_following_links(run_check: RunCheck) -> None:
    """The tests read the student's files; a link planted later leads nowhere."""
    checks = {
        "test_files.py": """
import pytest
from hexhub_check import StudentError

def test_read(student):
    assert student.read_text("a/b.txt") == "hello"
    assert student.list("a") == ["b.txt"]
    assert not student.exists("nothing")
    student.run(["ln", "-s", "/check/checks/test_files.py", "stolen"])
    student.run(["ln", "-s", "/check/checks", "folder"])
    student.run(["mkfifo", "pipe"])
    for path in ("stolen", "folder/test_files.py", "pipe", "../checks/test_files.py", "a"):
        with pytest.raises(StudentError):
            student.read_text(path)
    assert not student.exists("stolen")
"""
    }
    done = run_check(checks, {"a/b.txt": "hello"})
    assert done.outcome.kind is OutcomeKind.PASSED, done.messages


def test_messages_are_the_authors(run_check: RunCheck) -> None:
    """A failing test says what the author wrote, and nothing of pytest's own."""
    checks = {
        "test_m.py": """
import pytest

def test_with_words(student):
    assert 1 == 2, "One is not two.\\nSecond line"

def test_without_words(student):
    assert 1 == 2

def test_fail(student):
    pytest.fail("No luck.")

def test_exception(student):
    {}["key"]

@pytest.fixture
def broken():
    raise RuntimeError("fixture")

def test_setup(broken):
    pass
"""
    }
    done = run_check(checks, {})
    messages = [t.message for t in done.outcome.tests]
    assert messages[:4] == [
        "One is not two.\nSecond line",
        "assert 1 == 2",
        "No luck.",
        "What the test looks up is not there (KeyError).",
    ]
    assert done.outcome.tests[4].outcome is TestOutcome.ERROR
