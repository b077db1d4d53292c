"""Courses prove themselves, are published whole or not at all, and the CLI says what is wrong."""

import json
from pathlib import Path

import docker
import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from hexhub.catalog.published import PublishedCatalog
from hexhub.checks.model import OutcomeKind
from hexhub.checks.sandbox import Sandbox
from hexhub.checks.schemas import read_outcome_schema
from hexhub.cli.main import main
from hexhub.errors import AnswerUnusable, CourseNotFound, SolutionFails, StepNotFound
from hexhub.usecases.check_answer import check_answer
from hexhub.usecases.publish_course import publish_course
from hexhub.usecases.verify_course import Verification, verify_course

from .small_course import WITHOUT_WRONG, write_course

FUNCTION = "test_function::test_whole"
BROKEN_SOLUTION = {"solution/greet.py": "def greet(name): return 'Hello'\n"}


def verify(sandbox: Sandbox, folder: Path) -> Verification:
    return verify_course(sandbox, folder, say=str)


def problems(verification: Verification) -> dict[tuple[str, str], str]:
    return {(p.answer, p.step): p.problem or "" for p in verification.problems}


def test_a_good_course_is_right(sandbox: Sandbox, tmp_path: Path) -> None:
    """Starter fails, solution passes, wrong answers fail where they say; nothing else is said."""
    shown: list[str] = []
    verification = verify_course(
        sandbox, write_course(tmp_path), say=str, on_finding=lambda f: shown.append(f.answer)
    )
    assert problems(verification) == {}
    assert verification.is_right
    assert [(f.answer, f.step) for f in verification.findings] == [
        ("starter", "function"),
        ("starter", "server"),
        ("solution", "function"),
        ("solution", "server"),
        ("wrong/no-comma", "function"),
        ("wrong/no-mark", "server"),
    ]
    assert shown == [f.answer for f in verification.findings]


def test_a_broken_solution_is_named(sandbox: Sandbox, tmp_path: Path) -> None:
    """A solution that fails is red with lesson, step, test and message."""
    folder = write_course(tmp_path, {**WITHOUT_WRONG, **BROKEN_SOLUTION})
    found = problems(verify(sandbox, folder))
    assert set(found) == {("solution", "function")}
    problem = found["solution", "function"]
    assert f"{FUNCTION} failed" in problem
    assert "test_function::test_name failed: The name is missing." in problem


