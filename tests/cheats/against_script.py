"""Cheats against a check without pytest: lesson ``script``, whose shell runs ``as-student``."""

from .cheat import Cheat
from .honest_lessons import TOTAL

_WORD_IS_MISSING = r'"id": "The word"[^{}]*"outcome": "failed"'
_SUM_IS_WRONG = r'"id": "The sum"[^{}]*"outcome": "failed"'
_LINES = (
    "TAP version 13\n1..4\nok 1 - The sum\nok 2 - Many numbers\nok 3 - The file\nok 4 - The word"
)

_SPY = """\
import glob, os, re
looked, found = 0, set()
def look(path):
    global looked
    looked += 1
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return
    try:
        found.update(re.findall(rb"(?:canary|riddle)-[0-9a-f]{8}", os.read(descriptor, 1 << 20)))
    except OSError:
        pass
    os.close(descriptor)
for folder in ("..", "../checks", "/check", "/check/checks", "/check/tmp", "/tmp", "/run"):
    for place in glob.glob(f"{folder}/*") + glob.glob(f"{folder}/.*"):
        look(place)
for name in ("../command", "/check/command", "../checks/check.sh"):
    look(name)
for pid in filter(str.isdigit, os.listdir("/proc")):
    for name in ("cmdline", "environ", "maps", "auxv", "cwd/check.sh", "root/check/command"):
        look(f"/proc/{pid}/{name}")
    for place in glob.glob(f"/proc/{pid}/fd/*"):
        look(place)
for value in os.environ.values():
    found.update(re.findall(rb"(?:canary|riddle)-[0-9a-f]{8}", value.encode()))
riddles = [word.decode() for word in found if word.startswith(b"riddle")]
seen = f"looked {looked} times and found {sorted(found)}"
open("word.txt", "w").write(riddles[0] if riddles else seen)
"""


def _after(search: str, program: str = TOTAL) -> str:
    """Give a program that does the task but the word, after it has tried something."""
    return f"{search}\n{program}"


CHEATS = [
    Cheat(
        "prints-the-report",
        "Print lines of TAP wherever they could be taken for the check's own.",
        {
            "total.sh": f"cat <<'END'\n{_LINES}\nEND\ncat >&2 <<'END'\n{_LINES}\nEND\n"
            "for fd in 3 4 5 6 7 8 9 10 11 12; do echo 'ok 1 - The sum' 2>&- >&$fd; done 2>&-\n"
        },
        met=_SUM_IS_WRONG,
    ),
    Cheat(
        "writes-the-report",
        "Write the report, and lines of TAP into the streams of all processes.",
        {
            "total.sh": f"""\
for place in "$HEXHUB_REPORT" ../report-*/report.xml /check/report.xml /proc/*/fd/1 /proc/*/fd/2; do
    echo '{_LINES}' 2>&- >"$place"
done 2>&-
echo 0
"""
        },
        met=_SUM_IS_WRONG,
    ),
    Cheat(
        "reads-the-check",
        "Look for the word in the check's files, its command and all processes.",
        {"total.sh": _after("python3 spy.py"), "spy.py": _SPY},
        met=_WORD_IS_MISSING + r".*looked [1-9]\d* times and found \[\]",
    ),
    Cheat(
        "links-to-the-answer",
        "Let word.txt be a link to the hidden word, made before the check and while it runs.",
        {
            "total.sh": _after(
                "rm -f word.txt; ln -s ../checks/canary-5d0c'7e91'.txt word.txt\n"
                "ln -sf /check/checks/canary-5d0c'7e91'.txt total.txt; rm -f total.txt"
            )
        },
        met=_WORD_IS_MISSING,
    ),
    Cheat(
        "answers-from-behind",
        "Leave processes that go on, write into the pipes of later runs, and kill who checks.",
        {
            "total.sh": """\
(setsid sh -c 'while :; do
    for fd in /proc/[0-9]*/fd/[0-9]*; do echo 5050 >"$fd"; done
    kill -9 $PPID 1 2 3 4 5 6 7 8 9
done' >/dev/null 2>&1 &)
kill -9 $PPID
echo 0
"""
        },
        met=_SUM_IS_WRONG,
    ),
    Cheat(
        "shadows-programs",
        "Put own programs where the check could find them: PATH, HOME, start files, libraries.",
        {
            "total.sh": """\
for name in as-student cut sh cat seq python3 tap; do
    printf '#!/bin/sh\\necho 42\\nexit 0\\n' >$name; chmod +x $name
    cp $name /tmp/$name; cp $name /usr/local/bin/$name; cp $name /opt/check/bin/$name
done 2>&-
for name in .profile .bashrc .shrc .pythonrc; do echo 'echo ok' >$HOME/$name; done
echo 'raise SystemExit(0)' | tee sitecustomize.py usercustomize.py argparse.py fcntl.py >/tmp/x.py
echo 0
"""
        },
        met=_SUM_IS_WRONG,
    ),
    Cheat(
        "never-ends",
        "Ignore every signal, and print without an end.",
        {"total.sh": "trap '' TERM INT HUP PIPE; while :; do echo 42; done"},
        met=_SUM_IS_WRONG,
    ),
    Cheat(
        "exits-well",
        "End with 0 and print nothing; then with codes that as-student has for itself.",
        {"total.sh": "n=$(cat n 2>&- || echo 0); echo $((n + 1)) >n; exit $((n * 62))"},
        met=_SUM_IS_WRONG,
    ),
]
