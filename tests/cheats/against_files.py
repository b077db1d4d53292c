"""Cheats against checks of files: lesson ``sums``, whose tests call ``sums.py`` and run it."""

from .cheat import Cheat

_WRONG = """
def add(a, b): return 0
def third(x): return 0
def word(): return ""
"""
_RIGHT_BUT_THE_WORD = """
def add(a, b): return a + b
def third(x): return x / 3
def word(): return ""
if __name__ == "__main__":
    import sys
    print(sum(int(number) for number in sys.stdin.read().split()))
"""
_SUM_IS_WRONG = r"add\(19, 23\) is wrong"

# A spy does all of the task but the word, and searches for that; it would pass if it found it.
_SPY = """
import glob, os, re, subprocess, sys
LOOKED = 0
FOUND = []
def hunt(data):
    global LOOKED
    LOOKED += 1
    FOUND.extend(found.decode() for found in re.findall(rb"(?:canary|riddle)-[0-9a-f]{8}", data))
def look(path):
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        hunt(b"")
        return
    try:
        hunt(os.read(descriptor, 1 << 20))
    except OSError:
        hunt(b"")
    os.close(descriptor)
def add(a, b): return a + b
def third(x): return x / 3
def word():
    search()
    for found in FOUND:
        if found.startswith("riddle"):
            return found
    raise RuntimeError(f"looked {LOOKED} times and found {FOUND}")
if __name__ == "__main__":
    print(sum(int(number) for number in sys.stdin.read().split()))
"""
_FOUND_NOTHING = r"looked [1-9]\d* times and found \[\]"
_WRITE_EVERYWHERE = """
def write_everywhere(text):
    for number in range(3, 64):
        try: os.write(number, text)
        except OSError: pass
"""
_REPORT = """
REPORT = '<testsuites><testsuite>' + ''.join(
    f'<testcase classname="test_sums" name="test_{name}"/>'
    for name in ('add', 'many', 'third', 'program', 'word')) + '</testsuite></testsuites>'
"""


def _spy(name: str, tries: str, search: str, **more: str) -> Cheat:
    return Cheat(name, tries, {"sums.py": f"{_SPY}{search}"}, met=_FOUND_NOTHING, **more)


def _planted(name: str, tries: str, files: dict[str, str]) -> Cheat:
    """Give a cheat whose program is wrong, so that the tests must have run to say so."""
    return Cheat(name, tries, {"sums.py": _WRONG} | files, met=_SUM_IS_WRONG)


_PATCH_PYTEST = """
import os, sys
if "pytest" in " ".join(sys.argv) or "pytest" in sys.modules:
    os._exit(0)
"""

EXITS = [
    Cheat(
        "sys-exit",
        "End with 0 while it is imported, so that the run looks fine.",
        {"sums.py": "import sys\nsys.exit(0)\n"},
        met="import sums raised SystemExit: 0",
    ),
    Cheat(
        "os-exit",
        "End the whole process with 0 at once, so that nothing after it can fail.",
        {"sums.py": "import os\nos._exit(0)\n"},
        met=r"ended the program \(exit code 0\)",
    ),
    Cheat(
        "atexit",
        "Turn a failing exit code into 0 when the process ends.",
        {
            "sums.py": "import atexit, os, sys\natexit.register(os._exit, 0)\n"
            "sys.excepthook = lambda *error: os._exit(0)\n"
            "def add(a, b): raise SystemExit(1)\nthird = word = add\n"
        },
        met=r"add\(19, 23\) raised SystemExit",
    ),
    Cheat(
        "exit-when-called",
        "Be imported well, and end with 0 only when it is called.",
        {"sums.py": "import os\ndef add(*given): os._exit(0)\nthird = word = add\n"},
        met=r"add\(19, 23\) ended the program \(exit code 0\)",
    ),
    Cheat(
        "signal-to-the-parent",
        "End, kill and interrupt whoever runs the tests, also while it tidies up.",
        {
            "sums.py": f"""{_RIGHT_BUT_THE_WORD}
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
"""
        },
        met="raised|ended the program",
    ),
    Cheat(
        "kills-everything",
        "Kill every process that it may.",
        {"sums.py": "import os\nos.kill(os.getppid(), 9)\nos.kill(1, 9)\nos.kill(-1, 9)\n"},
        met=r"ended the program|is wrong|raised",
    ),
]

