"""A small honest course, one lesson for each kind of check, with words that nobody may find.

``CANARY`` stands in every file of ``checks/``, in its name, in comments, in values at hand when a
test fails, in the command of the check: no student sees it, whatever the author shows. ``ANSWER``
is what the hidden tests compare with and what the solutions give: it is in the report of a failing
test, and the student sees it with ``show: full`` only, where the author wants that.
"""

import json
from pathlib import Path

CANARY = "canary-5d0c7e91"
ANSWER = "riddle-77ab10c4"

SUMS, PAGE, ROOT_PAGE, MARKS = "sums", "page", "root-page", "marks"
SCRIPT = "script"
STEP = "task"

SUMS_IDS = (
    "test_sums::test_add",
    "test_sums::test_many",
    "test_sums::test_third",
    "test_sums::test_program",
    "test_sums::test_word",
)
PAGE_IDS = (
    "test_page::test_page",
    "test_page::test_every_file",
    "test_page::test_server",
    "test_page::test_settings",
    "test_page::test_word",
)
MARKS_IDS = ("test-total", "test-mean", "test-word")
SCRIPT_IDS = ("The sum", "Many numbers", "The file", "The word")
EXPECTED = {
    SUMS: SUMS_IDS,
    PAGE: PAGE_IDS,
    ROOT_PAGE: PAGE_IDS,
    MARKS: MARKS_IDS,
    SCRIPT: SCRIPT_IDS,
}
"""Lesson → the tests that its solution passes; a published course knows them."""

_COURSE = f"""\
schema: 1
title: {{en: Honest}}
summary: {{en: For cheats.}}
locales: [en]
image: hexhub/python
lessons: [{SUMS}, {PAGE}, {ROOT_PAGE}, {MARKS}, {SCRIPT}]
"""
_LESSON = """\
schema: 1
title: {{en: {name}}}
image: {image}
user: {user}
limits: {{memory: 256M, cpus: 1.0, processes: 128, disk: 1G, idle: 30m}}
network: none
{more}steps:
  - id: task
    check: {{{check}}}
"""

_TEST_SUMS = f'''\
"""{CANARY}"""
from pathlib import Path

import pytest

HIDDEN = "{CANARY}"
WORD = Path(__file__).with_name("{CANARY}.txt").read_text().split()[1]


def test_add(student):
    """add gives the sum"""
    at_hand = HIDDEN
    assert student.call("sums:add", 19, 23, timeout_s=4) == 42, "add(19, 23) is wrong."


def test_many(student):
    """add gives the sum again and again"""
    at_hand = HIDDEN
    calls = [("sums:add", number, number) for number in (4, 700)]
    assert student.call_many(calls, timeout_s=4) == [8, 1400], "add is wrong at times."


def test_third(student):
    """third gives a third"""
    at_hand = HIDDEN
    assert student.call("sums:third", 1, timeout_s=4) == pytest.approx(1 / 3), "third is wrong."


def test_program(student):
    """The program prints the sum of what it reads"""
    at_hand = HIDDEN
    done = student.run(["python3", "sums.py"], stdin="19 23\\n", timeout_s=4)
    assert done.exit_code == 0, done.stderr
    assert done.stdout == "42\\n", done.stdout


def test_word(student):
    """word gives the word"""
    at_hand = HIDDEN
    assert student.call("sums:word", timeout_s=4) == WORD
'''
_SUMS_SOLUTION = f"""\
import sys


def add(a, b):
    return a + b


def third(x):
    return x / 3


def word():
    return "{ANSWER}"


if __name__ == "__main__":
    print(sum(int(number) for number in sys.stdin.read().split()))
"""
_SUMS_STARTER = """\
def add(a, b):
    return 0


def third(x):
    return 0


def word():
    return ""
"""

