"""What a student does in the browser, in the student's words."""

import re
import subprocess
from pathlib import Path
from typing import Self

from playwright.sync_api import Locator, Page, Response, Route, expect

from hexhub.names import machine_name

PASSWORD = "correct-horse-battery-staple"
OPEN_MS = 90_000
CHECK_MS = 90_000
_IDE = re.compile(r"/user/[^/]+/[^/]+/(lab|doc)\b")
_MARK_SPOKEN = "document.querySelector('.hx-spoken[role=status] > span').dataset.isOld = 'yes'"
# Each thing that is said has an element of its own, and what is said first of a check comes with
# its Cancel: once another element stands there, no Cancel means that the check has ended. Cancel
# itself may never be drawn, where a check takes less time than a busy computer draws in.
_HAS_ENDED = """() => document.querySelector('.hx-panel .hx-cancel') === null
  && document.querySelector('.hx-spoken[role=status] > span').dataset.isOld === undefined"""

# As JupyterLab asks; without its token the server takes it for a page of somebody else.
_ASK = """address => fetch(address, {headers: {'X-XSRFToken': document.cookie.split('; ')
  .filter(cookie => cookie.startsWith('_xsrf=')).at(-1)?.slice(6) ?? ''}}).then(a => a.json())"""


def hold_start(page: Page, lesson: str) -> None:
    """Let the start of a lesson's machine be under way for ever, so that the page waits for it."""
    waiting = {"version": 1, "state": "starting", "url": None, "progress": 40, "message": None}

    def hold(route: Route) -> None:
        if route.request.method == "POST":
            route.fulfill(json=waiting)
        # What asks how far it is gets no answer.

    page.route(re.compile(rf"/api/.*/{lesson}/(open|server)"), hold)


def _took_attempt(answer: Response) -> bool:
    """Tell whether this is the answer to a press of Check."""
    return "/attempts?key=" in answer.url and answer.ok