REPORTS = [
    Cheat(
        "writes-the-report",
        "Write a report in which all has passed, wherever one may be looked for.",
        {
            "sums.py": f"""
import glob, os
{_REPORT}{_WRITE_EVERYWHERE}
places = glob.glob("/check/report*") + glob.glob("/check/*/*.xml") + glob.glob("/tmp/*")
places += [os.environ.get("HEXHUB_REPORT", "report.xml"), "/check/report.xml", "/tmp/report.xml"]
for place in places:
    try: open(place, "w").write(REPORT)
    except OSError: pass
write_everywhere(REPORT.encode())
os._exit(0)
"""
        },
        met=r"ended the program|not plain data",
    ),
    Cheat(
        "links-the-report",
        "Lay links where the report will be, to one that is ready.",
        {
            "sums.py": f"""
import os
{_REPORT}
open("/tmp/ready.xml", "w").write(REPORT)
for folder in ("/check", "/check/report-0", "/check/tmp", "/check/checks", "/tmp", "."):
    for link in (os.symlink, os.link):
        for name in ("report.xml", "report", "report-0"):
            try: link("/tmp/ready.xml", f"{{folder}}/{{name}}")
            except OSError: pass
def add(a, b): return 0
third = word = add
"""
        },
        met=r"add\(19, 23\) is wrong|raised",
    ),
    Cheat(
        "answers-for-the-harness",
        "Write the harness's own line, on every stream and descriptor there is.",
        {
            "sums.py": f"""
import json, os
{_REPORT}{_WRITE_EVERYWHERE}
line = (json.dumps({{"version": 1, "nonce": "0" * 32, "exit_code": 0, "timed_out": False,
    "output": "", "output_bytes": 0, "report": REPORT, "report_too_big": False,
    "duration_s": 0.1}}) + "\\n").encode()
for place in ("/proc/1/fd/1", "/proc/1/fd/4", "/dev/stdout", "/dev/console", "/dev/tty"):
    try: os.write(os.open(place, os.O_WRONLY | os.O_NONBLOCK), line)
    except OSError: pass
write_everywhere(line)
os._exit(0)
"""
        },
        met=r"ended the program|not plain data",
    ),
    Cheat(
        "answers-before-it-is-asked",
        "Write results for the calls itself, on the descriptor for them, and leave.",
        {
            "sums.py": f"""
import json, os
{_WRITE_EVERYWHERE}
write_everywhere(b"".join(
    json.dumps({{"stage": "done", "value": value}}).encode() + b"\\n" for value in range(50)))
os._exit(0)
"""
        },
        met=_SUM_IS_WRONG,
    ),
    Cheat(
        "another-process-answers",
        "Let a process that is not the one that was called answer for it.",
        {
            "sums.py": f"""
import json, os, time
{_WRITE_EVERYWHERE}
if os.fork() == 0:
    os.setsid()
    for value in (0, True, "42", [42], None):
        write_everywhere(json.dumps({{"stage": "done", "value": value}}).encode() + b"\\n")
    time.sleep(600)
time.sleep(1)
os._exit(0)
"""
        },
        met=r"add\(19, 23\)",
    ),
    Cheat(
        "a-fraction-without-end",
        "Answer with a number that takes the tests for ever to write out, so that none can fail.",
        {
            "sums.py": f"""
import os
{_WRITE_EVERYWHERE}
write_everywhere(b'{{"stage": "done", "value": {{"$": "Fraction", "v": "1e999999999"}}}}\\n')
os._exit(0)
"""
        },
        met="not plain data",
    ),
    Cheat(
        "an-array-of-nothing",
        "Answer with an array without elements, all of which are near any number.",
        {
            "sums.py": f"""{_RIGHT_BUT_THE_WORD}
import numpy
def third(x): return numpy.array([])
"""
        },
        met="third is wrong",
    ),
]