_CHECK_SCRIPT = f"""\
# {CANARY}
number=0
say() {{ number=$((number + 1)); echo "$1 $number - $2"; }}
judge() {{
    if [ "$2" = "$3" ]; then say ok "$1"; return; fi
    say "not ok" "$1"; printf '%s\\n' "$2" | head -c 500 | sed 's/^/# /'
}}
word=$(cut -d ' ' -f 2 {CANARY}.txt)
echo 1..4
judge "The sum" "$(echo 19 23 | as-student --timeout 4 sh total.sh)" 42
numbers=$(seq 100 | as-student --timeout 4 sh total.sh)
judge "Many numbers" "$numbers" 5050
judge "The file" "$(as-student --timeout 4 cat total.txt)" 5050
judge "The word" "$(as-student --timeout 4 cat word.txt)" "$word"
as-student --timeout 4 sh total.sh </dev/null
exit 0
"""
TOTAL = """\
awk '{ for (n = 1; n <= NF; n++) sum += $n } END { print sum + 0 }' >total.txt
cat total.txt
"""
"""Does all of the task of lesson ``script`` but the word."""

_TEST_PAGE = f'''\
"""{CANARY}"""
from pathlib import Path

HIDDEN = "{CANARY}"
WORD = Path(__file__).with_name("{CANARY}.txt").read_text().split()[1]
PORT = 8080


def test_page(machine):
    """The page says hello"""
    at_hand = HIDDEN
    answer = machine.http("/", port=PORT, timeout_s=3)
    assert answer.text == "hello\\n", f"The page says {{answer.text}}"


def test_every_file(machine):
    """Every file of ~/work/site is served, and nothing else"""
    at_hand = HIDDEN
    for name in machine.list("site"):
        answer = machine.http(f"/{{name}}", port=PORT, timeout_s=3)
        assert answer.text == machine.read_text(f"site/{{name}}"), f"{{name}} is served wrongly."
    assert machine.http("/nothing-here", port=PORT, timeout_s=3).status == 404, "Not a 404."


def test_server(machine):
    """nginx serves it"""
    at_hand = HIDDEN
    servers = machine.processes_at(PORT)
    assert servers, "Nobody listens on port 8080."
    for server in servers:
        is_nginx = machine.is_version_of(server, "/usr/sbin/nginx")
        assert is_nginx, f"On port 8080 is {{server.exe}}."


def test_settings(machine):
    """nginx.conf hides the version"""
    at_hand = HIDDEN
    assert "server_tokens off;" in machine.read_text("nginx.conf"), "server_tokens is on."
    assert machine.stat("nginx.conf").mode == 0o600, "Others can read nginx.conf."


def test_word(machine):
    """word.txt has the word"""
    at_hand = HIDDEN
    assert machine.exists("word.txt"), "There is no word.txt."
    assert machine.read_text("word.txt").strip() == WORD
'''
_PAGE_STARTER = {
    "site/index.html": "hello\n",
    "site/about.html": "About.\n",
    "nginx.conf": """\
pid nginx.pid;
error_log error.log;
events {}
http {
    access_log off;
    client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp;
    uwsgi_temp_path tmp; scgi_temp_path tmp;
    server { listen 8080; root site; }
}
""",
}
START_NGINX = """\
sed -i 's/^http {/http { server_tokens off;/; 1i user root;' nginx.conf
[ "$(id -u)" = 0 ] || sed -i 1d nginx.conf
chmod 600 nginx.conf
mkdir -p tmp
nginx -p "$PWD" -c nginx.conf -e error.log
"""
"""Does all of the task but the word."""
_PAGE_SOLUTION = f"set -e\n{START_NGINX}echo {ANSWER} >word.txt\n"


