"""What cannot be had is refused in a sentence that a student understands."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from .conftest import SHOTS
from .docker_gate import DockerGate
from .student import Student
from .system import System


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[DockerGate]:
    gate = DockerGate(tmp_path / "docker.sock")
    gate.open()
    yield gate
    gate.close()


def test_docker_not_running(page: Page, gate: DockerGate, tmp_path: Path, system: System) -> None:
    """With Docker gone the waiting page says so, and Try again works once it is back."""
    cut_off = System(tmp_path / "state", {"DOCKER_HOST": f"unix://{gate.path}"}, system)
    try:
        cut_off.start()
        student = Student(page, cut_off.url, SHOTS)
        student.sign_up("docker-gone")
        gate.shut()
        page.goto(f"{cut_off.url}/services/hexhub/courses/real-machine/lessons/shell/open")
        expect(page.locator(".failure-reason")).to_contain_text("Docker is not running")
        student.shot("docker-not-running")
        gate.open()
        page.get_by_role("button", name="Try again").click()
        student.wait_for_lesson()
    finally:
        gate.shut()
        gate.open()
        cut_off.remove()


def test_unknown_lesson(student: Student) -> None:
    """A lesson that does not exist is a page that says so and leads on."""
    page = student.page
    response = page.goto(f"{student.url}/services/hexhub/courses/real-machine/lessons/nope/open")
    assert response is not None
    assert response.status == 404
    expect(page.get_by_text("This course has no such lesson.")).to_be_visible()
    student.shot("unknown-lesson")
    page.get_by_role("link", name="Go to the courses").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(student.name)


@pytest.mark.parametrize(
    ("name", "password", "says"),
    [
        ("short-one", "abc", "too short"),
        ("easy-one", "password123", "easy to guess"),
        ("Ünicode", "correct-horse-battery", "This name cannot be used"),
    ],
)
def test_sign_up_is_refused_with_the_reason(
    page: Page, system: System, name: str, password: str, says: str
) -> None:
    """A bad name or password is refused with what is wrong, and nothing is made."""
    page.goto(system.url)
    page.get_by_role("link", name="Sign up").click()
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("alert")).to_contain_text(says)
