"""The lesson panel, as a student uses it: one student, one machine, one page for all of it."""

import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, Locator, Page, Request, Response, Route, expect

from .accessibility import violations
from .conftest import SHOTS, tell_troubles
from .palette import run_command
from .parts import EXPOSE_APP, serve, show_blocks, show_theory, wait_for_file
from .phone import NARROW, WIDE, cut_off, on_a_phone
from .student import CHECK_MS, OPEN_MS, Student, hold_start
from .system import System

PLUGINS = Path(__file__).with_name("plugins.txt")
"""JupyterLab's plugins that are on, by what they are for."""

HOSTILE = """
<script>window.fired = 'script'</script>
<img src="x" onerror="window.fired = 'onerror'">
<svg onload="window.fired = 'svg onload'"><script>window.fired = 'svg script'</script>
<animate onbegin="window.fired = 'animate'" attributeName="x" dur="1s"/></svg>
<svg><a xlink:href="javascript:window.fired='svg link'"><text y="20">svg link</text></a></svg>
<math><mtext><img src=x onerror="window.fired = 'math'"></mtext></math>
<iframe srcdoc="<script>parent.fired = 'iframe'</script>"></iframe>
<object data="javascript:window.fired='object'"></object><embed src="javascript:window.fired='e'">
<form action="javascript:window.fired='form'"><button>form button</button></form>
<details open ontoggle="window.fired = 'toggle'"><summary>more</summary></details>
<a href="javascript:window.fired='link'">html link</a>
<a href=" java&#10;script:window.fired='odd link'">odd link</a>
<a href="data:text/html,<script>opener.fired='data'</script>">data link</a>
<p data-commandlinker-command="terminal:create-new" data-commandlinker-args="{}">commandlink</p>
<p style="background: url(javascript:window.fired='style')" onmouseover="window.fired='o'">o</p>
<style>@import 'javascript:window.fired="style"';</style>
<base href="https://example.invalid/"><meta http-equiv="refresh" content="0;url=javascript:1">

[markdown link](javascript:window.fired='md')
![x](x" onerror="window.fired='md image')
![svg](data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIG9ubG9hZD0i\
d2luZG93LmZpcmVkPSdzdmcgaW1hZ2UnO3BhcmVudC5maXJlZD0xIi8+)

```"><img src=x onerror=window.fired='info'>
code
```

```mermaid
graph TD; A["<img src=x onerror=window.fired='mermaid'>"] --> B; click A call alert()
```

$\\href{javascript:window.fired='maths'}{maths link}$

```open:../../etc/passwd
outside
```

```bash erase
touch /tmp/erased
```

The end of the hostile text.
"""

ARMED = """node => [...node.querySelectorAll('*')].flatMap(element => [
  ...('SCRIPT IFRAME OBJECT EMBED BASE META LINK'.split(' ').includes(element.tagName)
    ? [element.tagName] : []),
  ...[...element.attributes]
    .filter(a => /^on|commandlinker/i.test(a.name)
      || /^[\\s]*(javascript|vbscript):/i.test(a.value))
    .map(a => a.name + '=' + a.value)])"""
"""Gives what could run in a part of the page."""


@pytest.fixture(scope="module")
def student(chromium: Browser, system: System) -> Iterator[Student]:
    """Give a student in the lesson "The shell", with its machine running."""
    context = chromium.new_context(
        viewport=WIDE, locale="en-US", permissions=["clipboard-read", "clipboard-write"]
    )
    context.set_default_timeout(30_000)
    tell_troubles(context)
    context.add_init_script(EXPOSE_APP)
    page = context.new_page()
    student = Student(page, system.url, SHOTS)
    student.sign_up("panel-reader")
    student.open_lesson("The shell")
    yield student
    SHOTS.mkdir(parents=True, exist_ok=True)
    student.shot("panel-last")
    context.close()


