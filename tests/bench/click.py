"""The browser's clock: from the click on "open" to 42 in the terminal, in real Chromium.

Each way has a person and a browser profile of its own, whose cache holds JupyterLab's files from
the round before, which is not counted: a server's files have its name in their address, so that
the same person opens the same server again and again, with a new container each time.

42 is seen in what the terminal's web socket brings; two frames of the page later it is drawn.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Error, Page, WebSocket, sync_playwright
from playwright.sync_api import TimeoutError as PatienceOver

from tests.bench.bench_hub import COURSE, LESSON, OURS, STOCK, BenchHub
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.hub.trial_hub import Student

PATIENCE_MS = 180_000
_TURN_MS = 200
_TWO_FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
_STDOUT = re.compile(r'"stdout"')
_IS_DRAWN = re.compile(r'"set_size"')
"""A terminal tells its size when it is there."""
_OUTPUT = re.compile(r"(?<!\d)42\s*(\\r|\\n)")


class ClickFailed(Exception):
    """42 did not appear."""


class Visitor:
    """One person with a browser profile that keeps its cache."""

    def __init__(self, browser: Browser, hub: BenchHub, way: str) -> None:
        self.way = way
        self.server = STOCK if way == "stock" else OURS
        self._hub = hub
        self.student: Student = hub.student(way)
        self._context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="en-US")
        self._context.set_default_timeout(PATIENCE_MS)
        self._said = ""
        self._socket: WebSocket | None = None
        self.page: Page = self._context.new_page()
        self.page.on("websocket", self._listen)
        self._log_in()

    def _log_in(self) -> None:
        self.page.goto(f"{self._hub.url}/hub/login")
        self.page.get_by_label("Username").or_(self.page.locator("#username_input")).first.fill(
            self.student.name
        )
        self.page.locator("#password_input").fill("a long password")
        self.page.locator("#login_submit, button[type=submit]").first.click()
        self.page.wait_for_url(re.compile(r"/(services/hexhub|hub/home)"))

    def _listen(self, socket: WebSocket) -> None:
        if "/terminals/websocket/" in socket.url:
            self._socket = socket
            socket.on("framereceived", self._hear)
            socket.on("framesent", self._hear)

    def _hear(self, payload: str | bytes) -> None:
        self._said += payload if isinstance(payload, str) else payload.decode(errors="replace")

    def prepare(self) -> None:
        """Go to the page with the button."""
        home = "/hub/home" if self.way == "stock" else f"/services/hexhub/courses/{COURSE}"
        self.page.goto(f"{self._hub.url}{home}")

    def click_to_42(self) -> float:
        """Click, type ``echo $((6*7))`` when a terminal shows what a shell says, wait for 42.

        The stock way clicks the terminal; ours has the keyboard by itself.

        Returns:
            Milliseconds.

        Raises:
            ClickFailed: It did not come to that.
        """
        self._said, self._socket = "", None
        began = time.perf_counter()
        try:
            if self.way == "stock":
                self.page.evaluate(
                    "address => { location.href = address }",
                    f"/hub/spawn/{self.student.name}/{STOCK}",
                )
                self.page.locator('.jp-LauncherCard[title*="terminal" i]').first.click()
                self.page.locator(".xterm-screen:visible").first.click()
            else:
                self.page.locator(f'a[href$="/lessons/{LESSON}/open"]').first.click()
            self._until(_STDOUT, "framereceived")
            self._until(_IS_DRAWN, "framesent")  # ours has the keyboard then
            self.page.keyboard.insert_text("echo $((6*7))")
            self.page.keyboard.press("Enter")
            self._until(_OUTPUT, "framereceived")
            self.page.evaluate(_TWO_FRAMES)
        except Error as exc:
            raise ClickFailed(str(exc).splitlines()[0]) from exc
        return (time.perf_counter() - began) * 1000

    def _until(self, wanted: re.Pattern[str], event: Literal["framereceived", "framesent"]) -> None:
        """Wait for what goes between page and shell; the page has enough to do."""
        ends_at = time.perf_counter() + PATIENCE_MS / 1000
        while wanted.search(self._said) is None:
            if time.perf_counter() > ends_at:
                raise ClickFailed(f"no {wanted.pattern} in: {self._said[-300:]!r}")
            # JupyterLab's terminal may have taken over from the one that is listened to.
            with suppress(PatienceOver):
                if self._socket is None:
                    self.page.wait_for_event("websocket", timeout=_TURN_MS)
                else:
                    self._socket.wait_for_event(event, timeout=_TURN_MS)

    def leave(self, *, removes: bool) -> None:
        """Leave the page and stop the server, with its container or without."""
        self.page.goto("about:blank")
        if removes:
            self._hub.remove(self.student, self.server)
        else:
            self._hub.stop(self.student, self.server)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a browser while the block lasts."""
    if not Path(CHROMIUM).exists():
        raise ClickFailed("Chromium is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()
