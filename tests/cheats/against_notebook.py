"""Cheats against checks of notebooks: lesson ``marks``, whose one cell is to define three names."""

import json
from collections.abc import Mapping

from .cheat import Cheat

NOTEBOOK = "marks.ipynb"
_TESTS = ("test-total", "test-mean", "test-word")
_RIGHT_BUT_THE_WORD = """
def total(prices): return sum(prices)
mean = 4.0
word = ""
"""
_WRONG = "def total(prices): return 0\nmean = 0.0\nword = ''\n"
_TOTAL_IS_WRONG = r"The total is wrong"

# A spy does all but the word, and searches for that whenever a test calls it.
_SPY = """
import glob, os, re, subprocess, sys
mean, word, looked, found = 4.0, "", 0, []
def hunt(data):
    global looked
    looked += 1
    found.extend(hit.decode() for hit in re.findall(rb"(?:canary|riddle)-[0-9a-f]{8}", data))
def look(path):
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        hunt(os.read(descriptor, 1 << 20))
        os.close(descriptor)
    except OSError: hunt(b"")
def total(prices):
    global word
    search()
    for hit in found:
        if hit.startswith("riddle"):
            word = hit
            return sum(prices)
    raise RuntimeError(f"looked {looked} times and found {found}")
"""
_FOUND_NOTHING = r"looked [1-9]\d* times and found \[\]"


def _notebook(
    solve: str,
    tests: Mapping[str, str] | None = None,
    facts: Mapping[str, object] | None = None,
) -> str:
    """Give a student's notebook.

    Args:
        solve: Source of the cell that is the student's.
        tests: ``grade_id`` → source of the test cells; None leaves them out.
        facts: Metadata of those, over the usual.
    """

    def cell(grade_id: str, source: str, more: Mapping[str, object]) -> dict[str, object]:
        nbgrader = {"grade_id": grade_id, "locked": False, "schema_version": 3, "task": False}
        return {
            "cell_type": "code",
            "id": grade_id,
            "metadata": {"nbgrader": nbgrader | dict(more)},
            "execution_count": 1,
            "outputs": [],
            "source": source,
        }

    cells = [cell("solve", solve, {"grade": False, "solution": True})]
    for grade_id, source in (tests or {}).items():
        kept = {"grade": True, "solution": False, "points": 1} | dict(facts or {})
        cells.append(cell(grade_id, source, kept))
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def _solve(name: str, tries: str, source: str, met: str) -> Cheat:
    return Cheat(name, tries, {NOTEBOOK: _notebook(source)}, met=met)


def _spy(name: str, tries: str, search: str) -> Cheat:
    return _solve(name, tries, f"{_SPY}{search}", _FOUND_NOTHING)


CELLS = [
    Cheat(
        "edits-its-test-cells",
        "Replace what the test cells say by something that always holds.",
        {NOTEBOOK: _notebook(_WRONG, dict.fromkeys(_TESTS, "assert True"))},
        met=_TOTAL_IS_WRONG,
    ),
    Cheat(
        "leaves-its-test-cells-out",
        "Hand in a notebook without test cells.",
        {NOTEBOOK: _notebook(_WRONG)},
        met=_TOTAL_IS_WRONG,
    ),
    Cheat(
        "test-cells-that-are-answers",
        "Declare the test cells to be answers, worth nothing, or worth a thousand points.",
        {
            NOTEBOOK: _notebook(
                _WRONG,
                dict.fromkeys(_TESTS, "1000"),
                {"solution": True, "grade": False, "points": 1000, "score": 1000},
            )
        },
        met=_TOTAL_IS_WRONG,
    ),
    Cheat(
        "the-same-cell-twice",
        "Hand in the answer's cell twice under one name, and one under the name of a test.",
        {
            NOTEBOOK: _notebook(
                _WRONG, {"solve": _RIGHT_BUT_THE_WORD, "test-total": "def total(x): return 42"}
            )
        },
        met=_TOTAL_IS_WRONG,
    ),
    Cheat("no-notebook", "Hand in something else.", {NOTEBOOK: "[" * 10_000}, met="made no report"),
    Cheat(
        "link",
        "Make the notebook a link to the author's one.",
        script=f"ln -sf /check/checks/source.ipynb {NOTEBOOK}",
        met=r"marks\.ipynb is a link",
    ),
    Cheat(
        "ten-gigabytes",
        "Make the notebook too big to be read.",
        script=f"truncate -s 10G {NOTEBOOK}",
        met=r"marks\.ipynb is too big",
    ),
]

