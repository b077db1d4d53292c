"""Every example of ``docs/check-helpers.md`` works, and does not work where nothing was done."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest

from hexhub.catalog.model import (
    CheckKind,
    Lesson,
    Limits,
    MachineUser,
    Network,
    ReportFormat,
    Text,
)
from hexhub.checks.engine import Engine
from hexhub.checks.model import TestOutcome, TestResult
from hexhub.checks.reports import READERS, read_exit
from hexhub.checks.trial_machine import run_script, trial_machine
from hexhub.names import CourseName, LessonName

from .conftest import MB, Harnessed, RunCheck

DOCUMENT = Path(__file__).parents[2] / "docs/check-helpers.md"
BLOCK = re.compile(r"<!-- (?P<what>[a-z ]+?): (?P<name>.+?) -->\n```\w+\n(?P<text>.*?)```", re.S)
BLOCKS = [
    (found["what"], found["name"], found["text"])
    for found in BLOCK.finditer(DOCUMENT.read_text(encoding="utf-8"))
]
IMAGES = ("hexhub/web", "hexhub/postgres")


def blocks(what: str, name: str | None = None) -> list[str]:
    """Give the texts of the examples of one sort."""
    return [text for kind, its_name, text in BLOCKS if kind == what and name in (its_name, None)]


def checks_of(*words: str) -> dict[str, str]:
    """Give the examples of a kind of check as files of tests."""
    found = blocks("check", " ".join(words))
    assert found
    return {f"test_{number}.py": text for number, text in enumerate(found)}


def expect(results: list[TestResult], tests: dict[str, str], *, passing: bool) -> None:
    """Pass if the results are of all these tests, and all of them passed, or none."""
    wanted = {
        f"{Path(name).stem}::{function}"
        for name, text in tests.items()
        for function in re.findall(r"^def (test_\w+)", text, re.MULTILINE)
    }
    assert {result.id for result in results} == wanted
    said = {result.id: (result.outcome.value, result.message) for result in results}
    assert all((result.outcome is TestOutcome.PASSED) == passing for result in results), said


@contextmanager
def student_machine(image: str, script: str | None) -> Iterator[str]:
    """Give a machine in which the student has run ``script``, or done nothing."""
    engine = Engine(f"doc-{secrets.token_hex(4)}")
    lesson = Lesson(
        course=CourseName("tests"),
        name=LessonName("document"),
        title=Text({"en": "Document"}),
        image=image,
        user=MachineUser.STUDENT,
        limits=Limits(512 * MB, 1.0, 128, 1024 * MB, 1800),
        network=Network.NONE,
        steps=(),
        theory=Text({"en": ""}),
    )
    try:
        with trial_machine(engine, lesson, {}) as machine_id:
            if script is not None:
                done = run_script(engine, machine_id, script.encode(), lesson.user, 120)
                assert done.exit_code == 0, done.output
            yield machine_id
    finally:
        engine.close()


def results_of(done: Harnessed) -> list[TestResult]:
    assert done.answer.report is not None, done.answer.output
    return READERS[ReportFormat.JUNIT](done.answer.report)


def test_every_example_is_run() -> None:
    """No block of code stands in the document that this file would pass over."""
    fences = re.findall(r"^```\w+$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(fences) == len(BLOCKS)
    known = {"files", "notebook test-mean", "machine hexhub/web exit", "script tap"}
    known |= {f"machine {image}" for image in IMAGES}
    assert {name for what, name, _ in BLOCKS if what == "check"} == known
    assert {what for what, _, _ in BLOCKS} == {"work", "check", "solve", "solution cell"}


def test_files(run_check: RunCheck) -> None:
    """The examples of ``student``, with what the student handed in, and with nothing."""
    tests = checks_of("files")
    work: dict[str, str | bytes] = {name: text for what, name, text in BLOCKS if what == "work"}
    expect(results_of(run_check(tests, work)), tests, passing=True)
    expect(results_of(run_check(tests, {})), tests, passing=False)


@pytest.mark.parametrize("image", IMAGES)
def test_machine(run_check: RunCheck, image: str) -> None:
    """The examples of ``machine``, in one where the work was done, and in a fresh one."""
    tests = checks_of("machine", image)
    (script,) = blocks("solve", image)
    more = {"kind": CheckKind.MACHINE, "image": image}
    with student_machine(image, script) as machine_id:
        done = run_check(tests, {}, machine_id=machine_id, **more)
        expect(results_of(done), tests, passing=True)
    with student_machine(image, None) as machine_id:
        done = run_check(tests, {}, machine_id=machine_id, **more)
        expect(results_of(done), tests, passing=False)


def test_exit(run_check: RunCheck) -> None:
    """The example without pytest ends with 0 where the file is there, else with its words."""
    (command,) = blocks("check", "machine hexhub/web exit")
    for script, outcome, message in (
        ("echo apple > sorted.txt", TestOutcome.PASSED, ""),
        ("true", TestOutcome.FAILED, "~/work/sorted.txt is missing or empty."),
    ):
        with student_machine("hexhub/web", script) as machine_id:
            done = run_check(
                {},
                {},
                run=command,
                report=ReportFormat.EXIT,
                kind=CheckKind.MACHINE,
                image="hexhub/web",
                machine_id=machine_id,
            )
        assert done.answer.exit_code is not None
        (result,) = read_exit(done.answer.exit_code, done.answer.output)
        assert (result.outcome, result.message) == (outcome, message)


def test_script(run_check: RunCheck) -> None:
    """The example of ``as-student``, with what the student handed in, and with nothing."""
    (script,) = blocks("check", "script tap")
    work: dict[str, str | bytes] = {name: text for what, name, text in BLOCKS if what == "work"}
    for handed_in, outcome in ((work, TestOutcome.PASSED), ({}, TestOutcome.FAILED)):
        done = run_check(
            {"check.sh": script}, handed_in, run="sh check.sh", report=ReportFormat.TAP
        )
        assert done.answer.report is not None, done.answer.output
        results = READERS[ReportFormat.TAP](done.answer.report)
        assert [result.outcome for result in results] == [outcome] * 2


def notebook(solution: str, test: str) -> str:
    """Give an nbgrader notebook with a solution cell and a test cell."""
    base = {"schema_version": 3, "locked": False, "task": False}
    cells = [
        nbformat.v4.new_code_cell(
            solution,
            metadata={"nbgrader": base | {"grade": False, "solution": True, "grade_id": "mean"}},
        ),
        nbformat.v4.new_code_cell(
            test,
            metadata={
                "nbgrader": base
                | {"grade": True, "solution": False, "grade_id": "test-mean", "points": 2}
            },
        ),
    ]
    return str(nbformat.writes(nbformat.v4.new_notebook(cells=cells)))


def test_notebook(run_check: RunCheck) -> None:
    """The test cell passes for the solution cell, and fails for an empty one; both have its name."""
    (solution,), (test,) = blocks("solution cell"), blocks("check", "notebook test-mean")
    for handed_in, outcome in ((solution, TestOutcome.PASSED), ("", TestOutcome.FAILED)):
        done = run_check(
            {"source.ipynb": notebook(solution, test)},
            {"mean.ipynb": notebook(handed_in, test)},
            run="",
            report=ReportFormat.NBGRADER,
            kind=CheckKind.NOTEBOOK,
            image="hexhub/data",
            notebook="mean.ipynb",
            cells=("test-mean",),
            timeout_s=60.0,
        )
        assert done.answer.report is not None, done.answer.output
        (result,) = READERS[ReportFormat.NBGRADER](done.answer.report)
        assert (result.id, result.outcome) == ("test-mean", outcome)
        assert (result.name, result.names) == ("The mean of some numbers", {"ru": "Среднее"})