SPIES = [
    _spy(
        "checks-by-path",
        "Read the tests where they lie.",
        """
def search():
    places = ["/check/checks/test_sums.py", "/check/checks", "../checks/test_sums.py", "/check/tmp"]
    places += glob.glob("/check/**", recursive=True) + glob.glob("/opt/check/*")
    places += glob.glob("/tmp/**", recursive=True) + glob.glob("/var/tmp/**", recursive=True)
    places += glob.glob("/dev/shm/**", recursive=True) + glob.glob("/run/**", recursive=True)
    for place in places:
        look(place)
""",
    ),
    _spy(
        "checks-by-proc",
        "Read the tests through the processes that have them open, in memory or as their folder.",
        """
def search():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for name in ("environ", "cmdline", "maps", "stack", "mountinfo", "status", "auxv"):
            look(f"/proc/{pid}/{name}")
        for place in (glob.glob(f"/proc/{pid}/fd/*") + glob.glob(f"/proc/{pid}/map_files/*")
                      + glob.glob(f"/proc/{pid}/task/*/environ")):
            look(place)
        for folder in ("root/check/checks", "cwd"):
            look(f"/proc/{pid}/{folder}/test_sums.py")
""",
    ),
    _spy(
        "memory",
        "Read the tests' memory: by ptrace, process_vm_readv, /proc/PID/mem, and what a fork left.",
        """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def read_memory(pid):
    try:
        maps = open(f"/proc/{pid}/maps").read().splitlines()
        memory = open(f"/proc/{pid}/mem", "rb", 0)
    except OSError:
        return hunt(b"")
    for line in maps:
        place, mode = line.split()[:2]
        start, end = (int(part, 16) for part in place.split("-"))
        if mode.startswith("rw") and end - start < 64 << 20:
            try:
                memory.seek(start)
                hunt(memory.read(end - start))
            except (OSError, OverflowError):
                pass
def search():
    for pid in (1, os.getppid(), os.getpid()):
        if pid != os.getpid():
            if libc.ptrace(16, pid, 0, 0) == 0:
                FOUND.append("a process that can be traced")
            data = ctypes.create_string_buffer(4096)
            vector = (ctypes.c_void_p * 2)(ctypes.addressof(data), 4096)
            there = (ctypes.c_void_p * 2)(0x400000, 4096)
            libc.process_vm_readv(pid, vector, 1, there, 1, 0)
            hunt(data.raw)
        read_memory(pid)
""",
    ),
    _spy(
        "traceback-and-inspect",
        "Find the tests in the frames, modules and objects of the interpreter.",
        """
import gc, inspect, linecache, traceback
def search():
    frame = sys._getframe()
    while frame is not None:
        hunt(repr((frame.f_locals, frame.f_code.co_consts, frame.f_code.co_filename)).encode())
        frame = frame.f_back
    hunt("".join(traceback.format_stack()).encode())
    hunt(repr(inspect.stack()).encode())
    hunt(repr([item for item in gc.get_objects() if isinstance(item, (str, dict, list))]).encode())
    hunt(repr(linecache.cache).encode())
    for module in list(sys.modules.values()):
        hunt(repr(getattr(module, "__file__", "")).encode())
""",
    ),
    _spy(
        "git",
        "Find the tests in a git repository, or in what git finds above.",
        """
def search():
    for folder in (".", "/", "/check", "/home/student/work", "/opt/check"):
        for command in (["log", "-p", "--all"], ["grep", "-rIn", "riddle", "--no-index", "."]):
            done = subprocess.run(["git", "-C", folder, *command[:1]], capture_output=True,
                                  env={"GIT_CEILING_DIRECTORIES": "", "PATH": "/usr/bin"})
            hunt(done.stdout + done.stderr)
""",
    ),
    _spy(
        "environment",
        "Find the tests or the report in the environment, its own or another's.",
        """
def search():
    hunt(repr(dict(os.environ)).encode())
    for place in glob.glob("/proc/*/environ") + ["/etc/environment", "/proc/cmdline"]:
        look(place)
    shown = subprocess.run(["ps", "axeww"], capture_output=True)
    hunt(shown.stdout)
    if b"HEXHUB_REPORT=" in shown.stdout or b"PYTEST_ADDOPTS=" in shown.stdout:
        FOUND.append("the check's environment")
""",
    ),
    _spy(
        "core-dump",
        "Make the tests dump their memory into a file, and read that.",
        """
import resource, signal
def search():
    for pid in (1, os.getppid()):
        try: resource.prlimit(pid, resource.RLIMIT_CORE, (1 << 40, 1 << 40))
        except (OSError, ValueError): hunt(b"")
        for number in (signal.SIGQUIT, signal.SIGSEGV, signal.SIGABRT):
            try: os.kill(pid, number)
            except OSError: hunt(b"")
    for place in glob.glob("/tmp/*core*") + glob.glob("*core*") + glob.glob("/check/*/*core*"):
        look(place)
""",
    ),
]

