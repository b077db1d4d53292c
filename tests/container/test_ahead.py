"""Commands whose imports are done before: the same run, and nothing shared with the harness."""

import json

import pytest

from hexhub.catalog.model import ReportFormat
from hexhub.checks.model import OutcomeKind

from .conftest import RunCheck

FACTS = """
import json, os, re, resource, sys

def test_facts():
    nonce = re.search("[0-9a-f]{32}", os.environ["HEXHUB_REPORT"]).group()
    # The shell counts itself here, and keeps these three for itself.
    environment = {k: v.replace(nonce, "NONCE") for k, v in os.environ.items()
                   if k not in ("SHLVL", "OLDPWD", "PWD", "_")}
    status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
    facts = {
        "argv": sys.argv,
        "environment": environment,
        "folder": os.getcwd(),
        "path": sys.path,
        "flags": list(sys.flags),
        "executable": sys.executable,
        "session": os.getsid(0) != os.getsid(1),
        "stdin": os.fstat(0).st_rdev == os.stat("/dev/null").st_rdev and sys.stdin.read(),
        "descriptors": sorted(int(fd) for fd in os.listdir("/proc/self/fd"))[:3],
        "umask": status["Umask"],
        "capabilities": status["CapEff"],
        "signals": [status[name] for name in ("SigBlk", "SigIgn")],
        "limits": [resource.getrlimit(n) for n in range(16)],
        "nice": os.nice(0),
        "threads": status["Threads"],
    }
    with open("/tmp/facts", "w") as file:
        json.dump(facts, file)
"""
"""A test that writes down all that a program could tell of how it was started."""


def test_it_is_the_run_that_a_shell_would_make(run_check: RunCheck) -> None:
    """Arguments, folder, environment, input, flags and limits are those of a run by the shell."""
    found = []
    for run in (
        "pytest -q -s test_facts.py test_print.py",
        "exec pytest -q -s test_facts.py test_print.py;",
    ):
        done = run_check(
            {
                "test_facts.py": FACTS,
                "test_print.py": "def test_print():\n    print(open('/tmp/facts').read())\n",
            },
            {},
            run=run,
        )
        assert done.outcome.kind is OutcomeKind.PASSED, done
        (line,) = (line for line in done.answer.output.splitlines() if line.startswith(".{"))
        found.append(json.loads(line[1:]))
    assert found[0] == found[1]


SEARCH = """
import os, re

# What it finds does not look like itself.
ORDER = re.compile(b'"tar_b[y]tes": [0-9]')

def holds(pid):
    with open(f"/proc/{pid}/maps") as file:
        places = [line.split()[0].split("-") for line in file if " rw-p " in line]
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for start, end in places:
            memory.seek(int(start, 16))
            if ORDER.search(memory.read(int(end, 16) - int(start, 16))):
                return True
    return False

def test_memory():
    # In this order: looking into the harness leaves pieces of it here.
    assert not holds("self")
    assert holds(1), "The harness itself has the order."

def test_descriptors():
    theirs = {os.readlink(f"/proc/1/fd/{fd}") for fd in os.listdir("/proc/1/fd")}
    own = {fd: os.readlink(f"/proc/self/fd/{fd}") for fd in "012"}
    # The command's own pipes are read at the other end by the harness.
    assert own["0"] == "/dev/null" and own["1"] in theirs and own["2"] in theirs
    for fd in os.listdir("/proc/self/fd"):
        try:
            where = os.readlink(f"/proc/self/fd/{fd}")
        except OSError:
            continue
        assert where == "/dev/null" or where in own.values() or where not in theirs, where
"""


def test_it_has_nothing_of_the_harness(run_check: RunCheck) -> None:
    """The order is nowhere in its memory, and the harness's channel to us is not open in it."""
    done = run_check({"test_search.py": SEARCH}, {}, run="pytest -q -s")
    assert done.outcome.kind is OutcomeKind.PASSED, done