def test_a_starter_that_passes_and_a_hint_without_its_test_are_named(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """A step that asks for nothing is red, and so is a hint behind a misspelt test: it never opens."""
    folder = write_course(tmp_path, {**WITHOUT_WRONG, "starter/mark": ""})
    path = folder / "lessons/greet/lesson.yml"
    path.write_text(path.read_text().replace("::test_name", "::test_nmae"))
    assert set(problems(verify(sandbox, folder))) == {("starter", "server"), ("hints", "function")}


WRONG_EXPECTATIONS: dict[str, str | None] = {
    "wrong/passes/greet.py": "def greet(name): return f'Hello, {name}!'\n",
    "wrong/passes/expect.yml": f"fails: {{function: [{FUNCTION}]}}\n",
    "wrong/empty/greet.py": "def greet(name): return ''\n",
    "wrong/empty/expect.yml": f"fails: {{function: [{FUNCTION}]}}\n",
    "wrong/no-comma/expect.yml": "fails: {function: [test_function::test_no]}\n",
    "wrong/no-mark/solve.sh": "echo oh no; exit 3\n",
}
"""Wrong answers that fail less, more and other tests than they say, and one whose script breaks."""


def test_a_wrong_answer_must_fail_exactly_there(sandbox: Sandbox, tmp_path: Path) -> None:
    """More, fewer or other failing tests, and scripts that break, are red at their place."""
    found = problems(verify(sandbox, write_course(tmp_path, WRONG_EXPECTATIONS)))
    words = {
        ("wrong/passes", "function"): f"pass and should fail: {FUNCTION}",
        ("wrong/empty", "function"): "fail and should pass: test_function::test_name",
        ("wrong/no-comma", "function"): "no such tests: test_function::test_no",
        ("wrong/no-mark", "server"): "ended with exit code 3. It printed:\noh no",
    }
    assert set(found) == set(words)
    for place, problem in found.items():
        assert words[place] in problem


def test_a_solution_whose_script_breaks_is_named(sandbox: Sandbox, tmp_path: Path) -> None:
    """Each step of it is red, with what the script ended with."""
    folder = write_course(tmp_path, {**WITHOUT_WRONG, "solution/solve.sh": "exit 1\n"})
    found = problems(verify(sandbox, folder))
    assert set(found) == {("solution", "function"), ("solution", "server")}
    assert "solve.sh of solution ended with exit code 1" in found["solution", "function"]


@pytest.mark.parametrize(
    ("step", "answer", "kind"),
    [
        ("function", "starter", OutcomeKind.FAILED),
        ("server", "solution", OutcomeKind.PASSED),
        ("server", "wrong/no-mark", OutcomeKind.FAILED),
    ],
)
def test_an_answer_is_tried(
    sandbox: Sandbox, tmp_path: Path, step: str, answer: str, kind: OutcomeKind
) -> None:
    """Each named answer is laid in, its script is run, and the worker's own check judges it.

    The other answers are tried below, among unfinished lessons and by the command.
    """
    lesson = write_course(tmp_path) / "lessons/greet"
    assert check_answer(sandbox, lesson, step, answer, say=str).kind is kind


def test_a_folder_is_an_answer(sandbox: Sandbox, tmp_path: Path) -> None:
    """Any folder is laid over the starter, and its solve.sh is run."""
    lesson = write_course(tmp_path) / "lessons/greet"
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "solve.sh").write_text("touch mark\n")
    assert check_answer(sandbox, lesson, "server", str(mine), say=str).is_pass


def test_other_lessons_may_be_unfinished(sandbox: Sandbox, tmp_path: Path) -> None:
    """An author tries one lesson while another is still being written."""
    folder = write_course(tmp_path)
    path = folder / "course.yml"
    path.write_text(path.read_text().replace("[greet]", "[greet, later]"))
    (folder / "lessons/later").mkdir()
    assert check_answer(sandbox, folder / "lessons/greet", "function", "solution", say=str).is_pass


@pytest.mark.parametrize(
    ("step", "answer", "error", "words"),
    [
        ("none", "starter", StepNotFound, "It has: function, server, read"),
        ("function", "wrong/none", AnswerUnusable, "It has: wrong/no-comma, wrong/no-mark"),
        ("function", "nowhere", AnswerUnusable, "starter, solution, wrong/NAME"),
    ],
)
def test_what_is_not_there_is_named(
    sandbox: Sandbox, tmp_path: Path, step: str, answer: str, error: type[Exception], words: str
) -> None:
    """An unknown step or answer ends with what there is."""
    lesson = write_course(tmp_path) / "lessons/greet"
    with pytest.raises(error, match=words):
        check_answer(sandbox, lesson, step, answer, say=str)


def test_a_course_is_published_with_its_tests(sandbox: Sandbox, tmp_path: Path) -> None:
    """Students see what was published, and every test of the solution is expected."""
    folder = write_course(tmp_path)
    catalog = PublishedCatalog(tmp_path / "catalog")
    course, is_new = publish_course(sandbox, catalog, folder, say=str)
    assert is_new
    assert catalog.course("small").version == course.version
    expected = catalog.expected_tests("small", course.version, "greet", "function")
    assert expected == ("test_function::test_name", FUNCTION)
    assert catalog.expected_tests("small", course.version, "greet", "read") is None
    assert publish_course(sandbox, catalog, folder, say=str)[1] is False


