"""Screenshots of what students see, for the docs and for looking at it::

    make screenshots         or: python -m tests.browser.screenshots [--all]

A HexHub of its own is started, one student signs up and does part of two lessons, and a few
pictures go to ``docs/screenshots``, with at most 256 colours. With ``--all`` every page, light and
dark, wide and narrow, English and Russian, goes to ``test-results/looks``.
"""

import argparse
import re
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, expect, sync_playwright

from .conftest import ARGUMENTS, CHROMIUM
from .first_view import early_terminal, lab_held
from .palette import run_command
from .phone import NARROW, WIDE
from .small_png import shrink_png
from .student import OPEN_MS, Student, hold_start
from .system import REPOSITORY, System

DOCS = REPOSITORY / "docs" / "screenshots"
LOOKS = REPOSITORY / "test-results" / "looks"
FOR_DOCS = {
    "catalogue": "catalogue-wide-light",
    "course": "course-wide-light",
    "waiting": "waiting-wide-light",
    "recorded": "recorded-wide-light",
    "first-view": "first-view-wide-light",
    "lesson": "failed-wide-light",
    "lesson-dark": "failed-wide-dark",
    "lesson-russian": "russian-wide-light",
    "lesson-narrow": "failed-narrow-light",
    "lesson-narrow-dark": "failed-narrow-dark",
}
"""Name in the docs → name among all."""
RECEIPT = '''\
"""A till: a basket goes in, a receipt comes out. Amounts are whole cents."""


def parse_price(text):
    """Turn a price as people write it into whole cents."""
    euros = text.strip().replace(",", ".")
    return int(float(euros) * 100)
'''

Scheme = Literal["light", "dark"]


class Camera:
    """Takes pictures of one page, in all sizes and both schemes where that is wanted."""

    def __init__(self, page: Page, *, takes_all: bool) -> None:
        self._page = page
        self._takes_all = takes_all
        LOOKS.mkdir(parents=True, exist_ok=True)

    def shoot(self, scene: str, size: str, scheme: Scheme, locale: str = "en") -> None:
        """Take the page as it is now."""
        name = f"{scene}-{size}-{scheme}" + ("" if locale == "en" else f"-{locale}")
        if self._takes_all or name in FOR_DOCS.values():
            self._page.mouse.move(0, 0)
            self._page.screenshot(path=LOOKS / f"{name}.png", animations="disabled")

    @property
    def _locales(self) -> tuple[str, ...]:
        """The languages, English last, in which the next page is to be."""
        return ("ru", "en") if self._takes_all else ("en",)

    def shoot_page(self, scene: str) -> None:
        """Take one of HexHub's own pages."""
        for locale in self._locales:
            if self._takes_all:
                self._page.locator(f".languages a[lang={locale}]").click()
                expect(self._page.locator("html")).to_have_attribute("lang", locale)
            for size, viewport in (("narrow", NARROW), ("wide", WIDE)):
                self._page.set_viewport_size(viewport)
                for scheme in ("dark", "light"):
                    self._page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                    self.shoot(scene, size, scheme, locale)  # type: ignore[arg-type]

    def shoot_lab(self, scene: str) -> None:
        """Take JupyterLab, whose theme is a setting."""
        for locale in self._locales:
            if self._takes_all:
                panel = self._page.locator(".hx-panel")
                panel.get_by_role("button", name=locale.upper(), exact=True).click()
                expect(panel).to_have_attribute("lang", locale)
            for scheme in ("dark", "light"):
                self._shoot_lab_in(scene, scheme, locale)  # type: ignore[arg-type]

    def _shoot_lab_in(self, scene: str, scheme: Scheme, locale: str) -> None:
        set_theme(self._page, "JupyterLab Dark" if scheme == "dark" else "JupyterLab Light")
        self._show_outcome()
        self.shoot(scene, "wide", scheme, locale)
        self._page.set_viewport_size(NARROW)
        buttons = self._page.locator(".hx-status button")
        expect(buttons).to_have_count(3)
        self._show_outcome()
        self.shoot(scene, "narrow", scheme, locale)
        buttons.last.click()
        self.shoot(f"{scene}-terminal", "narrow", scheme, locale)
        self._page.set_viewport_size(WIDE)
        expect(self._page.locator("#jp-right-stack .hx-panel")).to_be_visible()

    def _show_outcome(self) -> None:
        outcome = self._page.locator(".hx-panel .hx-outcome")
        if outcome.count():
            outcome.first.evaluate("outcome => outcome.scrollIntoView({block: 'start'})")


