"""The terminal that is there before JupyterLab has started, and how JupyterLab takes its place."""

import re

from playwright.sync_api import Page, WebSocket, expect

from .accessibility import violations
from .first_view import early_terminal, lab_held
from .student import Student

EARLY = re.compile(r"/hexhub-lesson/static/early\.js")
ENOUGH = 2000
_WATCH = """window.sawFirstView = false; new MutationObserver(() => {
  window.sawFirstView ||= document.querySelector('.hx-early') !== null;
}).observe(document, {childList: true, subtree: true})"""
_RECT = """node => { const r = node.getBoundingClientRect();
  return [r.left, r.top, r.width, r.height].map(Math.round) }"""


def listen(page: Page) -> list[list[str]]:
    """Keep what each terminal's socket of the page brings, in the order of their opening."""
    heard: list[list[str]] = []

    def follow(socket: WebSocket) -> None:
        if "/terminals/websocket/" in socket.url:
            said: list[str] = []
            heard.append(said)
            socket.on("framereceived", lambda data: said.append(str(data)))

    page.on("websocket", follow)
    return heard


def type_lines_until_jupyterlab(student: Student) -> int:
    """Type the numbers from 0, a line each, until JupyterLab's terminal is there, and five more.

    Not as fast as can be: a server keeps the last thousand pieces of output, mostly a key each.
    """
    keyboard, left = student.page.keyboard, 5
    for number in range(ENOUGH):
        keyboard.type(str(number))
        keyboard.press("Enter")
        student.page.wait_for_timeout(30)
        if early_terminal(student.page).count() == 0:
            left -= 1
            if left == 0:
                return number + 1
    raise AssertionError(f"JupyterLab had not taken over after {ENOUGH} lines")


def test_a_shell_is_there_before_jupyterlab(student: Student) -> None:
    """Greeted, typed in, no key lost or doubled while JupyterLab takes over; back in its place."""
    page = student.page
    heard = listen(page)
    with lab_held(page):
        page.goto(f"{student.url}/services/hexhub/")
        page.get_by_role("link", name=re.compile("The shell")).last.click()
        early = early_terminal(page)
        expect(early).to_contain_text("The shell", timeout=90_000)
        expect(early).to_contain_text("lesson check")
        expect(page.get_by_role("status")).to_contain_text("You can already type in the terminal")
        # The keyboard is there without a click.
        page.keyboard.insert_text("echo before-$((6*7))")
        page.keyboard.press("Enter")
        expect(early).to_contain_text("before-42")
        assert violations(page, ".hx-early") == []
        student.shot("first-view")
        assert page.locator(".jp-LabShell").count() == 0
        page.keyboard.insert_text("cat > /tmp/typed")
        page.keyboard.press("Enter")
    lines = type_lines_until_jupyterlab(student)
    page.keyboard.press("Control+d")
    student.type("echo after-$((6*7))")
    typed = student.in_machine("cat", "/tmp/typed").stdout.split()
    assert typed == [str(number) for number in range(lines)]
    assert len(heard) == 2
    assert "before-42" in "".join(heard[1]), "JupyterLab's terminal shows what was said before it"
    student.wait_for_lesson()
    comes_back_in_its_place(student)


def comes_back_in_its_place(student: Student) -> None:
    """Load the page again: the same place; without its script; and on a phone, not at all."""
    page = student.page
    place = page.locator(".jp-Terminal:visible").evaluate(_RECT)
    with lab_held(page):
        page.reload(wait_until="commit")
        early = early_terminal(page)
        expect(early).to_contain_text("after-42")  # the shell went on
        assert early.evaluate(_RECT) == place
    expect(early).to_have_count(0)
    expect(page.locator(".jp-Terminal:visible")).to_have_count(1)

    page.route(EARLY, lambda route: route.abort())
    page.reload()
    student.wait_for_lesson()
    assert early_terminal(page).count() == 0
    page.unroute(EARLY)

    page.add_init_script(_WATCH)
    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    student.wait_for_lesson()
    assert page.evaluate("window.sawFirstView") is False