def attempts_of(system: System, student: Student) -> int:
    """Count the student's attempts in the database."""
    with sqlite3.connect(system.state / "hexhub.sqlite") as database:
        found = database.execute(
            "SELECT count(*) FROM attempt WHERE user_name = ?", (student.name,)
        ).fetchone()
    return int(found[0])


def test_the_status_bar(student: Student) -> None:
    """It tells the step, the connection, the minutes that are left, and the memory of its limit."""
    words = r"Step 1 of 4\s*Connected\s*Stops in [1-9]\d? min\s*\d+ of 768 MB"
    expect(student.page.locator(".hx-status")).to_have_text(re.compile(words))


def test_check_by_keyboard_alone(student: Student) -> None:
    """The shortcut checks from within the editor or terminal; the result is told aloud."""
    page = student.page
    student.focus_terminal()
    page.keyboard.press("Control+Shift+Enter")
    expect(student.panel.locator(".hx-outcome-failed")).to_be_visible(timeout=CHECK_MS)
    expect(student.panel.locator('[role="status"].hx-spoken')).to_contain_text("Not yet")
    assert page.evaluate("document.activeElement.closest('.jp-Terminal') !== null")


def test_earlier_attempts(student: Student) -> None:
    """A second check leaves the first result to be looked at, with its time."""
    run_command(student.page, "Lesson: Check this step")
    expect(student.panel.locator(".hx-check")).to_have_attribute("aria-disabled", "true")
    expect(student.panel.locator(".hx-check")).to_have_attribute(
        "aria-disabled", "false", timeout=CHECK_MS
    )
    student.panel.get_by_text("Earlier attempts").click()
    earlier = student.panel.locator(".hx-earlier")
    expect(earlier).to_have_count(1)
    earlier.click()
    expect(student.panel.locator(".hx-history .hx-outcome-failed")).to_be_visible()
    earlier.click()
    student.panel.get_by_text("Earlier attempts").click()


def test_an_attempt_whose_answer_was_lost_is_one_attempt(student: Student, system: System) -> None:
    """The server has the attempt, the browser does not know: it is sent again and is the same."""
    page = student.page
    before = attempts_of(system, student)
    lost: list[str] = []

    def lose_first(route: Route) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.request.url)
        route.fetch()
        route.abort()

    page.route("**/attempts?key=*", lose_first)
    student.panel.locator(".hx-check").click()
    expect(student.panel.locator(".hx-check")).to_have_attribute(
        "aria-disabled", "false", timeout=CHECK_MS
    )
    page.unroute("**/attempts?key=*")
    assert len(lost) == 1
    assert attempts_of(system, student) == before + 1


def test_a_check_that_waits_for_the_connection_can_be_cancelled(
    student: Student, system: System
) -> None:
    """Offline is said plainly; what was not sent yet is not sent once it is cancelled."""
    page = student.page
    before = attempts_of(system, student)
    page.route("**/hexhub/**", lambda route: route.abort())
    student.panel.locator(".hx-check").click()
    expect(student.panel.get_by_text("Sent when the connection is back")).to_be_visible()
    expect(page.locator(".hx-status")).to_contain_text("No connection")
    student.panel.get_by_role("button", name="Cancel").click()
    expect(student.panel.locator(".hx-cancel")).to_have_count(0)
    page.unroute("**/hexhub/**")
    expect(page.locator(".hx-status")).to_contain_text("Connected", timeout=CHECK_MS)
    assert attempts_of(system, student) == before


def test_buttons_of_code_blocks(student: Student) -> None:
    """Run types into the terminal, open goes to the line, copy copies, preview opens a tab; beside
    them a picture of the lesson, a table, formulas, a drawing, and code in colours."""
    page = student.page
    panel = student.panel
    show_blocks(student, "work/report.sh", 8123)
    panel.get_by_role("button", name="Run in the terminal").click()
    wait_for_file(student, "/home/student/work/typed.txt")
    panel.get_by_role("button", name="Open work/report.sh, line 3").click()
    expect(page.locator(".jp-StatusBar-Right")).to_contain_text("Ln 3, Col 1")
    panel.locator(".hx-copy.hx-offered").click()
    assert page.evaluate("navigator.clipboard.readText()") == 'print("copied")'
    student.shot("panel-blocks")