def set_theme(page: Page, theme: str) -> None:
    """Choose a theme in the palette of commands."""
    run_command(page, theme)
    is_light = "false" if "Dark" in theme else "true"
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", is_light)


def shoot_waiting(student: Student, camera: Camera) -> None:
    """Look at the page that waits for a machine."""
    page = student.page
    hold_start(page, "database")
    page.goto(f"{student.url}/services/hexhub/courses/real-machine/lessons/database/open")
    expect(page.locator(".meter-fill")).to_have_attribute("width", "40%")
    camera.shoot_page("waiting")


def shoot_python(student: Student, camera: Camera) -> None:
    """Write part of a module, and have it checked."""
    page = student.page
    with lab_held(page):
        page.goto(f"{student.url}/services/hexhub/courses/real-machine/lessons/python-module/open")
        expect(early_terminal(page)).to_contain_text("lesson hint", timeout=OPEN_MS)
        camera.shoot("first-view", "wide", "light")
    student.wait_for_lesson()
    expect(page.locator(".jp-Terminal .xterm-screen").first).to_be_visible()
    expect(page.locator(".jp-FileEditor .cm-content").first).to_be_visible()
    camera.shoot_lab("opened")
    student.panel.get_by_role("button", name="I have read this").click()
    page.locator(".lm-TabBar-tab", has_text=re.compile("^receipt.py$")).first.click()
    editor = page.locator(".jp-FileEditor:visible .cm-content").first
    editor.click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(RECEIPT)
    page.keyboard.press("ControlOrMeta+s")
    expect(page.locator(".jp-mod-dirty")).to_have_count(0)
    student.focus_terminal()
    page.keyboard.insert_text("lesson check")
    page.keyboard.press("Enter")
    expect(student.panel.locator(".hx-outcome-failed")).to_be_visible()
    student.in_machine("sh", "-c", "while pgrep -f '[l]esson check'; do sleep 0.1; done")
    camera.shoot_lab("failed")


def shoot_web(student: Student, camera: Camera) -> None:
    """Serve the page of the web server's lesson and look at it."""
    page = student.page
    student.open_lesson("A web server")
    student.type("cd ~/work/site; (python3 -m http.server 8000 > /tmp/served 2>&1 &)")
    student.panel.get_by_role("button", name="Your site").click()
    expect(page.frame_locator(".hx-preview iframe").locator("body")).not_to_be_empty()
    camera.shoot_lab("preview")


def shoot_russian(student: Student, camera: Camera) -> None:
    """Come back to a lesson in Russian."""
    page = student.page
    speak(page, student.url, "ru")
    page.goto(f"{student.url}/services/hexhub/courses/real-machine/lessons/python-module/open")
    student.wait_for_lesson()
    expect(page.locator(".jp-Terminal .xterm-screen").first).to_be_visible()
    camera.shoot("russian", "wide", "light")
    speak(page, student.url, "en")


def speak(page: Page, url: str, locale: str) -> None:
    """Choose a language as HexHub's pages do."""
    page.context.add_cookies([{"name": "hexhub_locale", "value": locale, "url": f"{url}/"}])


def shoot_all(browser: Browser, system: System, *, takes_all: bool) -> None:
    """Be the student."""
    context = browser.new_context(viewport=WIDE, locale="en-US")
    context.set_default_timeout(60_000)
    page = context.new_page()
    camera = Camera(page, takes_all=takes_all)
    student = Student(page, system.url, LOOKS)
    student.sign_up("ada")
    camera.shoot_page("catalogue")
    shoot_waiting(student, camera)
    page.emulate_media(color_scheme="light")
    shoot_python(student, camera)
    shoot_web(student, camera)
    shoot_russian(student, camera)
    page.goto(f"{system.url}/services/hexhub/courses/real-machine")
    camera.shoot_page("course")
    page.goto(f"{system.url}/services/hexhub/recorded")
    camera.shoot_page("recorded")
    context.close()


def main() -> None:
    """Start a HexHub, take the pictures, and remove it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="also what the docs do not show")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hexhub-screenshots-") as folder:
        system = System(Path(folder) / "state")
        try:
            system.start()
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
                shoot_all(browser, system, takes_all=options.all)
                browser.close()
        finally:
            system.remove()
    for name, source in FOR_DOCS.items():
        small = shrink_png((LOOKS / f"{source}.png").read_bytes())
        (DOCS / f"{name}.png").write_bytes(small)
        print(f"docs/screenshots/{name}.png: {len(small) // 1024} kB")


if __name__ == "__main__":
    main()
