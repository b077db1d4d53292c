"""Two tabs of one lesson are one student."""

import sqlite3

from playwright.sync_api import expect

from .student import Student
from .system import System


def test_both_tabs_show_the_one_attempt(student: Student, system: System) -> None:
    """Check pressed in two tabs at once makes one attempt, and both tabs show its result."""
    student.open_lesson("The shell")
    other = student.on(student.page.context.new_page())
    other.page.goto(student.page.url)
    other.wait_for_lesson()
    press = "document.querySelector('.hx-check').click()"
    for tab in (student, other):
        tab.page.evaluate(f"setTimeout(() => {{ {press} }}, 300)")
    for tab in (student, other):
        expect(tab.panel.locator(".hx-outcome-failed").first).to_be_visible(timeout=60_000)
    with sqlite3.connect(system.state / "hexhub.sqlite") as database:
        found = database.execute(
            "SELECT count(*) FROM attempt WHERE user_name = ?", (student.name,)
        ).fetchone()
    assert found == (1,)