class Student:
    """One person at one page of one browser."""

    def __init__(self, page: Page, url: str, shots: Path) -> None:
        self.page = page
        self.url = url
        self.name = ""
        self._shots = shots
        self._commands = 0

    def on(self, page: Page) -> "Student":
        """Give the same person at another page."""
        other = Student(page, self.url, self._shots)
        other.name = self.name
        other._commands = 1000
        return other

    def shot(self, name: str) -> None:
        """Leave a screenshot."""
        self._shots.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(self._shots / f"{name}.png"))

    def sign_up(self, name: str) -> None:
        """Come to the front page, sign up, and see the catalogue."""
        self.name = name
        self.page.goto(self.url)
        self.page.get_by_role("link", name="Sign up").click()
        self.page.get_by_label("User name").fill(name)
        self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        self.page.get_by_role("button", name="Sign up").click()
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(name)

    def open_lesson(self, title: str) -> None:
        """Choose a lesson in the catalogue and wait until its panel is there."""
        self.page.goto(f"{self.url}/services/hexhub/")
        self.page.get_by_role("link", name=re.compile(re.escape(title))).last.click()
        self.wait_for_lesson()

    def wait_for_lesson(self) -> None:
        """Wait for JupyterLab with the lesson panel; a phone's page may be at ``/doc``."""
        self.page.wait_for_url(_IDE, timeout=OPEN_MS)
        expect(self.panel.locator(".hx-step-head").first).to_be_visible(timeout=OPEN_MS)

    @property
    def panel(self) -> Locator:
        """The lesson panel."""
        return self.page.locator(".hx-panel")

    @property
    def outcome(self) -> Locator:
        """The result that is shown at the open step."""
        return self.panel.locator(".hx-outcome")

    def focus_terminal(self) -> None:
        """Click into the terminal."""
        terminal = self.page.locator(".jp-Terminal:visible .xterm-screen").first
        tab = self.page.locator(".lm-TabBar-tab", has_text=re.compile("Terminal|@")).first
        if not terminal.is_visible():
            tab.click()
        terminal.click()

    def type(self, command: str, timeout_s: float = 60.0) -> None:
        """Type a command into the terminal and wait until the shell has run it.

        The end is seen by a file that the shell writes, since the terminal draws on a canvas.
        """
        self._commands += 1
        mark = f"/tmp/.ran-{self._commands}"
        self.focus_terminal()
        self.page.keyboard.insert_text(f"{command}; touch {mark}")
        self.page.keyboard.press("Enter")
        # One process in the machine that looks again and again, not many that look once.
        look = ("sh", "-c", 'until [ -e "$0" ]; do sleep 0.1; done', mark)
        seen = self.in_machine("timeout", f"{timeout_s:g}", *look)
        assert seen.returncode == 0, f"the terminal did not run: {command}\n{seen.stderr}"

    def machine(self) -> str:
        """Give the name of the container whose page this is."""
        found = re.search(r"/user/([^/]+)/([^/]+)/", self.page.url)
        assert found is not None, self.page.url
        listed = subprocess.run(
            [
                *("docker", "ps", "--all", "--format", '{{.Names}} {{.Label "hexhub.hub"}}'),
                *("--filter", "label=hexhub.kind=student"),
            ],
            check=True,
            capture_output=True,
            text=True,
        )
        # Whichever hub's it is: its id makes the name.
        pairs = [line.split() for line in listed.stdout.splitlines()]
        names = [name for name, hub in pairs if name == machine_name(hub, found[1], found[2])]
        assert len(names) == 1, f"containers of {found[0]}: {names}"
        return names[0]

    def in_machine(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Look into the container from outside."""
        return subprocess.run(
            ["docker", "exec", self.machine(), *command],
            check=False,
            capture_output=True,
            text=True,
        )

    def machine_has(self, path: str) -> bool:
        """Tell whether a file is in the container."""
        return self.in_machine("test", "-e", path).returncode == 0

    def check(self, expected: str) -> Self:
        """Press Check and wait for the result of this very press: passed, failed, error …"""
        button = self.panel.locator(".hx-check")
        expect(button).to_have_attribute("aria-disabled", "false")
        self.page.evaluate(_MARK_SPOKEN)
        with self.page.expect_response(_took_attempt, timeout=CHECK_MS) as taken:
            button.click()
        attempt = taken.value.json()
        self.page.wait_for_function(_HAS_ENDED, timeout=CHECK_MS)
        address = taken.value.url.split("/hexhub/")[0] + f"/hexhub/attempts/{attempt['id']}"
        done = self.page.evaluate(_ASK, address)
        assert done.get("state") == "done", done
        assert done["outcome"]["outcome"] == expected, done["outcome"]
        if expected != "passed":  # then another step is unfolded
            shown = self.panel.locator(f".hx-unfolded .hx-outcome-{expected}")
            expect(shown.first).to_be_visible()
        return self

    def expect_cancelled(self) -> None:
        """See and hear that the check is cancelled, with the focus on Check; it can be pressed."""
        panel = self.panel
        says = "You cancelled this check; it does not count."
        expect(panel.locator(".hx-outcome-cancelled")).to_contain_text(says, timeout=CHECK_MS)
        expect(panel.locator('[role="status"].hx-spoken')).to_have_text("Cancelled.")
        expect(panel.locator(".hx-cancel")).to_have_count(0)
        check = panel.locator(".hx-check")
        expect(check).to_have_text("Check again")
        expect(check).to_have_attribute("aria-disabled", "false")
        expect(check).to_be_focused()

    def expect_progress(self, passed: int, total: int) -> None:
        """See that many steps ticked."""
        expect(self.panel.locator(".hx-progress-text")).to_have_text(
            re.compile(rf"^{passed} of {total} steps?$"), timeout=CHECK_MS
        )

    def expect_step(self, title: str) -> None:
        """See that this step is unfolded."""
        expect(
            self.panel.locator('.hx-step-head[aria-expanded="true"] .hx-step-title')
        ).to_contain_text(title)
