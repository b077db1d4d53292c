"""Published courses: whole versions, replaced at once, with notebooks made."""

import json
from pathlib import Path

import pytest

from hexhub.catalog.overlays import (
    check_files,
    solution_overlay,
    solve_script,
    starter_overlay,
    wrong_overlay,
)
from hexhub.catalog.published import PublishedCatalog
from hexhub.catalog.reader import read_course
from hexhub.errors import CourseChanged, CourseNotFound, VersionNotFound
from hexhub.names import LessonName, StepName, TestId

from .course_folder import make_course, write

EXPECTED = {LessonName("first"): {StepName("one"): (TestId("test_one::test_x"),)}}


def test_publish_and_find(tmp_path: Path) -> None:
    """A published course is found by name and its lessons by their server's name."""
    folder = make_course(tmp_path)
    catalog = PublishedCatalog(tmp_path / "catalog")
    assert catalog.courses() == []
    course = read_course(folder)
    catalog.publish(folder, course, EXPECTED)
    assert catalog.courses() == [course]
    found = catalog.at_server(course.lessons[1].server_name)
    assert found == (course, course.lessons[1])
    assert catalog.at_server("nothing-00000000") is None
    tests = catalog.expected_tests("tiny", course.version, "first", "one")
    assert tests == ("test_one::test_x",)
    assert catalog.expected_tests("tiny", course.version, "first", "two") is None


def test_a_new_version_does_not_touch_the_old_one(tmp_path: Path) -> None:
    """Students who began with a version keep it; another reader sees the new one at once."""
    folder = make_course(tmp_path)
    catalog = PublishedCatalog(tmp_path / "catalog")
    old = read_course(folder)
    catalog.publish(folder, old, EXPECTED)
    reader = PublishedCatalog(tmp_path / "catalog")
    assert reader.course("tiny") == old
    write(folder, "lessons/first/starter/app.py", "x = 7\n")
    new = read_course(folder)
    catalog.publish(folder, new, EXPECTED)
    assert reader.course("tiny").version == new.version
    assert reader.course("tiny", old.version) == old
    starter = starter_overlay(reader.folder("tiny", old.version), old.lessons[0])
    assert starter["app.py"].data == b"x = 1\n"


def test_unknown_names_are_refused(tmp_path: Path) -> None:
    """Names from a URL never leave the catalog's folder."""
    folder = make_course(tmp_path)
    catalog = PublishedCatalog(tmp_path / "catalog")
    catalog.publish(folder, read_course(folder), {})
    with pytest.raises(CourseNotFound, match="There are: tiny"):
        catalog.course("other")
    with pytest.raises(CourseNotFound):
        catalog.course("../catalog")
    with pytest.raises(VersionNotFound):
        catalog.course("tiny", "../../x")
    with pytest.raises(VersionNotFound):
        catalog.course("tiny", "abcabcabcabc")


def test_a_course_that_changes_meanwhile_is_not_published(tmp_path: Path) -> None:
    """Files that were changed while solutions ran are not what was read; no rest lies about."""
    folder = make_course(tmp_path)
    catalog = PublishedCatalog(tmp_path / "catalog")
    course = read_course(folder)
    write(folder, "lessons/second/starter/late.txt", "an author is still writing")
    with pytest.raises(CourseChanged, match="Publish it again"):
        catalog.publish(folder, course, {})
    assert catalog.courses() == []
    assert [p.name for p in (tmp_path / "catalog" / "tiny").iterdir()] == []


def test_notebooks_are_made_from_the_source(tmp_path: Path) -> None:
    """Students get neither solution nor hidden tests; wrong answers replace single cells."""
    folder = make_course(tmp_path)
    lesson = read_course(folder).lessons[1]
    starter = starter_overlay(folder, lesson)["air.ipynb"].data.decode()
    assert "return x * x" not in starter
    assert "canary" not in starter
    assert "assert square(2) == 4" in starter
    solution = solution_overlay(folder, lesson)["air.ipynb"].data.decode()
    assert "return x * x" in solution
    assert "canary" not in solution
    assert "BEGIN SOLUTION" not in solution
    wrong = json.loads(wrong_overlay(folder, lesson, "cube")["air.ipynb"].data)
    assert wrong["cells"][0]["source"] == ["def square(x):\n", "    return x**3"]
    assert "canary" in check_files(folder, lesson)["source.ipynb"].data.decode()


def test_solve_script_is_no_file_of_the_answer(tmp_path: Path) -> None:
    """solve.sh is run, not laid into the machine."""
    folder = make_course(tmp_path)
    lesson = read_course(folder).lessons[0]
    assert list(solution_overlay(folder, lesson)) == ["app.py"]
    assert solve_script(folder, lesson, "solution") == b"#!/bin/sh\ntrue\n"
    assert solve_script(folder, lesson, "wrong/typo") is None