PLANTED = [
    Cheat(
        "patched-builtins",
        "Patch what the tests might use: print, len, the JSON writer, even equality of lists.",
        {
            "sums.py": """
import builtins, json, sys
class Yes(int):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    __hash__ = int.__hash__
builtins.print = builtins.len = builtins.int = builtins.type = lambda *given: Yes(42)
json.dumps = json.loads = lambda *given, **more: '{"stage": "done", "value": 42}'
for module in list(sys.modules.values()):
    for name in ("encode", "decode", "_as_lists"):
        if "hexhub" in getattr(module, "__name__", "") and hasattr(module, name):
            setattr(module, name, lambda *given, **more: Yes(42))
def add(a, b): return Yes(42)
third = word = lambda *given: Yes(42)
"""
        },
        met=r"add is wrong at times|not plain data|add\(4, 4\)",
    ),
    Cheat(
        "equals-everything",
        "Answer with a value that is equal to all others.",
        {
            "sums.py": """
class Yes(int):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    __hash__ = int.__hash__
def add(*given): return Yes(1)
third = word = add
"""
        },
        met="a value of type Yes",
    ),
    _planted(
        "conftest",
        "Bring a conftest.py that lets every test pass.",
        {
            "conftest.py": "import pytest\n@pytest.hookimpl(tryfirst=True)\n"
            "def pytest_pyfunc_call(pyfuncitem): return True\n"
            "def pytest_runtest_makereport(item, call): call.excinfo = None\n"
        },
    ),
    _planted(
        "sitecustomize",
        "Bring a module that Python imports at its start.",
        {"sitecustomize.py": _PATCH_PYTEST, "usercustomize.py": _PATCH_PYTEST},
    ),
    Cheat(
        "usercustomize",
        "Lay usercustomize and .pth files into every home that Python may look into.",
        {
            "sums.py": f"""
import os, site, sys
version = f"python{{sys.version_info.major}}.{{sys.version_info.minor}}"
for home in ("/tmp", "/check/tmp", "/root", "/home/student", "/nonexistent", "."):
    folder = f"{{home}}/.local/lib/{{version}}/site-packages"
    try:
        os.makedirs(folder, exist_ok=True)
        open(f"{{folder}}/usercustomize.py", "w").write({_PATCH_PYTEST!r})
        open(f"{{folder}}/cheat.pth", "w").write("import os; os._exit(0)\\n")
    except OSError: pass
{_WRONG}"""
        },
        met=_SUM_IS_WRONG,
    ),
    _planted(
        "pth",
        "Bring .pth files, which Python executes where it takes a folder for packages.",
        {"cheat.pth": "import os; os._exit(0)\n", "pyvenv.cfg": "home = /check/work\n"},
    ),
    _planted(
        "pytest-ini",
        "Bring settings of pytest that run no test, in every form it reads.",
        {
            "pytest.ini": "[pytest]\naddopts = --collect-only -k nothing\n",
            "tox.ini": "[pytest]\naddopts = --collect-only\n",
            "setup.cfg": "[tool:pytest]\naddopts = --collect-only\n",
            "pyproject.toml": '[tool.pytest.ini_options]\naddopts = "--collect-only"\n',
        },
    ),
    _planted(
        "shadowed-modules",
        "Bring modules with the names of those that the tests import.",
        {
            f"{name}.py": "import os\nos._exit(0)\n"
            for name in ("pytest", "_pytest", "hexhub_check", "test_sums", "pluggy", "defusedxml")
        },
    ),
    Cheat(
        "shadowed-standard-library",
        "Bring a json of its own, so that the caller of the program reads and writes with it.",
        {
            "sums.py": _WRONG,
            **{
                f"{name}.py": "import os\nos._exit(0)\n"
                for name in ("json", "traceback", "importlib", "re", "os", "decimal", "numpy")
            },
        },
        met=r"add\(19, 23\) (is wrong|ended)|raised",
    ),
    Cheat(
        "path-shims",
        "Lay programs named python3, sh and pytest before the real ones.",
        {
            "sums.py": f"""
import os
for folder in (".", "/tmp", "/tmp/bin", "/usr/local/bin", "/opt/check/bin", "/check", "/bin"):
    for name in ("python3", "python", "sh", "pytest", "env"):
        try:
            os.makedirs(folder, exist_ok=True)
            descriptor = os.open(f"{{folder}}/{{name}}", os.O_WRONLY | os.O_CREAT, 0o755)
            os.write(descriptor, b"#!/bin/cat\\n42\\n")
        except OSError: pass
os.environ["PATH"] = "/check/work:/tmp:/tmp/bin"
{_WRONG}"""
        },
        met=_SUM_IS_WRONG,
    ),
    Cheat(
        "ld-preload",
        "Have a library loaded into every program: LD_PRELOAD, ld.so.preload, start-up files.",
        {
            "sums.py": f"""
import os
for place in ("/etc/ld.so.preload", "/tmp/.bashrc", "/tmp/.profile", "/check/tmp/.bashrc", ".env"):
    try: open(place, "w").write("export LD_PRELOAD=/check/work/evil.so\\n")
    except OSError: pass
os.environ["LD_PRELOAD"] = os.environ["LD_LIBRARY_PATH"] = "/check/work/evil.so"
os.environ["PYTHONSTARTUP"] = os.environ["BASH_ENV"] = "/check/work/start.py"
{_WRONG}"""
        },
        met=_SUM_IS_WRONG,
    ),
    Cheat(
        "deletes-the-tests",
        "Remove the tests and all that runs them.",
        {
            "sums.py": f"""
import os, shutil
for folder in ("/check/checks", "/check", "/opt/check", "/check/tmp"):
    shutil.rmtree(folder, ignore_errors=True)
{_WRONG}"""
        },
        met=r"add\(19, 23\)",
    ),
    Cheat(
        "unpacks-elsewhere",
        "Unpack an archive whose names lead out of the folder, over the tests.",
        {
            "sums.py": """
import io, os, tarfile
def archive():
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as made:
        for name in ("../checks/test_sums.py", "/check/checks/test_sums.py", "link/test_sums.py",
                     "../checks/conftest.py"):
            if name.startswith("link"):
                link = tarfile.TarInfo("link")
                link.type, link.linkname = tarfile.SYMTYPE, "/check/checks"
                made.addfile(link)
            member = tarfile.TarInfo(name)
            member.size = 23
            made.addfile(member, io.BytesIO(b"def test_word(): pass\\n\\n"))
    held.seek(0)
    return tarfile.open(fileobj=held)
UNPACKED = []
for member in archive().getmembers():
    try:
        archive().extract(member, ".", filter="fully_trusted")
        UNPACKED.append(member.name)
    except OSError: pass
def add(a, b): return a + b
def word(): raise RuntimeError(f"unpacked {UNPACKED}")
"""
        },
        met=r"unpacked \['link'\]",
    ),
    Cheat(
        "outlives-the-run",
        "Leave a process behind that goes on between the tests and answers for later ones.",
        {
            "sums.py": f"""{_RIGHT_BUT_THE_WORD}
import os, time
if os.path.exists("/tmp/alive"):
    before = os.path.getsize("/tmp/alive")
    time.sleep(0.3)
    LEFT = os.path.getsize("/tmp/alive") != before
def word(): raise RuntimeError("still alive" if LEFT else "nobody outlived the run")
for number in range(5):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                with open("/tmp/alive", "a") as file: file.write("x")
                time.sleep(0.01)
        os._exit(0)
time.sleep(0.2)
"""
        },
        met="nobody outlived the run",
    ),
    Cheat(
        "rewrites-itself",
        "Look like one program when it is read and be another when it is called.",
        {
            "sums.py": "import os\nopen('sums.py', 'w').write('def add(a, b): return 42\\n')\n"
            "def add(a, b): return 42\n"
        },
        met="add is wrong at times",
    ),
]

