"""A new student passes all five lessons of the shipped course, from sign-up to the end."""

import base64
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from .accessibility import violations
from .locked_texts import LockedTexts, Received, find_in_machine
from .phone import cut_off, expect_side_by_side, on_a_phone
from .student import Student
from .system import REPOSITORY

LESSONS = REPOSITORY / "courses" / "real-machine" / "lessons"


def put(student: Student, source: Path, target: str) -> None:
    """Write a file in the terminal, as one pastes it."""
    text = base64.b64encode(source.read_bytes()).decode()
    student.type(f"mkdir -p $(dirname {target}); echo {text} | base64 -d > {target}")


def run_solution(student: Student, lesson: str) -> None:
    """Lay the author's files into ~/work and run the author's commands, in the terminal."""
    solution = LESSONS / lesson / "solution"
    for path in sorted(p for p in solution.rglob("*") if p.is_file() and p.name != "solve.sh"):
        put(student, path, f"~/work/{path.relative_to(solution)}")
    put(student, solution / "solve.sh", "/tmp/solve.sh")
    student.type("cd ~/work; bash /tmp/solve.sh > /tmp/solve.log 2>&1", timeout_s=120)


def pass_rest(student: Student, passed: int, total: int) -> None:
    """Press Check at each step that is left."""
    for number in range(passed + 1, total + 1):
        student.check("passed")
        student.expect_progress(number, total)


def expect_finished(student: Student, name: str) -> None:
    """See the end of the lesson, and read the author's solution."""
    panel = student.panel
    expect(panel.get_by_role("heading", name="Lesson finished")).to_be_visible()
    student.shot(f"{name}-finished")
    panel.get_by_role("button", name="Show the author’s solution").click()
    expect(panel.locator(".hx-solution .hx-file").first).to_be_visible()
    student.shot(f"{name}-solution")


def edit(page: Page, file: str, text: str) -> None:
    """Open a file's tab, replace what is in its editor, and save it; Check may follow at once."""
    page.locator(".lm-TabBar-tab", has_text=re.compile(f"^{re.escape(file)}$")).click()
    editor = page.locator(".jp-FileEditor:visible .cm-content").first
    editor.click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(text)
    page.keyboard.press("ControlOrMeta+s")


def shell(student: Student) -> None:
    student.open_lesson("The shell")
    student.shot("shell-opened")
    student.expect_progress(0, 4)
    student.type("cd ~/work; mkdir -p logs data notes; mv inbox/*.log logs/; mv inbox/*.csv data/")
    student.check("failed")
    failing = student.panel.locator(".hx-test-failed")
    expect(failing.first.locator(".hx-test-message")).not_to_be_empty()
    student.shot("shell-failed")
    hint = student.panel.get_by_role("button", name="Hint 1 of 2")
    hint.click()
    expect(student.panel.locator(".hx-hint").first).to_be_visible()
    student.type("mv inbox/*.txt inbox/.*.txt notes/; rmdir inbox")
    student.type("lesson check > /tmp/check.txt 2>&1; echo $? > /tmp/check.code")
    assert student.in_machine("cat", "/tmp/check.code").stdout.strip() == "0"
    student.expect_progress(1, 4)
    student.type("chmod 700 keys; chmod 600 keys/backup.key; chmod 755 share; chmod 644 share/*")
    student.type("chmod u+x report.sh; ./report.sh > report.txt 2> remarks.txt")
    student.type("night-shift/start.sh; sleep 2; pkill -x miller; sleep 2")
    pass_rest(student, 1, 4)
    expect_finished(student, "shell")


