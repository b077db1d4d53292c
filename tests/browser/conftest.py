"""A running HexHub and a real Chromium for the browser tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from .student import Student
from .system import REPOSITORY, System

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
expect.set_options(timeout=30_000)
SHOTS = REPOSITORY / "test-results" / "screenshots"


def tell_troubles(context: BrowserContext) -> None:
    """Print what goes wrong in the pages of a context; pytest shows it when the test fails."""
    context.on("requestfailed", lambda gone: print("not answered:", gone.url, gone.failure))
    context.on(
        "response",
        lambda answer: print(answer.status, answer.url) if answer.status >= 400 else None,
    )
    context.on("weberror", lambda thrown: print("thrown:", thrown.error, thrown.error.stack))
    context.on("console", lambda said: print("said:", said.text) if said.type == "error" else None)


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Give one running HexHub with the shipped course; students must not disturb each other."""
    running = System(tmp_path_factory.mktemp("hexhub") / "state")
    try:
        running.start()
        yield running
    finally:
        running.remove()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Give a real browser; where there is none the tests fail and say so."""
    assert CHROMIUM.exists(), "Chromium is missing: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Give a page of a fresh profile; what it showed last is kept when the test fails."""
    context = chromium.new_context(viewport={"width": 1366, "height": 768}, locale="en-US")
    context.set_default_timeout(30_000)
    tell_troubles(context)
    page = context.new_page()
    yield page
    SHOTS.mkdir(parents=True, exist_ok=True)
    for number, shown in enumerate(context.pages):
        shown.screenshot(path=str(SHOTS / f"last-{request.node.name}-{number}.png"))
    context.close()


@pytest.fixture
def student(page: Page, system: System, request: pytest.FixtureRequest) -> Student:
    """Give a new student who has signed up and sees the catalogue."""
    student = Student(page, system.url, SHOTS)
    name = request.node.name.removeprefix("test_").replace("_", "-")[:24].strip("-")
    student.sign_up(name)
    return student
