"""The command line of ``lesson`` and the choice of its language."""

import pytest
from hexhub_lesson.terminal import Impossible
from hexhub_lesson.terminal.command import COMMANDS
from hexhub_lesson.terminal.command_line import ARGUMENTS, FLAGS, Options, read_options
from hexhub_lesson.terminal.language import choose_locale
from hexhub_lesson.terminal.reset import path_below_work
from hexhub_lesson.terminal.texts import TEXTS


@pytest.mark.parametrize(
    ("words", "command", "argument"),
    [
        ([], "status", ""),
        (["check", "--watch", "--help"], "help", "check"),
        (["check"], "check", ""),
        (["check", "listens"], "check", "listens"),
        (["--json", "check", "listens"], "check", "listens"),
        (["hints"], "hint", ""),
        (["-h"], "help", ""),
        (["check", "--help"], "help", "check"),
        (["locale", "ru"], "locale", "ru"),
    ],
)
def test_words_are_read(words: list[str], command: str, argument: str) -> None:
    """Options may stand anywhere; --help wins over everything."""
    options = read_options(words)
    assert (options.command, options.argument) == (command, argument)


def test_every_command_has_its_number_of_words() -> None:
    """What can be typed and what can be run are the same."""
    assert COMMANDS.keys() == ARGUMENTS.keys()
    assert set(FLAGS.values()) <= COMMANDS.keys()


@pytest.mark.parametrize(
    "words",
    [
        ["x"],
        ["-x"],
        ["next", "x"],
        ["check", "a", "b"],
        ["status", "x"],
        ["task", "--watch"],
        ["check", "--undo"],
    ],
)
def test_what_does_not_belong_is_refused(words: list[str]) -> None:
    """No word is passed over in silence."""
    with pytest.raises(Impossible):
        read_options(words)


@pytest.mark.parametrize(
    ("named", "folder", "path"),
    [
        ("app.py", "/home/student/work", "app.py"),
        ("app.py", "/home/student/work/src", "src/app.py"),
        ("../app.py", "/home/student/work/src", "app.py"),
        ("/home/student/work/a b.py", "/", "a b.py"),
        ("work/app.py", "/home/student", "app.py"),
        ("work/app.py", "/tmp", "app.py"),
        ("app.py", "/tmp", "app.py"),
        ("src/app.py", "/", "src/app.py"),
    ],
)
def test_a_file_is_named_from_where_one_is(named: str, folder: str, path: str) -> None:
    """The lesson names its files below ~/work, the student from their own folder."""
    assert path_below_work(named, folder, "/home/student/work") == path


def test_the_language_is_chosen_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line goes before the variable; what is not spoken is passed over."""
    options = Options()
    monkeypatch.setenv("HEXHUB_LOCALE", "ru")
    assert choose_locale(options, "none", "/nonexistent") == "ru"
    options.locale = "en-GB"
    assert choose_locale(options, "none", "/nonexistent") == "en"
    options.locale = ""
    monkeypatch.setenv("HEXHUB_LOCALE", "de")
    assert choose_locale(options, "none", "/nonexistent") == ""


def test_help_names_every_command() -> None:
    """What can be typed is written down, in every language."""
    hidden = {"status", "greet", "help"}
    for texts in TEXTS.values():
        for command in COMMANDS.keys() - hidden:
            assert f"lesson {command}" in texts["usage"]
