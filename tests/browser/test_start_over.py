"""A machine that was spoilt is begun anew, and the old one can be had back."""

from playwright.sync_api import expect

from .student import OPEN_MS, Student

FILES = ("/home/student/work/mine.txt", "/var/tmp/mine")


def press_and_return(student: Student, button: str, sure: str) -> None:
    """Press a button of "Start over", say yes, and wait for the lesson on the other machine."""
    panel = student.panel
    panel.get_by_text("Start over").click()
    panel.get_by_role("button", name=button).click()
    with student.page.expect_navigation(url="**/open", timeout=OPEN_MS):
        panel.get_by_role("group", name="Are you sure?").get_by_role("button", name=sure).click()
    student.wait_for_lesson()


def test_a_machine_is_reset_and_the_reset_undone(student: Student) -> None:
    """The new machine has nothing of the student's, and undo brings all of it back."""
    student.open_lesson("The shell")
    student.type(f"for file in {' '.join(FILES)}; do echo mine > $file; done")
    student.check("failed")
    press_and_return(student, "Reset the whole machine", "Reset the whole machine")
    assert not any(student.machine_has(file) for file in FILES)
    assert student.machine_has("/home/student/work/inbox/todo.txt")
    # Progress is no part of the machine.
    expect(student.panel.locator(".hx-outcome-failed")).to_be_visible()
    press_and_return(student, "Undo the reset", "Take the machine of before back")
    assert all(student.machine_has(file) for file in FILES)