def test_preview_of_a_web_server(student: Student) -> None:
    """The tab says that nothing answers, shows the page by itself once something does, with what it
    asks for by absolute path and over its web socket, loads it again, and opens it outside."""
    page = student.page
    show_blocks(student, "work/report.sh", 8123)
    student.panel.get_by_role("button", name="Show port 8123").click()
    tab = page.locator(".lm-TabBar-tab", has_text="Port 8123")
    expect(
        page.locator(".hx-preview").get_by_text("Nothing to show from port 8123")
    ).to_be_visible()
    serve(student, 8123)
    shown = page.frame_locator(".hx-preview iframe")
    expect(shown.locator("#fetched")).to_have_text("fetched it")
    expect(shown.locator("#heard")).to_have_text("heard hello")
    expect(shown.locator("h1")).to_have_css("color", "rgb(1, 2, 3)")
    assert shown.locator("img").evaluate("picture => picture.naturalWidth > 0")
    visits = int(shown.locator("#visits").inner_text())
    page.locator(".hx-preview").get_by_role("button", name="Reload").click()
    expect(shown.locator("#visits")).to_have_text(str(visits + 1))
    shown.get_by_role("link", name="second").click()
    expect(shown.locator("h1")).to_have_text("Second")
    student.shot("panel-preview")
    with page.context.expect_page() as outside:
        page.locator(".hx-preview-outside").click()
    expect(outside.value.locator("#heard")).to_have_text("heard hello")
    outside.value.close()
    tab.locator(".lm-TabBar-tabCloseIcon").click()
    page.unroute("**/hexhub/lesson?*")


def press_all(text: Locator) -> None:
    """Press what looks like a link or a button in a text; wait until what it began has happened."""
    for element in text.locator("a, p, summary, img").all():
        element.dispatch_event("mouseover")
        element.dispatch_event("toggle")
    for link in text.locator(
        "a:not([target]), a[href^='java' i], a[href^='data' i], button:has-text('form button')"
    ).all():
        link.click(force=True)
    # What a link or a timer began would have happened by the lesson's next look.
    with text.page.expect_response("**/hexhub/lesson?*"):
        pass


