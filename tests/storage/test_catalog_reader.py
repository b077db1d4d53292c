"""A course folder is read whole, or refused with every problem at once."""

from pathlib import Path

import pytest

from hexhub.catalog.model import CheckKind, MachineUser, ReportFormat
from hexhub.catalog.reader import course_version, read_course
from hexhub.errors import CourseInvalid

from .course_folder import COURSE_YML, FIRST_YML, make_course, write


def problems_of(folder: Path) -> list[str]:
    with pytest.raises(CourseInvalid) as caught:
        read_course(folder)
    return [str(problem) for problem in caught.value.problems]


def test_reads_a_course(tmp_path: Path) -> None:
    """Everything an author wrote is in the model, with defaults where nothing was written."""
    course = read_course(make_course(tmp_path))
    assert (course.name, course.locales) == ("tiny", ("en", "ru"))
    assert course.title.in_locale("ru-RU") == "Крошка"
    assert course.about is not None
    assert course.about.in_locale("en") == "About (en)\n"
    first, second = course.lessons
    assert first.image == "hexhub/base"
    assert first.user is MachineUser.STUDENT
    assert first.limits.memory_bytes == 512 * 1024**2
    assert [step.title.in_locale("en") for step in first.steps] == [
        "Step one (en)",
        "Step two (en)",
        "Step three (en)",
    ]
    check = first.step("one").check
    assert check is not None
    assert (check.kind, check.submit, check.timeout_s) == (CheckKind.FILES, ("app.py",), 20)
    assert first.step("one").hints[0].after_attempts == 1
    assert first.wrong[0].fails == {"one": ("test_one::test_x",)}
    notebook_check = second.steps[0].check
    assert notebook_check is not None
    assert notebook_check.report is ReportFormat.NBGRADER
    assert course.after(first.name) == second
    assert course.after(second.name) is None


def test_the_text_of_commands_is_recorded_only_where_it_is_written(tmp_path: Path) -> None:
    """Not by default; the course's word holds for its lessons, a lesson's own goes before it."""
    folder = make_course(tmp_path)
    assert [lesson.records_commands for lesson in read_course(folder).lessons] == [False, False]
    write(folder, "course.yml", COURSE_YML + "record: {command_text: true}\n")
    write(folder, "lessons/first/lesson.yml", FIRST_YML + "record: {command_text: false}\n")
    assert [lesson.records_commands for lesson in read_course(folder).lessons] == [False, True]


