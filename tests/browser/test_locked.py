"""What is locked stays with the author: neither browser nor machine gets it before its time."""

import subprocess

import pytest
from playwright.sync_api import Page, expect

from .conftest import SHOTS
from .locked_texts import LockedTexts, Received, find_in_machine
from .student import Student
from .system import REPOSITORY, System

LESSONS = REPOSITORY / "courses" / "real-machine" / "lessons"
COMMANDS = "lesson steps; lesson task; lesson solution"


def plant(machine: str, line: str) -> None:
    """Put a line into a file of the machine, and into the environment of a student's process."""
    in_file = ["docker", "exec", "--interactive", "--user", "0", machine, "tee", "/etc/planted"]
    subprocess.run(in_file, input=line, check=True, capture_output=True, text=True)
    in_process = ["docker", "exec", "--detach", "--env", f"PLANTED={line}", machine, "sleep", "600"]
    subprocess.run(in_process, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("name", "title", "first_step", "commands"),
    [
        ("shell", "The shell", "tidy", COMMANDS),
        ("python-module", "A Python module", "price", COMMANDS),
        ("measurements", "Measurements", "clean", ""),
    ],
)
def test_what_is_locked_stays_with_the_author(
    page: Page, system: System, name: str, title: str, first_step: str, commands: str
) -> None:
    """Hints that were not taken, tasks of later steps, hidden tests, the solution and known wrong
    answers: a student who reads, takes the first hint, fails and comes back has none of them."""
    locked = LockedTexts(LESSONS / name, first_step, seen=commands)
    received = Received(page)
    student = Student(page, system.url, SHOTS)
    student.sign_up(f"locked-{name}")
    student.open_lesson(title)
    panel = student.panel
    panel.get_by_role("button", name="Hint 1 of 2").click()
    expect(panel.locator(".hx-hint")).to_have_count(1)
    if commands:
        student.type(commands)
    student.check("failed")
    received.settle()
    page.reload()
    student.wait_for_lesson()
    expect(panel.locator(".hx-hint")).to_have_count(1)
    expect(panel.locator(".hx-outcome-failed")).to_be_visible()
    received.settle()
    machine = student.machine()

    assert received.missed == set()
    assert received.find(locked.open_lines) == locked.open_lines.keys()
    assert received.find(locked.lines) == set()
    assert find_in_machine(machine, locked.lines.values()) == set()

    # What is searched for would be found: once it is given out, and where it is put.
    panel.get_by_role("button", name="Hint 2 of 2").click()
    expect(panel.locator(".hx-hint")).to_have_count(2)
    received.settle()
    assert received.find(locked.lines) == {locked.second_hint}
    plant(machine, locked.lines[locked.second_hint])
    assert find_in_machine(machine, locked.lines.values()) == {"/etc/planted", "environ"}
