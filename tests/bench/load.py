"""How much a browser loads until a student can type, and how long that takes.

One lesson is opened in real Chromium with an empty cache, then again with what the first visit left
in it, several times each::

    make bench-load            or: python tests/bench/load.py [--visits N] [--lesson NAME]

Told for each visit: bytes over the wire, requests that were answered by a server and not by the
cache, and the seconds from the navigation to the first echo in the terminal of a key that was
pressed. The machine runs already: its start is another measurement (``make test-hub``).
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, WebSocket, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.student import Student
from tests.browser.system import System

KEY = "z"
TIMEOUT_S = 120.0


@dataclass
class Visit:
    """One opening of the page."""

    wire_bytes: int = 0
    requests: int = 0
    from_cache: int = 0
    echo_s: float = 0.0


def watch(page: Page, visit: Visit) -> None:
    """Count what the page loads from now on."""
    cached: set[str] = set()

    def answered(event: dict[str, Any]) -> None:
        response = event["response"]
        if response.get("fromDiskCache") or response.get("fromPrefetchCache"):
            cached.add(event["requestId"])

    def loaded(event: dict[str, Any]) -> None:
        if event["requestId"] in cached:
            visit.from_cache += 1
        else:
            visit.requests += 1
            visit.wire_bytes += int(event["encodedDataLength"])

    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.responseReceived", answered)
    session.on("Network.requestServedFromCache", lambda event: cached.add(event["requestId"]))
    session.on("Network.loadingFinished", loaded)


def echoes(payload: str | bytes) -> bool:
    """Tell whether a frame of a terminal's socket shows the key."""
    try:
        kind, *content = json.loads(payload)
    except (ValueError, TypeError):
        return False
    return kind == "stdout" and any(KEY in str(part) for part in content)


def open_and_type(context: BrowserContext, url: str) -> Visit:
    """Open the page and type until the terminal shows it."""
    page = context.new_page()
    visit = Visit()
    watch(page, visit)
    seen: list[float] = []
    pressed: list[float] = []

    def follow(socket: WebSocket) -> None:
        if "/terminals/websocket/" in socket.url:
            socket.on(
                "framereceived",
                lambda payload: (
                    seen.append(time.monotonic()) if pressed and echoes(payload) else None
                ),
            )

    page.on("websocket", follow)
    began_s = time.monotonic()
    page.goto(url, wait_until="commit")
    terminal = page.locator(".jp-Terminal .xterm-screen").first
    terminal.wait_for(timeout=TIMEOUT_S * 1000)
    terminal.click()
    while not seen:
        if time.monotonic() - began_s > TIMEOUT_S:
            raise SystemExit("The terminal showed nothing of what was typed.")
        pressed.append(time.monotonic())
        page.keyboard.press(KEY)
        page.wait_for_timeout(50)
    visit.echo_s = seen[0] - began_s
    # What is still on its way belongs to the visit.
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Control+u")
    page.close()
    return visit


def tell(name: str, visits: list[Visit]) -> None:
    """Print one line: medians of some visits."""
    middle = statistics.median
    print(
        f"{name:<12} {middle(v.wire_bytes for v in visits) / 1024**2:8.2f} MiB"
        f" {middle(v.requests for v in visits):8.0f}"
        f" {middle(v.from_cache for v in visits):8.0f}"
        f" {middle(v.echo_s for v in visits):8.2f} s"
        f"   ({min(v.echo_s for v in visits):.2f} to {max(v.echo_s for v in visits):.2f} s)"
    )


def measure(browser: Browser, system: System, visits: int, lesson: str) -> None:
    """Sign up, start the machine, and visit it with empty and with filled caches."""
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    context.set_default_timeout(TIMEOUT_S * 1000)
    page = context.new_page()
    student = Student(page, system.url, Path(tempfile.gettempdir()))
    student.sign_up("load-bench")
    page.goto(f"{system.url}/services/hexhub/courses/real-machine/lessons/{lesson}/open")
    student.wait_for_lesson()
    page.locator(".jp-Terminal .xterm-screen").first.wait_for()
    # The layout is kept in the machine a moment after it changed.
    with page.expect_response(lambda r: "/workspaces/" in r.url and r.request.method == "PUT"):
        page.keyboard.press("Control+b")
    url = page.url.partition("?")[0]
    cookies = context.storage_state()
    context.close()

    cold: list[Visit] = []
    warm: list[Visit] = []
    for _ in range(visits):
        # A context of its own has a cache of its own.
        fresh = browser.new_context(storage_state=cookies, viewport={"width": 1366, "height": 768})
        cold.append(open_and_type(fresh, url))
        warm.append(open_and_type(fresh, url))
        fresh.close()
    print(f"{'cache':<12} {'on the wire':>12} {'requests':>8} {'cached':>8} {'echo':>10}")
    tell("empty", cold)
    tell("filled", warm)


def main() -> None:
    """Start a HexHub of its own, measure, and remove it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visits", type=int, default=5)
    parser.add_argument("--lesson", default="shell")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hexhub-load-") as folder:
        system = System(Path(folder) / "state")
        try:
            system.start()
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
                measure(browser, system, options.visits, options.lesson)
                browser.close()
        finally:
            system.remove()


if __name__ == "__main__":
    main()