def notebook(*, helper: str = "") -> str:
    """Give the author's notebook.

    Args:
        helper: A cell of the author's that is neither task nor test, and whose function
            ``is_total`` the first test judges by.
    """
    judged = "is_total(total([20, 22]), 42)" if helper else "total([20, 22]) == 42"
    cells = [
        _cell("prices", f"prices = [3, 4, 5]\n{helper}"),
        _cell(
            "solve",
            f"### BEGIN SOLUTION\ndef total(prices):\n    return sum(prices)\n\n\n"
            f'mean = 4.0\nword = "{ANSWER}"\n### END SOLUTION',
            is_solution=True,
        ),
        _cell("test-total", _hidden("The total", f'assert {judged}, "The total is wrong."')),
        _cell(
            "test-mean",
            _hidden(
                "The mean",
                "import numpy as np\n"
                'assert np.shape(mean) == () and np.isclose(mean, 4.0), "The mean is wrong."',
            ),
        ),
        _cell("test-word", _hidden("The word", f'assert word == "{ANSWER}"')),
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return json.dumps(
        {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    )


def _hidden(name: str, test: str) -> str:
    return (
        f"# {name}\n### BEGIN HIDDEN TESTS\n# {CANARY}\nat_hand = '{CANARY}'\n{test}\n"
        "### END HIDDEN TESTS"
    )


def _cell(grade_id: str, source: str, *, is_solution: bool = False) -> dict[str, object]:
    is_test = grade_id.startswith("test-")
    facts: dict[str, object] = {
        "grade": is_test,
        "grade_id": grade_id,
        "locked": not is_solution,
        "schema_version": 3,
        "solution": is_solution,
        "task": False,
    }
    if is_test:
        facts["points"] = 1
    return {
        "cell_type": "code",
        "id": grade_id,
        "metadata": {"nbgrader": facts},
        "execution_count": None,
        "outputs": [],
        "source": source,
    }


def write_honest_course(parent: Path, *, helper: str = "") -> Path:
    """Write the course below ``parent`` and give its folder."""
    files = {"course.yml": _COURSE}
    checked = (
        f"kind: files, run: \"export HIDDEN={CANARY}; pytest -q test_sums.py -k 'not {ANSWER}'\", "
        'submit: [sums.py, "**"], timeout: 60s'
    )
    files |= _lesson(SUMS, "hexhub/data", "student", f"{checked}, memory: 256M")
    files |= _below(SUMS, {"checks/test_sums.py": _TEST_SUMS, "starter/sums.py": _SUMS_STARTER})
    files |= _below(SUMS, {"solution/sums.py": _SUMS_SOLUTION})
    for name, user in ((PAGE, "student"), (ROOT_PAGE, "root")):
        checked = (
            f'kind: machine, run: "HIDDEN={CANARY}; : {ANSWER}; pytest -q test_page.py", '
            "timeout: 15s, memory: 256M"
        )
        files |= _lesson(name, "hexhub/web", user, checked)
        files |= _below(name, {f"starter/{path}": text for path, text in _PAGE_STARTER.items()})
        files |= _below(name, {"checks/test_page.py": _TEST_PAGE})
        files |= _below(name, {"solution/solve.sh": _PAGE_SOLUTION})
    checked = (
        f'kind: files, run: "HIDDEN={CANARY} sh check.sh", report: tap, submit: ["**"], '
        "timeout: 60s, memory: 256M"
    )
    files |= _lesson(SCRIPT, "hexhub/python", "student", checked)
    files |= _below(SCRIPT, {"checks/check.sh": _CHECK_SCRIPT, "starter/total.sh": "echo 0\n"})
    files |= _below(SCRIPT, {"solution/total.sh": TOTAL, "solution/word.txt": f"{ANSWER}\n"})
    checked = "kind: notebook, timeout: 60s, memory: 512M"
    files |= _lesson(MARKS, "hexhub/data", "student", checked, more="notebook: marks.ipynb\n")
    files |= _below(MARKS, {"lesson.ipynb": notebook(helper=helper)})
    folder = parent / "honest"
    for path, text in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    return folder


def _lesson(name: str, image: str, user: str, check: str, more: str = "") -> dict[str, str]:
    facts = _LESSON.format(name=name, image=image, user=user, check=check, more=more)
    return _below(
        name,
        {
            "lesson.yml": facts,
            "en/README.md": "Theory.\n",
            f"en/steps/{STEP}.md": "# Task\n\nText.\n",
            f"checks/{CANARY}.txt": f"{CANARY} {ANSWER}\n",
        },
    )


def _below(lesson: str, files: dict[str, str]) -> dict[str, str]:
    return {f"lessons/{lesson}/{path}": text for path, text in files.items()}