def open_place_of_failure(student: Student) -> None:
    """Press the place in a file that a result names: the file is opened, at its line."""
    page = student.page
    tab = page.locator(".lm-TabBar-tab", has_text=re.compile("^receipt.py$"))
    tab.locator(".lm-TabBar-tabCloseIcon").click()
    expect(tab).to_have_count(0)
    place = student.panel.get_by_role("button", name=re.compile(r"^receipt\.py, line \d+$"))
    found = re.search(r"\d+", place.first.inner_text())
    assert found is not None
    place.first.click()
    expect(tab).to_have_class(re.compile("jp-mod-current"))
    expect(page.locator(".jp-StatusBar-Right")).to_contain_text(f"Ln {found[0]}, Col 1")
    starter = (LESSONS / "python-module/starter/receipt.py").read_text(encoding="utf-8")
    assert "raise" in starter.splitlines()[int(found[0]) - 1]
    expect(page.locator(".jp-FileEditor:visible .cm-content")).to_be_focused()
    expect(page.locator(".jp-Terminal:visible")).to_be_visible()


ENDLESS = """    while not text.isdigit():
        text.replace(",", "")  # A text does not change: this never ends.
    return int(text)
"""


def cancel_endless_checks(student: Student) -> None:
    """Cancel a check that runs, with the mouse; check again at once, and cancel, by keyboard."""
    page, panel = student.page, student.panel
    check, cancel = panel.locator(".hx-check"), panel.locator(".hx-cancel")
    check.click()
    expect(check).to_contain_text("Checking…")
    cancel.click()
    student.expect_cancelled()
    page.keyboard.press("Enter")
    expect(check).to_contain_text("Checking…")
    expect(panel.locator('[role="status"].hx-spoken')).to_have_text("The check is running.")
    page.keyboard.press("Tab")
    expect(cancel).to_be_focused()
    page.keyboard.press("Enter")
    student.expect_cancelled()


def reset_step(student: Student) -> None:
    """Put the files of the step back, see them so in the editor and on the disk, and undo it."""
    panel = student.panel
    editor = student.page.locator(".jp-FileEditor:visible .cm-content")
    file = "/home/student/work/receipt.py"
    panel.get_by_text("Start over").click()
    panel.get_by_role("button", name="Put back the files of this step").click()
    expect(panel.get_by_text("As in a new machine: receipt.py. Your own is kept.")).to_be_visible()
    starter = (LESSONS / "python-module/starter/receipt.py").read_text(encoding="utf-8")
    assert student.in_machine("cat", file).stdout == starter
    expect(editor).to_contain_text("raise NotImplementedError")
    expect(editor).not_to_contain_text("this never ends")
    panel.get_by_role("button", name="Take mine back").click()
    expect(panel.locator(".hx-restored")).to_have_count(0)
    expect(editor).to_contain_text("this never ends")
    assert "this never ends" in student.in_machine("cat", file).stdout


def fail_on_a_phone(student: Student) -> None:
    """Check on a phone: the result with its difference, a hint, beginning again and what the status
    bar tells on a wide page can be read, and all of it can be pressed."""
    page, panel = student.page, student.panel
    student.check("failed")
    expect(panel.locator(".hx-test-passed").first).to_be_visible()
    difference = panel.locator(".hx-test-failed .hx-difference .hx-beside")
    expect(difference.first).to_contain_text("1250")
    panel.get_by_role("button", name="Hint 1 of 2").click()
    expect(panel.locator(".hx-hint")).to_have_count(1)
    facts = r"^Connected\s*Stops in [1-9]\d? min\s*\d+ of 768 MB$"
    expect(panel.locator(".hx-facts")).to_have_text(re.compile(facts))
    expect(panel.get_by_role("button", name="Put back receipt.py")).to_be_visible()
    assert cut_off(page) == []
    student.shot("phone-start-over")
    panel.locator(".hx-outcome").evaluate("one => one.scrollIntoView({block: 'start'})")
    student.shot("phone-result")
    panel.get_by_text("Start over").click()