HANDED_IN = [
    Cheat(
        "absolute-link",
        "Hand in a link to the tests as the check's container has them.",
        script="rm sums.py; ln -s /check/checks/test_sums.py sums.py",
        met=r"sums\.py is a link",
    ),
    Cheat(
        "relative-link",
        "Hand in a link that leads out of the folder, to the host's files or the tests.",
        script="ln -s ../../../check/checks tests; ln -s ../../../../../etc/shadow shadow",
        met="is a link",
    ),
    Cheat(
        "folder-is-a-link",
        "Make ~/work itself a link to another folder.",
        script="cd ..; mv work other; ln -s /etc work",
        met=r"There is no sums\.py|is a link",
    ),
    Cheat(
        "hard-link",
        "Hand in a second name of a file, which an archive tells as a link.",
        script="ln sums.py again.py",
        met="is a hard link",
    ),
    Cheat(
        "fifo",
        "Hand in a named pipe, which nobody ever writes to.",
        script="rm sums.py; mkfifo sums.py",
        met="no regular file",
    ),
    Cheat(
        "fifo-in-the-folder",
        "Lay a named pipe beside the files that are taken.",
        script="mkfifo pipe",
        met="a named pipe",
    ),
    Cheat(
        "socket",
        "Hand in a socket.",
        script="rm sums.py\n"
        "python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"sums.py\")'",
        met="no regular file",
    ),
    Cheat(
        "device",
        "Hand in a device that never ends.",
        script="rm sums.py; mknod sums.py c 1 5 || ln -s /dev/zero sums.py",
        met="no regular file|is a link",
    ),
    Cheat(
        "a-million-files",
        "Have more files and folders read than anybody needs.",
        script="mkdir many && cd many && seq 20001 | xargs mkdir",
        met="more than 20000 files",
    ),
    Cheat(
        "ten-gigabytes",
        "Hand in ten gigabytes that take no disk.",
        script="truncate -s 10G sums.py",
        met=r"sums\.py is too big",
    ),
    Cheat(
        "ten-gigabytes-beside",
        "Lay ten gigabytes that take no disk beside the program.",
        script="truncate -s 10G big.bin",
        met=r"big\.bin is too big",
    ),
    Cheat(
        "line-feed-in-a-name",
        "Hand in files whose names have line feeds, escapes and marks that turn the writing.",
        script="touch $'a\\nb.py' $'\\e]0;owned\\a.py' $'\\u202egnp.py'",
        met="cannot be taken",
    ),
]