KERNEL = [
    _solve(
        "drops-asserts",
        "Register an ast_transformers hook that takes every assert out of later cells.",
        f"""
import ast
class DropAsserts(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.copy_location(ast.Pass(), node)
get_ipython().ast_transformers.append(DropAsserts())
get_ipython().input_transformers_post.append(lambda lines: [])
{_WRONG}""",
        _TOTAL_IS_WRONG,
    ),
    _solve(
        "patches-what-tests-use",
        "Patch numpy and the builtins, so that everything is close and equal.",
        f"""
import builtins, numpy
numpy.isclose = numpy.allclose = numpy.array_equal = lambda *given, **more: True
numpy.shape = lambda *given: ()
builtins.sum = builtins.abs = builtins.round = lambda *given: 42
builtins.AssertionError = KeyboardInterrupt
{_WRONG}""",
        "The mean is wrong",
    ),
    _solve(
        "patches-what-writes-values",
        "Patch the process's own writer of values, to send what no value is.",
        f"""
import sys
{_RIGHT_BUT_THE_WORD}
values = sys.modules.get("_hexhub_values") or sys.modules["__main__"]
values.encode = lambda *given: {{"$": "equal-to-everything", "v": [[]]}}
""",
        "is not plain data",
    ),
    _solve(
        "equals-everything",
        "Define values that are equal to all others.",
        """
class Yes(float):
    def __eq__(self, other): return True
    __hash__ = float.__hash__
def total(prices): return Yes(42)
mean = word = Yes(4)
""",
        "of type Yes",
    ),
    _solve(
        "an-array-of-nothing",
        "Give an array without elements, all of which are close to any number.",
        f"{_RIGHT_BUT_THE_WORD}\nimport numpy\nmean = numpy.empty((0, 1))\n",
        "The mean is wrong",
    ),
    _solve(
        "answers-before-it-is-asked",
        "Write answers on the kernel's own descriptor before the tests ask.",
        f"""
import json, os
{_WRONG}
for number in range(3, 64):
    for value in (None, 42, 4.0, "", "42"):
        try: os.write(number, json.dumps({{"value": value}}).encode() + b"\\n")
        except OSError: pass
""",
        "object is not callable",
    ),
    _solve(
        "writes-any-gradebook",
        "Write the best score into every gradebook, report and setting of nbgrader it can find.",
        f"""
import glob, json, os, sqlite3
places = [place for top in ("/check", "/home", "/root", "/tmp", "/srv", "/var/lib", ".")
          for place in glob.glob(f"{{top}}/**/*.db", recursive=True)]
places += ["gradebook.db", "/tmp/gradebook.db", "/check/gradebook.db", "/check/report.xml"]
for place in places:
    try:
        with sqlite3.connect(place) as gradebook:
            gradebook.execute("CREATE TABLE IF NOT EXISTS grade (auto_score, manual_score)")
            gradebook.execute("INSERT INTO grade VALUES (100, 100)")
    except (sqlite3.Error, OSError): pass
report = {{"cells": [{{"id": "test-" + name, "score": 1, "max_score": 1, "name": ""}}
                     for name in ("total", "mean", "word")]}}
for place in glob.glob("/check/report*") + ["/check/report.xml", "report.xml"]:
    try: json.dump(report, open(place, "w"))
    except OSError: pass
open("nbgrader_config.py", "w").write("c = get_config(); c.ClearSolutions.enabled = False")
{_WRONG}""",  # noqa: S608 - a cheat's SQL, for whatever gradebook it finds
        _TOTAL_IS_WRONG,
    ),
    _solve(
        "ends-the-kernel",
        "End the process with 0 as soon as a test calls it.",
        "import os\ndef total(prices): os._exit(0)\nmean, word = 4.0, ''\n",
        "has ended its own process",
    ),
    _solve(
        "exits-politely",
        "Leave by sys.exit, and have atexit say 0.",
        "import atexit, os, sys\natexit.register(os._exit, 0)\nsys.exit(0)\n",
        "A cell before stopped with SystemExit",
    ),
    _solve(
        "kills-what-scores-it",
        "Kill, interrupt and end whoever runs the tests, also while it tidies up.",
        f"""
{_RIGHT_BUT_THE_WORD}
import os, signal, time
if os.fork() == 0:
    os.setsid()
    while True:
        for pid in range(1, 400):
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
                try:
                    if pid != os.getpid(): os.kill(pid, number)
                except OSError: pass
time.sleep(3)  # Until the other one's signal comes.
""",
        r"has ended its own process",
    ),
    _solve(
        "terminal-escapes-and-html",
        "Raise an error whose text has escapes and scripts.",
        r"""
def total(prices): raise ValueError("\x1b[2J\x1b]0;owned\x07\u202e<script>alert(1)</script>\0")
mean, word = 4.0, ""
""",
        "<script>alert",
    ),
]