def python_module(student: Student) -> None:
    student.panel.get_by_role("link", name="Next lesson: A Python module").click()
    student.wait_for_lesson()
    student.expect_progress(0, 3)
    expect_side_by_side(student.page)
    student.check("failed")
    student.shot("python-failed")
    open_place_of_failure(student)
    starter = (LESSONS / "python-module/starter/receipt.py").read_text(encoding="utf-8")
    edit(student.page, "receipt.py", starter.replace("    raise NotImplementedError\n", ENDLESS, 1))
    cancel_endless_checks(student)
    reset_step(student)
    solution = (LESSONS / "python-module/solution/receipt.py").read_text(encoding="utf-8")
    edit(student.page, "receipt.py", solution.replace('int(cents.ljust(2, "0"))', "int(cents)"))
    with on_a_phone(student.page):
        fail_on_a_phone(student)
    edit(student.page, "receipt.py", f"{solution}# mine\n")
    student.type("python3 -m pip install --quiet iniconfig > /tmp/pip.log 2>&1", timeout_s=120)
    assert student.in_machine("python3", "-c", "import iniconfig").returncode == 0, (
        student.in_machine("cat", "/tmp/pip.log").stdout
    )
    pass_rest(student, 0, 3)
    expect_finished(student, "python")
    # The author's file stands beside the student's own.
    expect(student.panel.locator(".hx-solution .hx-cell-left")).to_have_text("# mine")
    with on_a_phone(student.page):
        assert cut_off(student.page) == []
        student.panel.locator(".hx-solution").evaluate("one => one.scrollIntoView()")
        student.shot("phone-solution")


def open_and_search(student: Student, title: str, lesson: str, first_step: str) -> None:
    """Open a lesson, take a hint and fail: nothing that is locked came to browser or machine."""
    page, panel = student.page, student.panel
    page.goto("about:blank")
    received = Received(page)
    locked = LockedTexts(LESSONS / lesson, first_step, seen="")
    student.open_lesson(title)
    panel.get_by_role("button", name="Hint 1 of 2").click()
    expect(panel.locator(".hx-hint")).to_have_count(1)
    student.check("failed")
    received.settle()
    assert received.missed == set()
    assert received.find(locked.open_lines) == locked.open_lines.keys()
    assert received.find(locked.lines) == set()
    assert find_in_machine(student.machine(), locked.lines.values()) == set()
    panel.get_by_role("button", name="Hint 2 of 2").click()
    expect(panel.locator(".hx-hint")).to_have_count(2)
    received.settle()
    assert received.find(locked.lines) == {locked.second_hint}
    received.stop()


def preview_on_a_phone(student: Student) -> None:
    """Show the student's site on a phone, and come back to the lesson."""
    page, panel = student.page, student.panel
    assert cut_off(page) == []
    student.shot("phone-web")
    panel.get_by_role("button", name="Your site").click()
    frame = page.frame_locator(".hx-preview iframe:visible")
    expect(frame.locator("h1").first).to_be_visible()
    expect(panel).not_to_be_visible()
    assert cut_off(page, ".hx-preview") == []
    shown = page.locator(".hx-preview iframe:visible").bounding_box()
    assert shown is not None
    assert shown["width"] > 300
    assert shown["height"] > 500
    student.shot("phone-preview")
    page.locator(".hx-status").get_by_role("button", name="Lesson", exact=True).click()
    expect(panel).to_be_visible()


def web_server(student: Student) -> None:
    open_and_search(student, "A web server", "web-server", "serve")
    student.type("apt-get update -qq && apt-get install -y -qq tree > /tmp/apt.log 2>&1", 180)
    assert student.machine_has("/usr/bin/tree"), student.in_machine("cat", "/tmp/apt.log").stdout
    run_solution(student, "web-server")
    pass_rest(student, 0, 3)
    student.panel.get_by_role("button", name="Your site").click()
    frame = student.page.frame_locator(".hx-preview iframe:visible")
    expect(frame.locator("h1").first).to_be_visible()
    student.shot("web-preview")
    with on_a_phone(student.page):
        preview_on_a_phone(student)
    expect_finished(student, "web")


def database(student: Student) -> None:
    open_and_search(student, "A database", "database", "cluster")
    run_solution(student, "database")
    total = student.panel.locator(".hx-step").count()
    pass_rest(student, 0, total)
    expect_finished(student, "database")