OUTPUT = [
    Cheat(
        "output-flood",
        "Print without end.",
        {"sums.py": "def add(*given):\n    while True: print('x' * 65536)\nthird = word = add\n"},
        met="printed more than 1000000 bytes",
    ),
    Cheat(
        "slow-output",
        "Print a little, slowly, for ever, so that nobody thinks it hangs.",
        {
            "sums.py": f"""{_RIGHT_BUT_THE_WORD}
import time
def add(a, b):
    while a == 19:
        print(".", end="", flush=True)
        time.sleep(0.1)
"""
        },
        met="did not return within 4 seconds",
    ),
    Cheat(
        "terminal-escapes",
        "Print escapes that clear the screen, set titles, make links and turn the writing.",
        {
            "sums.py": r"""
TEXT = ("shown\x1b[2J\x1b]0;owned\x07\x1b]8;;http://x.invalid\x1b\\click\x1b]8;;\x1b\\"
        "\x1bP1$r\x1b\\\x9b31m\x00\u202edlrow\u2066 end")
print(TEXT)
def add(*given): raise ValueError(TEXT)
third = word = add
"""
        },
        met="shown.*end",
    ),
    Cheat(
        "html",
        "Print HTML and scripts, for whoever puts them into a page.",
        {
            "sums.py": """
TEXT = "</script><script>alert(1)</script><img src=x onerror=alert(1)>[x](javascript:alert(1))"
print(TEXT)
def add(*given): raise ValueError(TEXT)
third = word = add
"""
        },
        met="<script>alert",
    ),
    Cheat(
        "blank-words",
        "Print nothing but blanks where the author shows what was printed, so that pytest's own "
        "traceback with the lines of the test is shown instead.",
        {
            "sums.py": f"""{_RIGHT_BUT_THE_WORD}
if __name__ == "__main__":
    print(" \\n", file=sys.stderr)
    sys.exit(1)
"""
        },
        met="A test found something wrong",
    ),
]

CHEATS = [*EXITS, *REPORTS, *SPIES, *PLANTED, *HANDED_IN, *OUTPUT]