def test_asserts_are_explained_without_warnings(run_check: RunCheck) -> None:
    """Having been imported before, pytest still explains asserts and complains of nothing."""
    checks = {
        "conftest.py": "def pytest_report_header(config): return 'conftest is read'\n",
        "test_a.py": "def test_a():\n    assert [1, 2] == [1, 3]\n",
    }
    done = run_check(checks, {}, run="pytest")
    (test,) = done.outcome.tests
    assert (test.actual, test.expected) == ("[1, 2]", "[1, 3]")
    assert "conftest is read" in done.answer.output
    assert "warning" not in done.answer.output.lower()


def test_other_commands_find_no_trace_of_it(run_check: RunCheck) -> None:
    """A command that is for the shell runs there, and what had been started ahead is gone."""
    look = (
        "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; echo; done | grep -c '[a]head_child'"
    )
    done = run_check(
        {"look.sh": look}, {}, run="pytest --version; sh look.sh", report=ReportFormat.EXIT
    )
    assert done.answer.output.splitlines()[-1] == "0"


def test_a_time_limit_ends_it(run_check: RunCheck) -> None:
    """It is stopped at the limit like any other, with what it has started."""
    test = "import subprocess, time\ndef test_a():\n    subprocess.Popen(['sleep', '600'])\n    time.sleep(600)\n"
    done = run_check({"test_a.py": test}, {}, run="pytest -q", timeout_s=2.0)
    assert (done.answer.timed_out, done.answer.exit_code) == (True, None)


FILLS = """
def test_fills(student):
    done = student.run(["python3", "fill.py"], timeout_s=20)
    assert done.exit_code == 0
"""
FORGES = """
import ctypes, glob, os, subprocess
libc = ctypes.CDLL(None, use_errno=True)
tried = 0
# Writing the counter, another limit, or moving out of the cgroup.
for path in glob.glob("/sys/fs/cgroup/**/*", recursive=True):
    if os.path.isfile(path):
        try:
            with open(path, "w") as file:
                file.write("1")
            print("wrote", path)
        except OSError:
            tried += 1
# A cgroup of its own, below or elsewhere.
for folder in ("/sys/fs/cgroup/mine", "/sys/fs/cgroup/memory/mine"):
    try:
        os.mkdir(folder)
        print("made", folder)
    except OSError:
        tried += 1
# A mount over it, with or without a namespace in which it would be root.
for flags in (0, 0x10000000, 0x00020000, 0x10020000, 0x12020000):
    if flags and libc.unshare(flags) == 0:
        print("unshared", hex(flags))
    for kind in (b"cgroup", b"cgroup2", b"tmpfs"):
        if libc.mount(b"none", b"/sys/fs/cgroup", kind, 0, None) == 0:
            print("mounted", kind)
assert tried > 3
"""


@pytest.mark.parametrize("kills", [0, 1])
def test_the_kernel_counts_what_memory_ended(run_check: RunCheck, kills: int) -> None:
    """A program that fills the memory is counted, an honest one that fails is not."""
    fill = (
        "x = []\nwhile True:\n    x.append(bytearray(10**6))\n"
        if kills
        else "raise SystemExit(3)\n"
    )
    done = run_check({"test_fills.py": FILLS}, {"fill.py": fill}, memory_mb=96)
    assert done.outcome.kind is OutcomeKind.FAILED, done
    assert done.answer.memory_kills is not None
    assert (done.answer.memory_kills > 0) == bool(kills)


@pytest.mark.parametrize("kills", [0, 1])
def test_a_student_cannot_change_the_count(run_check: RunCheck, kills: int) -> None:
    """Neither forged nor hidden: what the student's user may try changes nothing."""
    test = (
        "def test_forges(student):\n"
        "    done = student.run(['python3', 'forge.py'], timeout_s=20)\n"
        "    assert done.stdout == '', done.stdout\n"
        "    assert done.exit_code == 0, done.stderr\n"
    )
    fill = (
        "if os.fork() == 0:\n    x = []\n    while True:\n        x.append(bytearray(10**6))\n"
        "os.wait()\n"
    )
    work = {"forge.py": (f"import os\n{fill}" if kills else "") + FORGES}
    done = run_check({"test_forges.py": test}, work, memory_mb=96)
    assert done.outcome.kind is OutcomeKind.PASSED, done
    assert done.answer.memory_kills == kills