def test_nothing_is_half_published(sandbox: Sandbox, tmp_path: Path) -> None:
    """A version whose solution fails is not published, and the old one stays."""
    folder = write_course(tmp_path)
    catalog = PublishedCatalog(tmp_path / "catalog")
    solution = folder / "lessons/greet/solution/greet.py"
    good = solution.read_text()
    solution.write_text("def greet(name): return 1\n")
    with pytest.raises(SolutionFails, match="greet/function"):
        publish_course(sandbox, catalog, folder, say=str)
    with pytest.raises(CourseNotFound):
        catalog.course("small")
    solution.write_text(good)
    first, _ = publish_course(sandbox, catalog, folder, say=str)
    solution.write_text("def greet(name): return 2\n")
    with pytest.raises(SolutionFails):
        publish_course(sandbox, catalog, folder, say=str)
    assert catalog.course("small").version == first.version


def test_a_lesson_with_a_dockerfile_gets_its_image(
    sandbox: Sandbox, client: docker.APIClient, tmp_path: Path
) -> None:
    """``build: .`` is built before the checks run, and bears the name that the lesson gives it."""
    folder = write_course(
        tmp_path,
        {
            "Dockerfile": "FROM hexhub/base\nUSER root\nRUN echo built >/etc/mark\nUSER student\n",
            "checks/test_server.py": (
                "def test_mark(machine):\n"
                "    assert machine.read_text('/etc/mark') == 'built\\n'\n"
                "    assert machine.exists('mark')\n"
            ),
        },
    )
    path = folder / "lessons/greet/lesson.yml"
    path.write_text(path.read_text().replace("network: none", "network: none\nbuild: ."))
    catalog = PublishedCatalog(tmp_path / "catalog")
    try:
        course, _ = publish_course(sandbox, catalog, folder, say=str)
        image = course.lessons[0].image
        assert image == f"hexhub/lesson-small-greet:{course.version}"
        assert client.images(image)
    finally:
        for name in {tag for i in client.images() for tag in i["RepoTags"] or ()}:
            if name.startswith("hexhub/lesson-small-greet:"):
                client.remove_image(name, force=True)


def test_the_command_check_prints_an_outcome(tmp_path: Path) -> None:
    """For people the tests by name, for programs the outcome of the API; the exit code says all."""
    lesson = str(write_course(tmp_path) / "lessons/greet")
    base = ["check", lesson, "--step", "function", "--with"]
    shown = CliRunner().invoke(main, [*base, "wrong/no-comma"])
    assert shown.exit_code == 1
    assert "✗ The whole greeting is right  (test_function::test_whole)" in shown.output
    assert "expected: 'Hello, Ada!'" in shown.output
    told = CliRunner().invoke(main, [*base, "solution", "--json"])
    assert told.exit_code == 0
    document = json.loads(told.output)
    assert (document["version"], document["outcome"]) == (1, "passed")
    assert [test["id"] for test in document["tests"]] == ["test_function::test_name", FUNCTION]
    assert {test["step"] for test in document["tests"]} == {"function"}
    Draft202012Validator(read_outcome_schema()).validate(document)


def test_the_command_verify_is_red_by_name(tmp_path: Path) -> None:
    """A broken solution ends with exit code 1, and lesson, answer, step and test are named."""
    folder = write_course(tmp_path, {**WITHOUT_WRONG, **BROKEN_SOLUTION})
    result = CliRunner().invoke(main, ["course", "verify", str(folder)])
    assert result.exit_code == 1
    assert "greet / solution / function" in result.output.splitlines()[-1]
    assert FUNCTION in result.output


def test_the_command_publish_publishes(tmp_path: Path) -> None:
    """The course is in the catalog of the state folder that was named."""
    folder = write_course(tmp_path)
    state = tmp_path / "state"
    result = CliRunner().invoke(main, ["course", "publish", str(folder), "--state", str(state)])
    assert result.exit_code == 0, result.output
    assert [c.name for c in PublishedCatalog(state / "catalog").courses()] == ["small"]