def test_hostile_lesson_runs_nothing(student: Student) -> None:
    """Script, event handlers, javascript: links and hostile SVG of a lesson do nothing at all."""
    page = student.page
    # A page that was loaded anew has lost this word.
    page.evaluate("window.fired = 'nothing'")
    dialogs: list[str] = []

    def refuse(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", refuse)
    show_theory(page, HOSTILE)
    panel = student.panel
    text = panel.locator("#hx-theory-body")
    expect(panel.get_by_text("The end of the hostile text.")).to_be_visible()
    press_all(text)
    with on_a_phone(page):
        press_all(text)
    # It would refuse a later test to leave the page, where JupyterLab asks.
    page.remove_listener("dialog", refuse)
    assert page.evaluate("window.fired") == "nothing"
    assert dialogs == []
    assert text.evaluate(ARMED) == []
    assert panel.locator(".hx-block-action").count() == 0
    assert not student.machine_has("/tmp/erased")
    page.unroute("**/hexhub/lesson?*")


def test_sides_and_steps_by_command(student: Student) -> None:
    """The panel goes to the other side and back, and steps are turned by command."""
    page = student.page
    run_command(page, "Lesson: Move the lesson to the other side")
    expect(page.locator("#jp-left-stack .hx-panel")).to_be_visible()
    run_command(page, "Lesson: Move the lesson to the other side")
    expect(page.locator("#jp-right-stack .hx-panel")).to_be_visible()
    run_command(page, "Lesson: Following step")
    expect(student.panel.locator('.hx-step-head[aria-expanded="true"]')).to_contain_text("Step 2")
    run_command(page, "Lesson: Previous step")
    expect(student.panel.locator('.hx-step-head[aria-expanded="true"]')).to_contain_text("Step 1")


_MOVE = """async () => {
  const { shell } = window.jupyterapp;
  const panel = [...shell.widgets('right')].find(widget => widget.id === 'hexhub-lesson-panel');
  const shown = panel.node.firstElementChild;
  for (let times = 0; times < 5; times += 1) {
    // What has changed is about to be drawn when the panel is put elsewhere.
    panel.renderDOM();
    shell.add(panel, 'right', { rank: 10, type: 'Lesson' });
    shell.activateById(panel.id);
    await new Promise(done => setTimeout(done, 100));
  }
  return shown !== null && panel.node.firstElementChild === shown;
}"""


def test_a_move_takes_along_all_that_is_shown(student: Student) -> None:
    """Nothing is drawn anew, and a drawing that was under way does not leave the panel empty."""
    text = student.panel.inner_text()
    assert student.page.evaluate(_MOVE) is True
    expect(student.panel).to_be_visible()
    assert student.panel.inner_text() == text


def test_a_file_is_put_back_and_taken_back(student: Student) -> None:
    """Start over: one file is as in a new machine, and the student's own comes back."""
    student.type("echo mine > ~/work/report.sh")
    panel = student.panel
    panel.get_by_text("Start over").click()
    panel.get_by_role("button", name="Put back report.sh").click()
    expect(panel.get_by_text("As in a new machine: report.sh")).to_be_visible()
    assert student.in_machine("cat", "/home/student/work/report.sh").stdout != "mine\n"
    panel.get_by_role("button", name="Take mine back").click()
    expect(panel.locator(".hx-restored")).to_have_count(0)
    assert student.in_machine("cat", "/home/student/work/report.sh").stdout == "mine\n"
    panel.get_by_text("Start over").click()


def panel_share(request: Request) -> float:
    """Give the lesson's share of the page in a layout that JupyterLab keeps, or 0."""
    if "/workspaces/" not in request.url or request.method != "PUT":
        return 0.0
    kept = json.loads(request.post_data or "{}").get("data", {})
    sizes = kept.get("layout-restorer:data", {}).get("relativeSizes") or [0.0]
    return float(sizes[-1]) / (sum(sizes) or 1.0)


def width_of(panel: Locator) -> float:
    """Give the panel's width in pixels."""
    box = panel.bounding_box()
    assert box is not None
    return box["width"]


def widen_panel(student: Student) -> float:
    """Drag the panel's edge with the mouse until JupyterLab has kept it; give the new width."""
    page, panel = student.page, student.panel
    before = panel.bounding_box()
    assert before is not None
    kept: list[float] = []
    page.on("requestfinished", lambda request: kept.append(panel_share(request)))
    y = before["y"] + 200
    page.mouse.move(before["x"] - 2, y)
    page.mouse.down()
    page.mouse.move(before["x"] - 72, y, steps=4)
    page.mouse.up()
    width = width_of(panel)
    assert width > before["width"] + 40
    for _ in range(300):
        if any(abs(share * WIDE["width"] - width) < 30 for share in kept):
            return width
        page.wait_for_timeout(200)
    raise AssertionError(f"the width {width} was not kept: {kept}")


def test_a_reload_keeps_the_students_own_layout(student: Student) -> None:
    """The same tabs, no second terminal, and the lesson as wide as it was made."""
    page = student.page
    tabs = page.locator("#jp-main-dock-panel .lm-TabBar-tab")
    names = tabs.all_inner_texts()
    width = widen_panel(student)
    # All that counts is that the new page comes, not that a busy computer has loaded all of it.
    page.evaluate("window.isOld = true")
    page.reload(wait_until="commit", timeout=OPEN_MS)
    student.wait_for_lesson()
    assert page.evaluate("window.isOld") is None
    expect(tabs).to_have_text(names)
    expect(page.locator(".jp-Terminal")).to_have_count(1)
    assert abs(width_of(student.panel) - width) <= 2
    # What is opened first would be opened by the time the lesson is looked at once more.
    with page.expect_response("**/hexhub/lesson?*"):
        pass
    expect(tabs).to_have_text(names)


def test_only_what_lessons_need_is_loaded(student: Student) -> None:
    """Each plugin that is on stands in the list, those of added extensions too.

    One that is new: does a lesson need it? If not, it belongs to ``disabledExtensions`` in
    ``lesson_extension/package.json``.
    """
    loaded = set(student.page.evaluate("window.jupyterapp.listPlugins()"))
    lines = PLUGINS.read_text(encoding="utf-8").splitlines()
    listed = {line for line in lines if line and not line.startswith("#")}
    assert (loaded - listed, listed - loaded) == (set(), set())


def heights_of_buttons(panel: Locator) -> list[int]:
    """Give the heights of the buttons at the foot; one of two lines has more than 40 pixels."""
    found: list[int] = panel.locator(".hx-actions .hx-button").evaluate_all(
        "all => all.map(one => one.offsetHeight)"
    )
    return found


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_nothing_serious_for_axe(student: Student, theme: str) -> None:
    """Panel and status bar, light and dark, English and Russian, wide and narrow."""
    page = student.page
    page.set_viewport_size(WIDE)
    run_command(page, f"JupyterLab {theme}")
    dark = "true" if theme == "Light" else "false"
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", dark)
    # Only the middle of the panel can be scrolled: head and foot are always there.
    too_high = "panel => panel.scrollHeight - panel.clientHeight"
    assert page.locator(".hx-widget:has(> .hx-panel)").evaluate(too_high) == 0
    bad: list[str] = []
    for locale in ("RU", "EN"):
        student.panel.get_by_role("button", name=locale, exact=True).click()
        expect(student.panel).to_have_attribute("lang", locale.lower())
        for where in (".hx-panel", ".hx-status"):
            bad += violations(page, where)
        student.shot(f"panel-{theme.lower()}-{locale.lower()}")
    with on_a_phone(page):
        expect(page.locator("#jp-top-panel")).to_be_hidden()
        for locale in ("RU", "EN"):
            student.panel.get_by_role("button", name=locale, exact=True).click()
            expect(student.panel).to_have_attribute("lang", locale.lower())
            bad += cut_off(page) + cut_off(page, ".hx-status")
            assert max(heights_of_buttons(student.panel)) < 40
            student.shot(f"panel-{theme.lower()}-{locale.lower()}-narrow")
        bad += violations(page, ".hx-panel") + violations(page, ".hx-status")
        page.locator(".hx-status").get_by_role("button", name="Terminal").click()
        expect(page.locator(".jp-Terminal:visible")).to_be_visible()
    assert bad == []


PAGES = (
    "",
    "courses/real-machine",
    "courses/real-machine/lessons/none",
    "courses/real-machine/lessons/database/open",
    "recorded",
)


def test_nothing_serious_for_axe_on_pages(student: Student) -> None:
    """Catalogue, course, an error, a start that waits and what is recorded, light and dark, wide
    and narrow; none is wider than its window."""
    page = student.page.context.new_page()
    hold_start(page, "database")
    bad: list[str] = []
    for path in PAGES:
        for size in (WIDE, NARROW):
            page.set_viewport_size(size)
            page.goto(f"{student.url}/services/hexhub/{path}")
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                bad += [f"{path}: {found}" for found in violations(page, "body")]
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                bad.append(f"{path} is wider than {size['width']}")
    page.close()
    assert bad == []


TIDY = (
    "cd ~/work; mkdir -p logs data notes; mv inbox/*.log logs/; mv inbox/*.csv data/; "
    "mv inbox/*.txt inbox/.*.txt notes/; rmdir inbox; touch /tmp/tidied"
)


def focused(page: Page) -> str:
    """Give the words of what has the focus."""
    words: str = page.evaluate("document.activeElement.innerText.trim()")
    return words


def wait_for_focus(page: Page, words: str) -> None:
    """Wait until something with these words in it has the focus."""
    page.wait_for_function("words => document.activeElement.innerText.includes(words)", arg=words)


def tab_to(page: Page, words: str) -> None:
    """Press Tab until something that begins with these words has the focus."""
    for _ in range(40):
        if focused(page).startswith(words):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not come to {words!r}")


def test_a_step_with_the_keyboard_alone(student: Student) -> None:
    """To the panel, through it, back to the terminal, check, and a hint of the step that opened: no
    mouse; and what happens is told aloud, the condition of the next hint too."""
    page, panel = student.page, student.panel
    spoken = panel.locator('[role="status"].hx-spoken')
    student.focus_terminal()
    page.keyboard.press("Alt+Shift+Enter")
    wait_for_focus(page, "Step 1")
    page.keyboard.press("Enter")
    expect(panel.locator('.hx-step-head[aria-expanded="true"]')).to_have_count(0)
    page.keyboard.press("Enter")
    expect(panel.locator('.hx-step-head[aria-expanded="true"]')).to_have_count(1)
    page.keyboard.press("Alt+Shift+Enter")
    for _ in range(5):
        if page.evaluate("document.activeElement.closest('.jp-Terminal') !== null"):
            break
        page.keyboard.press("Control+Shift+BracketRight")
    page.keyboard.type(TIDY)
    page.keyboard.press("Enter")
    wait_for_file(student, "/tmp/tidied")
    page.keyboard.press("Control+Shift+Enter")
    expect(spoken).to_contain_text("Step passed", timeout=CHECK_MS)
    expect(spoken).to_contain_text("The next step is open")
    page.keyboard.press("Alt+Shift+Enter")
    wait_for_focus(page, "Step 2")
    tab_to(page, "Hint 1 of 2")
    page.keyboard.press("Enter")
    expect(spoken).to_have_text("A hint is shown.")
    expect(panel.locator("#hx-hint-reason")).to_have_text("This hint opens after 1 more check.")
    assert violations(page, ".hx-panel") == []


def test_steps_and_terminals_with_the_keyboard_alone(student: Student) -> None:
    """From the panel: the following step and back, and a new terminal, which has the focus at once;
    from there the lesson is one key away."""
    page, panel = student.page, student.panel
    for command, words in (("Following", "Step 3"), ("Previous", "Step 2")):
        run_command(page, f"Lesson: {command} step", leaves_terminal=False)
        unfolded = panel.locator('.hx-step-head[aria-expanded="true"]')
        expect(unfolded).to_contain_text(words)
    terminals = page.locator(".jp-Terminal")
    before = terminals.count()
    run_command(page, "New Terminal", leaves_terminal=False)
    expect(terminals).to_have_count(before + 1)
    page.wait_for_function("document.activeElement.closest('.jp-Terminal') !== null")
    page.keyboard.type("touch /tmp/by-keyboard")
    page.keyboard.press("Enter")
    wait_for_file(student, "/tmp/by-keyboard")
    page.keyboard.press("Alt+Shift+Enter")
    wait_for_focus(page, "Step 2")


def is_setting_kept(answer: Response) -> bool:
    """Tell whether this is the answer to a setting that was to be kept."""
    return "/lab/api/settings/" in answer.url and answer.request.method == "PUT" and answer.ok


def test_a_reload_at_once_keeps_the_panels_side(student: Student) -> None:
    """The setting counts, though JupyterLab has not yet kept the layout; last, as it moves it."""
    page = student.page
    with page.expect_response(is_setting_kept):
        run_command(page, "Lesson: Move the lesson to the other side")
    page.reload()
    student.wait_for_lesson()
    expect(page.locator("#jp-left-stack .hx-panel")).to_be_visible()