def test_steps_follow_each_other_unless_needs_says_otherwise(tmp_path: Path) -> None:
    """Without `needs` a step needs the one before it; `needs: []` opens it at once."""
    steps = read_course(make_course(tmp_path)).lessons[0].steps
    assert [step.needs for step in steps] == [(), ("one",), ()]


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    """An author sees every problem of the course, each with file, line, found and allowed."""
    folder = make_course(tmp_path)
    write(
        folder,
        "lessons/first/lesson.yml",
        FIRST_YML.replace("user: student", "usr: student")
        .replace("timeout: 20s", "timeout: soon")
        .replace("memory: 512M", "memory: 512"),
    )
    write(folder, "lessons/second/lesson.yml", "schema: 2\ntitle: {en: Second}\nsteps: []\n")
    (folder / "ru" / "course.md").unlink()
    assert problems_of(folder) == [
        "lessons/first/lesson.yml:4: found 512 at 'memory'; "
        "allowed: a number and one of K, M, G, such as 512M",
        "lessons/first/lesson.yml:8: found 'soon' at 'timeout'; "
        "allowed: a number and one of s, m, h, d, such as 20s or 30m",
        "lessons/first/lesson.yml:3: found unknown key 'usr'; allowed: the keys build, image, "
        "isolation, limits, network, notebook, open, preview, record, schema, services, solution, "
        "steps, title, user",
        "lessons/second/lesson.yml:1: found 2 at 'schema'; allowed: 1",
        "lessons/second/lesson.yml:3: found [] at 'steps'; "
        "allowed: List should have at least 1 item after validation, not 0",
        "ru/course.md: found no such file; allowed: a Markdown file for every language of the "
        "course",
    ]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("course.yml", COURSE_YML + "title: {en: Again}\n", "course.yml:7: found found duplicate"),
        ("course.yml", "schema: [1\n", "course.yml:2: found"),
        ("course.yml", "- 1\n", "course.yml: found [1]"),
        ("course.yml", COURSE_YML.replace("second", "first"), "lesson 'first' twice"),
        ("course.yml", COURSE_YML.replace(", second", ""), "a lesson that course.yml does not"),
        ("course.yml", COURSE_YML.replace("second", "../x"), "lower-case letters, digits"),
        ("course.yml", COURSE_YML.replace("second", "third"), "lessons/third/lesson.yml: found no"),
        ("course.yml", COURSE_YML.replace("Крошка", "x").replace("ru: x", "de: x"), "no 'ru' in"),
        ("course.yml", COURSE_YML.replace("hexhub/base", "$(id)"), "the name of a Docker image"),
        ("lessons/first/lesson.yml", FIRST_YML.replace("app.py]", "/etc/passwd]"), "stays inside"),
        ("lessons/first/lesson.yml", FIRST_YML.replace("[app.py]", "[../x]"), "stays inside"),
        ("lessons/first/lesson.yml", FIRST_YML.replace("id: two", "id: one"), "step 'one' twice"),
        ("lessons/first/lesson.yml", FIRST_YML.replace("needs: []", "needs: [four]"), "'four' in"),
        ("lessons/first/lesson.yml", FIRST_YML.replace("kind: machine", "kind: magic"), "'magic'"),
        ("lessons/first/lesson.yml", FIRST_YML + "isolation: vm\n", "no check can stand"),
        ("lessons/first/lesson.yml", FIRST_YML + "isolation: gvisor\n", "no check can stand"),
        ("lessons/first/lesson.yml", FIRST_YML + "isolation: strong\n", "'strong'"),
        (
            "lessons/first/lesson.yml",
            FIRST_YML.replace("attempts: 1", "test: a, attempts: 1"),
            "exactly one",
        ),
        (
            "lessons/first/lesson.yml",
            FIRST_YML.replace("work/app.py", "work/nope.py"),
            "a file that starter/ has",
        ),
        (
            "lessons/first/lesson.yml",
            FIRST_YML.replace("submit: [app.py], ", ""),
            "'submit' with the files",
        ),
        (
            "lessons/first/lesson.yml",
            FIRST_YML.replace("user:", "build: .\nuser:"),
            "Dockerfile: found no such",
        ),
        (
            "lessons/first/lesson.yml",
            FIRST_YML + "services:\n  - name: nginx\n    start: sudo nginx\n",
            "lessons/first/lesson.yml:16: found 'sudo nginx' at 'start'; allowed: the command",
        ),
        (
            "lessons/first/lesson.yml",
            FIRST_YML + "services:\n  - {name: nginx, start: cd /; service nginx start}\n",
            "lessons/first/lesson.yml:14: found",
        ),
        (
            "lessons/first/lesson.yml",
            FIRST_YML + "services:\n  - {name: nginx, start: nginx, user: root}\n",
            "lessons/first/lesson.yml:15: found unknown key 'user'",
        ),
        ("lessons/first/extra.txt", "x", "an unknown file or folder"),
        ("lessons/first/en/steps/one.md", "No heading.\n", "no heading in the first line"),
        ("lessons/first/wrong/typo/expect.yml", "fails: {nine: [a]}\n", "step 'nine' in 'fails'"),
        ("lessons/first/wrong/typo/expect.yml", "fails: {}\n", "at least 1 item"),
    ],
)
def test_bad_input_is_named(tmp_path: Path, name: str, text: str, expected: str) -> None:
    """Each mistake is refused with a problem that says what was found or what is allowed."""
    folder = make_course(tmp_path)
    write(folder, name, text)
    assert any(expected in problem for problem in problems_of(folder)), problems_of(folder)


def test_links_out_of_the_course_are_refused(tmp_path: Path) -> None:
    """A link that leaves the course folder would publish somebody else's file."""
    folder = make_course(tmp_path)
    (folder / "lessons/first/starter/secret").symlink_to("/etc/passwd")
    (folder / "lessons/first/starter/gone").symlink_to("nowhere")
    found = problems_of(folder)
    assert any("secret: found a link out of the course" in problem for problem in found)
    assert any("gone: found a link to nothing" in problem for problem in found)


def test_missing_course(tmp_path: Path) -> None:
    """A folder without course.yml is refused by that name."""
    (tmp_path / "empty").mkdir()
    assert problems_of(tmp_path / "empty") == [
        "course.yml: found no such file; allowed: this file must be there"
    ]


def test_version_follows_the_content(tmp_path: Path) -> None:
    """The version changes with any content or executable bit, and with nothing else."""
    folder = make_course(tmp_path)
    before = course_version(folder)
    (folder / "course.yml").touch()
    assert course_version(folder) == before
    script = folder / "lessons/first/solution/solve.sh"
    script.chmod(0o755)
    after_mode = course_version(folder)
    assert after_mode != before
    write(folder, "lessons/first/starter/app.py", "x = 9\n")
    assert course_version(folder) not in (before, after_mode)