SPIES = [
    _spy(
        "reads-in",
        "Read the tests in IPython's history: In, _ih, the session's database.",
        """
def search():
    shell = get_ipython()
    hunt(repr((In, Out, _ih, _oh, shell.user_ns)).encode())
    hunt(repr(list(shell.history_manager.get_range_by_str("1-", raw=True))).encode())
    for place in glob.glob("/tmp/.ipython/**", recursive=True): look(place)
""",
    ),
    _spy(
        "frames",
        "Find the tests in frames and objects of the process while they call it.",
        """
import gc
def search():
    frame = sys._getframe()
    while frame is not None:
        hunt(repr((frame.f_locals.keys(), frame.f_code.co_consts)).encode())
        frame = frame.f_back
    hunt(repr([item for item in gc.get_objects() if isinstance(item, (list, tuple))
               and len(item) < 99]).encode())
""",
    ),
    _spy(
        "shell-commands",
        "Read the author's notebook by shell commands and magics.",
        """
def search():
    shell = get_ipython()
    for line in ("cat /check/checks/source.ipynb ../checks/*", "ps axeww", "git log -p",
                 "cat /proc/*/environ /proc/*/cmdline /proc/*/cwd/source.ipynb"):
        hunt(subprocess.run(line, shell=True, capture_output=True).stdout)
    for line in ("load /check/checks/source.ipynb", "run /check/checks/source.ipynb", "env"):
        try: hunt(repr(shell.run_line_magic(*line.partition(" ")[::2])).encode())
        except BaseException: pass
""",
    ),
    _spy(
        "processes",
        "Read memory, descriptors and folders of the process that has the tests.",
        """
import ctypes
def search():
    libc = ctypes.CDLL(None)
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if int(pid) == os.getpid(): continue
        if libc.ptrace(16, int(pid), 0, 0) == 0: found.append("a process that can be traced")
        for name in ("environ", "mem", "maps", "cwd/source.ipynb", "root/check/checks/source.ipynb",
                     "cmdline"):
            look(f"/proc/{pid}/{name}")
        for place in glob.glob(f"/proc/{pid}/fd/*"): look(place)
""",
    ),
]

CHEATS = [*CELLS, *KERNEL, *SPIES]
