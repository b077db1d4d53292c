"""Each point of the lesson on a phone's page, light and dark, and on a wide one in the dark.

One student in one lesson, on one page: in each look at a step of its own, passed at the end. What
a wide page shows in the light is in ``test_panel`` and ``test_journey``.
"""

import base64
import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from .accessibility import violations
from .conftest import SHOTS, tell_troubles
from .palette import run_command
from .parts import EXPOSE_APP, serve, show_blocks, wait_for_file
from .phone import NARROW, WIDE, cut_off, expect_sheet, expect_side_by_side, turn_to
from .student import CHECK_MS, OPEN_MS, Student, hold_start
from .system import REPOSITORY, System

FILE = "/home/student/work/receipt.py"
LESSON = REPOSITORY / "courses/real-machine/lessons/python-module"
SOLUTION, STARTER = LESSON / "solution/receipt.py", LESSON / "starter/receipt.py"
_LINE_COLOUR = (
    "decodeURIComponent(document.querySelector('.hx-markdown .jp-RenderedMermaid img').src)"
    r".match(/\.flowchart-link ?{[^}]*?stroke: ?([^;}]+)/)?.[1]"
)


class Look(NamedTuple):
    """A theme and a size of the page, and what is done in it."""

    theme: str
    is_phone: bool
    step: int
    """Its number; counted from 1."""
    right: str
    wrong: str
    """What makes of the author's solution one that this step's check refuses."""
    condition: str
    """Of the step's second hint."""

    @property
    def name(self) -> str:
        """For the names of screenshots, and for the test's name."""
        return f"{'phone' if self.is_phone else 'wide'}-{self.theme.lower()}"


LOOKS = (
    Look(
        *("Light", True, 1),
        *('int(euros) * 100 + int(cents.ljust(2, "0"))', "float(text.strip()) * 100"),
        "This hint belongs to a test that has not failed yet.",
    ),
    Look(
        *("Dark", True, 2),
        *("(100 - discount) + 50", "(100 - discount)"),
        "This hint belongs to a test that has not failed yet.",
    ),
    Look(
        *("Dark", False, 3),
        *("{name[:20]:<20}", "{name:<20}"),
        "This hint opens after 2 more checks.",
    ),
)


@pytest.fixture(scope="module")
def student(chromium: Browser, system: System) -> Iterator[Student]:
    """Give a student with a phone."""
    context = chromium.new_context(
        viewport=NARROW,
        locale="en-US",
        has_touch=True,
        permissions=["clipboard-read", "clipboard-write"],
    )
    context.set_default_timeout(30_000)
    tell_troubles(context)
    context.add_init_script(EXPOSE_APP)
    student = Student(context.new_page(), system.url, SHOTS)
    student.sign_up("phone-reader")
    yield student
    student.shot("phone-last")
    context.close()


def is_first_layout_kept(request: Request) -> bool:
    """Tell whether JupyterLab keeps that the page was laid out as the lesson says."""
    is_put = request.method == "PUT" and "/api/workspaces/" in request.url
    return is_put and "files-opened:" in (request.post_data or "")


@pytest.fixture(scope="module", params=LOOKS, ids=lambda look: look.name)
def look(student: Student, request: pytest.FixtureRequest) -> Look:
    """Have the lesson opened in this look as for the first time."""
    page = student.page
    wanted: Look = request.param
    if wanted.step == 1:
        with page.expect_request(is_first_layout_kept, timeout=OPEN_MS):
            student.open_lesson("A Python module")
        return wanted
    run_command(page, f"JupyterLab {wanted.theme}")
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    page.set_viewport_size(NARROW if wanted.is_phone else WIDE)
    with page.expect_request(is_first_layout_kept, timeout=OPEN_MS):
        # JupyterLab's own way to forget the layout.
        page.goto(re.sub(r"/(lab|doc)\b.*", "/lab?reset", page.url), wait_until="commit")
        student.wait_for_lesson()
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    return wanted


def expect_readable(student: Student, look: Look, name: str) -> None:
    """See that nothing of the lesson is cut off or serious for axe-core; leave a screenshot."""
    page = student.page
    student.shot(f"{look.name}-{name}")
    assert cut_off(page) == []
    assert violations(page, ".hx-panel") + violations(page, ".hx-status") == []


def back_to_lesson(student: Student, look: Look) -> None:
    """Turn to the lesson where it is not seen beside what is shown."""
    if look.is_phone:
        expect(student.panel).to_be_hidden()
        turn_to(student.page, "Lesson")
    expect(student.panel).to_be_visible()