def measurements(student: Student) -> None:
    student.open_lesson("Measurements")
    total = student.panel.locator(".hx-step").count()
    page = student.page
    expect(page.locator(".jp-Notebook .jp-Cell").first).to_be_visible()
    student.check("failed")
    student.shot("notebook-failed")
    source = json.loads((LESSONS / "measurements" / "lesson.ipynb").read_text(encoding="utf-8"))
    for cell in source["cells"]:
        grading = cell["metadata"].get("nbgrader", {})
        if not grading.get("solution") or cell["cell_type"] != "code":
            continue
        lines = "".join(cell["source"]).split("\n")
        text = "\n".join(line for line in lines if "### " not in line)
        editor = page.locator(".jp-CodeCell .cm-content", has_text="YOUR CODE HERE").first
        editor.scroll_into_view_if_needed()
        editor.click()
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.insert_text(text)
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("ControlOrMeta+s")
    pass_rest(student, 0, total)
    expect_finished(student, "measurements")
    # The kernel has answered, so that the cell's event is told.
    expect(page.locator(".jp-CodeCell .jp-InputPrompt", has_text="[1]").first).to_be_attached()


OWN = (
    "You signed up",
    "You passed a step",
    "You took a hint",
    "A check ended",
    "You looked at a solution",
)
CLAIMS = (
    "A command ended in a terminal",
    "A file was saved",
    "A notebook cell was run",
    "A preview was opened",
    "A step was looked at",
    "The IDE came to the front",
)


def told(page: Page, by: str) -> str:
    """Give what one side has told of at least once."""
    kinds = page.get_by_role("region", name=by).get_by_role("listitem").all_inner_texts()
    return "\n".join(kind for kind in kinds if re.search(r" [1-9]\d*$", kind))


def all_recorded(page: Page) -> str:
    """Turn all pages of events, from the newest to the oldest; give their rows."""
    rows: list[str] = []
    older = page.get_by_role("link", name="Older")
    while True:
        rows += page.locator(".recorded tbody tr").all_inner_texts()
        if older.count() == 0:
            return "\n".join(rows)
        older.click()
        page.wait_for_load_state()


def expect_recorded(student: Student) -> None:
    """See on the page what HexHub saw and what the machines told, which they do in batches."""
    page = student.page
    page.get_by_role("link", name="What is recorded about you").last.click()
    for _ in range(60):
        claims = told(page, "By your machine")
        if all(words in claims for words in CLAIMS):
            break
        page.wait_for_timeout(1000)
        page.reload()
    assert [words for words in CLAIMS if words not in claims] == []
    own = told(page, "By HexHub")
    assert [words for words in OWN if words not in own] == []
    expect(page.get_by_text("The text of commands is recorded in none")).to_be_visible()
    assert violations(page, "body") == []
    student.shot("recorded")
    rows = all_recorded(page)
    for words in (
        r"A file was saved \(reported\)\s+real-machine / python-module\s+path: work/receipt\.py",
        r"A command ended in a terminal \(reported\)\s+real-machine / shell\s+exit_status: 0",
        r"A step was looked at \(reported\)\s+real-machine / shell\s+step: tidy",
        r"A check ended\s+real-machine / shell\s+step: tidy.*outcome: failed",
        r"A check ended\s+real-machine / database\s+.*outcome: passed",
    ):
        assert re.search(words, rows), f"nothing like {words} among\n{rows}"
    assert "mkdir -p logs" not in rows


@pytest.mark.timeout(900)
def test_a_new_student_passes_all_five_lessons(student: Student) -> None:
    """Sign-up, five real lessons with mistakes and hints on the way, and a finished course."""
    student.shot("catalogue-new")
    shell(student)
    python_module(student)
    web_server(student)
    database(student)
    measurements(student)
    student.page.goto(f"{student.url}/services/hexhub/courses/real-machine")
    expect(student.page.locator(".lesson-card.lesson-finished")).to_have_count(5)
    expect(student.page.get_by_text("Course finished")).to_be_visible()
    student.shot("course-finished")
    expect_recorded(student)
