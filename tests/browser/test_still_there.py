"""What a student leaves is there when they come back."""

import re

from playwright.sync_api import Route, expect

from .student import Student
from .system import System

_MARKS = re.compile(r'(<div data-mark="[^"]*">).*?(</div>)', re.DOTALL)


def come_without_machines(route: Route) -> None:
    """Let the page come as it does where JupyterHub takes long to tell which machines run."""
    page = _MARKS.sub(r"\1\2", route.fetch().text())
    assert "data-stop" not in page
    late = page.replace('<main id="content"', '<main id="content" data-machines-to-come')
    route.fulfill(body=late, content_type="text/html; charset=utf-8")


def leave_and_return(student: Student) -> None:
    """Stop the machine on the course page, and open the lesson again."""
    page = student.page
    address = f"{student.url}/services/hexhub/courses/real-machine"
    page.route(address, come_without_machines)
    page.goto(address)
    page.get_by_role("button", name=re.compile("Stop the machine: The shell")).click()
    expect(page.get_by_role("button", name=re.compile("Stop the machine"))).to_have_count(0)
    student.open_lesson("The shell")


def test_machine_and_progress_survive_a_stop(student: Student) -> None:
    """After a stop the same container comes back, with files outside of home and the progress."""
    student.open_lesson("The shell")
    student.type("cd ~/work; mkdir -p logs data notes; mv inbox/*.log logs/; mv inbox/*.csv data/")
    student.type("mv inbox/*.txt inbox/.*.txt notes/; rmdir inbox; echo kept > /var/tmp/kept")
    student.check("passed")
    student.expect_progress(1, 4)
    before = student.machine()
    leave_and_return(student)
    assert student.machine() == before
    assert student.in_machine("cat", "/var/tmp/kept").stdout == "kept\n"
    student.expect_progress(1, 4)
    student.type("echo again > /var/tmp/again")


def test_a_killed_hub_costs_nothing(student: Student, system: System) -> None:
    """Killed with -9 and started again, the hub finds the running machine; checks go on."""
    student.open_lesson("The shell")
    student.type("echo kept > /var/tmp/kept")
    before = student.machine()
    system.kill_hub()
    student.type("echo typed > /var/tmp/typed")
    student.check("failed")
    student.page.reload()
    student.wait_for_lesson()
    assert student.machine() == before
    leave_and_return(student)
    assert student.machine() == before
    assert student.in_machine("cat", "/var/tmp/kept").stdout == "kept\n"