def test_the_lesson_is_in_front_at_first(student: Student, look: Look) -> None:
    """On a phone the lesson is shown, and files and terminal at a tap; on a wide page all three."""
    page = student.page
    expect(student.panel).to_be_visible()
    expect_readable(student, look, "first")
    if not look.is_phone:
        expect_side_by_side(page)
        return
    expect(page.locator("#jp-main-dock-panel .hx-panel")).to_be_visible()
    expect_sheet(page, "Lesson")
    turn_to(page, "Files")
    expect(page.locator(".jp-FileEditor:visible .cm-content")).to_contain_text("A till")
    student.shot(f"{look.name}-file")
    turn_to(page, "Terminal")
    expect(page.locator(".jp-Terminal:visible")).to_have_count(1)
    student.shot(f"{look.name}-terminal")
    back_to_lesson(student, look)


def cursor_is_at(page: Page, line: int) -> None:
    """Wait until the file in front has its cursor at a line, counted from 1."""
    editor = "jupyterapp.shell.currentWidget?.content?.editor"
    page.wait_for_function(f"at => {editor}?.getCursorPosition().line === at", arg=line - 1)


def test_buttons_of_code_blocks(student: Student, look: Look) -> None:
    """Copy copies; run and open bring terminal and file to the front, and one goes back."""
    page, panel = student.page, student.panel
    theory = panel.get_by_role("button", name="Read first")
    if theory.get_attribute("aria-expanded") == "false":
        theory.tap()
    show_blocks(student, "work/receipt.py", 8120 + look.step)
    panel.locator("#hx-theory-body").evaluate("one => one.scrollIntoView()")
    expect_readable(student, look, "blocks")
    student.in_machine("rm", "-f", "/home/student/work/typed.txt")
    panel.locator(".hx-copy.hx-offered").tap()
    expect(panel.locator(".hx-copy.hx-offered")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == 'print("copied")'
    panel.get_by_role("button", name="Run in the terminal").tap()
    wait_for_file(student, "/home/student/work/typed.txt")
    expect(page.locator(".jp-Terminal:visible")).to_have_count(1)
    if look.is_phone:
        expect_sheet(page, "Terminal")
    back_to_lesson(student, look)
    panel.get_by_role("button", name="Open work/receipt.py, line 3").tap()
    cursor_is_at(page, 3)
    expect(page.locator(".jp-FileEditor:visible .cm-content")).to_be_focused()
    if look.is_phone:
        expect_sheet(page, "Files")
    back_to_lesson(student, look)


def drawing_has_line(page: Page, colour: str, *, is_it: bool = True) -> None:
    """Wait until the lines of the Mermaid drawing have this colour, or another one."""
    page.wait_for_function(
        f"wanted => ({_LINE_COLOUR} === wanted.colour) === wanted.isIt",
        arg={"colour": colour, "isIt": is_it},
    )


def test_drawings_follow_the_theme(student: Student, look: Look) -> None:
    """A Mermaid drawing is drawn anew in the colours of another theme, and of the first again."""
    page = student.page
    colour = page.evaluate(_LINE_COLOUR)
    assert colour, "the drawing has lines"
    run_command(page, f"JupyterLab {'Dark' if look.theme == 'Light' else 'Light'}")
    drawing_has_line(page, colour, is_it=False)
    student.shot(f"{look.name}-other-theme")
    run_command(page, f"JupyterLab {look.theme}")
    drawing_has_line(page, colour)
    is_light = str(look.theme == "Light").lower()
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", is_light)


def test_preview(student: Student, look: Look) -> None:
    """It says that nothing answers, then shows the page; on a phone no tab is marked meanwhile."""
    page, panel = student.page, student.panel
    port = 8120 + look.step
    preview = page.locator(".hx-preview:visible")
    panel.get_by_role("button", name=f"Show port {port}").tap()
    expect(preview.get_by_text(f"Nothing to show from port {port}")).to_be_visible()
    if look.is_phone:
        expect_sheet(page, None)
    student.shot(f"{look.name}-preview-empty")
    # Its bar is JupyterLab's own.
    assert cut_off(page, ".hx-preview") + violations(page, ".hx-preview-empty") == []
    serve(student, port)
    shown = page.frame_locator(".hx-preview iframe:visible")
    expect(shown.locator("#heard")).to_have_text("heard hello")
    visits = int(shown.locator("#visits").inner_text())
    preview.get_by_role("button", name="Reload").tap()
    expect(shown.locator("#visits")).to_have_text(str(visits + 1))
    student.shot(f"{look.name}-preview")
    assert cut_off(page, ".hx-preview") == []
    with page.context.expect_page() as outside:
        page.locator(".hx-preview-outside:visible").tap()
    expect(outside.value.locator("#heard")).to_have_text("heard hello")
    outside.value.close()
    back_to_lesson(student, look)
    page.unroute("**/hexhub/lesson?*")


def test_a_tab_without_file_or_terminal(student: Student, look: Look) -> None:
    """On a phone Terminal opens a new one where there is none, and Files the list of files."""
    if not look.is_phone:
        return
    page = student.page
    turn_to(page, "Terminal")
    student.focus_terminal()
    page.keyboard.type("exit")
    page.keyboard.press("Enter")
    expect(page.locator(".jp-Terminal")).to_have_count(0)
    turn_to(page, "Lesson")
    turn_to(page, "Terminal")
    expect(page.locator(".jp-Terminal:visible .xterm-screen")).to_be_visible()
    student.type("true")
    for left in (1, 0):
        turn_to(page, "Files")
        page.locator(".jp-FileEditor:visible .cm-content").click()
        run_command(page, "Close Tab", leaves_terminal=False)
        expect(page.locator(".jp-FileEditor")).to_have_count(left)
    turn_to(page, "Lesson")
    turn_to(page, "Files")
    files = page.locator(".jp-DirListing:visible")
    expect(files).to_be_visible()
    expect(student.panel).to_be_hidden()
    box = files.bounding_box()
    assert box is not None
    assert box["width"] > 300
    student.shot(f"{look.name}-file-list")
    turn_to(page, "Lesson")
    expect(files).to_be_hidden()
    expect(student.panel).to_be_visible()
    turn_to(page, "Files")
    files.locator(".jp-DirListing-item", has_text="receipt.py").dblclick()
    expect(files).to_be_hidden()
    expect(page.locator(".jp-FileEditor:visible .cm-content")).to_contain_text("A till")
    expect_sheet(page, "Files")
    back_to_lesson(student, look)


def write(student: Student, text: str) -> None:
    """Have the file say this, as if it had been edited long ago."""
    code = base64.b64encode(text.encode()).decode()
    done = student.in_machine("sh", "-c", f"echo {code} | base64 -d > {FILE}")
    assert done.returncode == 0, done.stderr


def test_cancel_a_check(student: Student, look: Look) -> None:
    """A check that runs is cancelled with a finger; another one with the keyboard."""
    page, panel = student.page, student.panel
    check, cancel = panel.locator(".hx-check"), panel.locator(".hx-cancel")
    write(student, "while True:\n    pass\n")
    check.tap()
    expect(check).to_contain_text("Checking…")
    student.shot(f"{look.name}-checking")
    assert cut_off(page) == []
    cancel.tap()
    student.expect_cancelled()
    page.keyboard.press("Enter")
    expect(check).to_contain_text("Checking…")
    page.keyboard.press("Tab")
    expect(cancel).to_be_focused()
    page.keyboard.press("Enter")
    student.expect_cancelled()
    expect_readable(student, look, "cancelled")


def test_without_a_connection(student: Student, look: Look) -> None:
    """It is said plainly, at the check and at the foot, and that the connection is back."""
    page, panel = student.page, student.panel
    facts = panel.locator(".hx-facts") if look.is_phone else page.locator(".hx-status")
    page.route("**/hexhub/**", lambda route: route.abort())
    panel.locator(".hx-check").tap()
    expect(panel.get_by_text("Sent when the connection is back")).to_be_visible()
    expect(facts).to_contain_text("No connection")
    expect_readable(student, look, "offline")
    panel.locator(".hx-cancel").tap()
    expect(panel.locator(".hx-cancel")).to_have_count(0)
    page.unroute("**/hexhub/**")
    expect(facts).to_contain_text("Connected", timeout=CHECK_MS)


def open_place(student: Student, look: Look) -> None:
    """Press the place in a file that a result names: the file is shown, at its line."""
    place = student.panel.get_by_role("button", name=re.compile(r"^receipt\.py, line \d+$")).first
    found = re.search(r"\d+", place.inner_text())
    assert found is not None
    place.tap()
    cursor_is_at(student.page, int(found[0]))
    expect(student.page.locator(".jp-FileEditor:visible .cm-content")).to_be_focused()
    expect_sheet(student.page, "Files")
    back_to_lesson(student, look)


def test_hints_and_earlier_attempts(student: Student, look: Look) -> None:
    """Hints come one by one, each with its condition; what was checked before is there to be read,
    with its time and, at the first step, the difference."""
    panel = student.panel
    panel.get_by_role("button", name="Hint 1 of 2").tap()
    expect(panel.locator(".hx-hint")).to_have_count(1)
    expect(panel.locator("#hx-hint-reason")).to_contain_text(look.condition)
    expect_readable(student, look, "hint")
    solution = SOLUTION.read_text(encoding="utf-8")
    assert look.right in solution
    write(student, solution.replace(look.right, look.wrong))
    student.check("failed")
    write(student, STARTER.read_text(encoding="utf-8"))
    student.check("failed")
    if look.is_phone:  # Step 3 runs the program, and has no place in it to name.
        open_place(student, look)
    panel.get_by_role("button", name="Hint 2 of 2").tap()
    expect(panel.locator(".hx-hint")).to_have_count(2)
    expect(panel.get_by_role("button", name=re.compile("^Hint"))).to_have_count(0)
    panel.get_by_text("Earlier attempts").tap()
    expect(panel.locator(".hx-earlier-cancelled")).to_have_count(2)
    earlier = panel.locator(".hx-earlier-failed")
    expect(earlier).to_have_count(1)
    expect(earlier.locator("time")).to_have_text(re.compile(r"\d\d?:\d\d"))
    earlier.tap()
    expect(panel.locator(".hx-history .hx-outcome-failed")).to_be_visible()
    panel.locator(".hx-history").evaluate("one => one.scrollIntoView()")
    expect_readable(student, look, "history")


def expect_step(student: Student, number: int) -> None:
    """See that this step is unfolded."""
    unfolded = student.panel.locator('.hx-step-head[aria-expanded="true"]')
    expect(unfolded).to_contain_text(f"Step {number}")


def test_steps(student: Student, look: Look) -> None:
    """Steps are turned at the head, and the step is passed; the first one's difference is there."""
    panel = student.panel
    expect_step(student, look.step)
    for number in range(look.step - 1, 0, -1):
        panel.get_by_role("button", name="Previous step").tap()
        expect_step(student, number)
    expect(panel.get_by_role("button", name="Previous step")).to_have_attribute(
        "aria-disabled", "true"
    )
    if look.step > 1:
        panel.get_by_text("Earlier attempts").tap()
        panel.locator(".hx-earlier-failed").last.tap()
    difference = panel.locator(".hx-difference")
    expect(difference.first).to_be_visible()
    difference.first.evaluate("one => one.scrollIntoView()")
    expect_readable(student, look, "difference")
    for number in range(2, look.step + 1):
        panel.get_by_role("button", name="Next step").tap()
        expect_step(student, number)
    write(student, SOLUTION.read_text(encoding="utf-8"))
    student.check("passed")
    student.expect_progress(look.step, 3)
    if look.step < 3:
        expect_step(student, look.step + 1)
        return
    panel.get_by_role("button", name="Show the author’s solution").tap()
    solution = panel.locator(".hx-solution")
    expect(solution.locator(".hx-file").first).to_be_visible()
    solution.evaluate("one => one.scrollIntoView()")
    expect_readable(student, look, "solution")


def shells_of(student: Student) -> list[str]:
    """Give the process ids of the student's shells in terminals."""
    listed = student.in_machine("ps", "-C", "bash", "-o", "pid=,tty=").stdout
    return [line.split()[0] for line in listed.splitlines() if "pts/" in line]


def test_lessons(student: Student, look: Look) -> None:
    """The lessons before and after this one are a tap away; back on a phone the lesson is still
    among the documents, and in front."""
    page, panel = student.page, student.panel
    shells = shells_of(student)
    for rel, lesson in (("prev", "shell"), ("next", "web-server")):
        hold_start(page, lesson)
        panel.locator(f".hx-lessons a[rel={rel}]").tap()
        page.wait_for_url(f"**/lessons/{lesson}/open")
        expect(page.get_by_role("progressbar")).to_be_visible()
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
        page.go_back(wait_until="commit")
        student.wait_for_lesson()
        place = "#jp-main-dock-panel" if look.is_phone else "#jp-right-stack"
        expect(page.locator(f"{place} .hx-panel")).to_be_visible()
        if look.is_phone:
            expect_sheet(page, "Lesson")
            # The page has one thing only, after a reload; the shell is the one that ran.
            turn_to(page, "Terminal")
            expect(page.locator(".jp-Terminal:visible .xterm-screen")).to_be_visible()
            student.type("true")
            assert shells_of(student) == shells
            back_to_lesson(student, look)
