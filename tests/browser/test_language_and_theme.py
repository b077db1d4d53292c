"""JupyterLab itself speaks the student's language, and is as light or dark as their system."""

import re
from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from .conftest import SHOTS, tell_troubles
from .first_view import early_terminal, lab_held
from .palette import run_command
from .phone import WIDE
from .student import OPEN_MS, Student
from .system import System

Scheme = Literal["light", "dark"]
OpenShell = Callable[[str, Scheme, str], Student]
BACKGROUND = {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 17, 17)"}
RUSSIAN_MENUS = ["Файл", "Редактировать", "Просмотр", "Выполнить", "Ядро"]


@pytest.fixture
def open_shell(chromium: Browser, system: System) -> Iterator[OpenShell]:
    """Give what signs a student up whose system is light or dark, and opens the first lesson."""
    contexts = []

    def open_in(name: str, scheme: Scheme, locale: str) -> Student:
        context = chromium.new_context(viewport=WIDE, locale="en-US", color_scheme=scheme)
        contexts.append(context)
        context.set_default_timeout(30_000)
        tell_troubles(context)
        page = context.new_page()
        student = Student(page, system.url, SHOTS)
        student.sign_up(name)
        cookie = {"name": "hexhub_locale", "value": locale, "url": f"{system.url}/"}
        context.add_cookies([cookie])
        open_lesson(student, "shell", scheme)
        return student

    yield open_in
    for context in contexts:
        context.close()


def open_lesson(student: Student, lesson: str, scheme: Scheme) -> None:
    """Open a lesson, and see how light it is before JupyterLab and in it."""
    page = student.page
    with lab_held(page):
        page.goto(f"{student.url}/services/hexhub/courses/real-machine/lessons/{lesson}/open")
        expect(early_terminal(page)).to_be_visible(timeout=OPEN_MS)
        early = page.locator(".hx-early")
        assert early.evaluate("e => getComputedStyle(e).backgroundColor") == BACKGROUND[scheme]
    student.wait_for_lesson()
    expect_theme(page, scheme)


def expect_theme(page: Page, scheme: Scheme) -> None:
    """See that JupyterLab is light, or dark."""
    is_light = "true" if scheme == "light" else "false"
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", is_light)


def test_a_russian_in_the_dark(open_shell: OpenShell) -> None:
    """Before JupyterLab and in it; what is chosen there stays; English comes with the next page."""
    student = open_shell("pushkin", "dark", "ru")
    page = student.page
    menus = page.locator(".lm-MenuBar-item")
    expect(menus.filter(has_text=re.compile("Файл|Ядро"))).to_have_count(2)
    assert menus.all_inner_texts()[: len(RUSSIAN_MENUS)] == RUSSIAN_MENUS
    expect(page.locator("html")).to_have_attribute("lang", re.compile("ru"))
    student.shot("russian-dark")

    run_command(page, "Светлая JupyterLab")
    expect_theme(page, "light")
    student.panel.get_by_role("button", name="EN", exact=True).click()
    expect(student.panel).to_have_attribute("lang", "en")
    page.reload()
    student.wait_for_lesson()
    expect(menus.filter(has_text="Kernel")).to_have_count(1)
    expect_theme(page, "light")


def test_a_theme_is_chosen_once(open_shell: OpenShell) -> None:
    """The first choice is taken, though the system was followed, and holds in all lessons."""
    student = open_shell("lovelace", "light", "en")
    page = student.page
    run_command(page, "JupyterLab Dark")
    expect_theme(page, "dark")
    page.reload()
    student.wait_for_lesson()
    expect_theme(page, "dark")
    # Another lesson is another machine.
    open_lesson(student, "web-server", "dark")
    # A change of the system's changes nothing any more.
    page.emulate_media(color_scheme="dark")
    page.emulate_media(color_scheme="light")
    expect_theme(page, "dark")


def test_the_system_is_followed(open_shell: OpenShell) -> None:
    """Who has chosen nothing goes dark with their system in the evening."""
    student = open_shell("hopper", "light", "en")
    student.page.emulate_media(color_scheme="dark")
    expect_theme(student.page, "dark")
