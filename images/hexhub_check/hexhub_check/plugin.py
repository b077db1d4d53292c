"""The pytest plugin of checks: the fixtures, and what students read, put into the JUnit report.

Properties of each test case: ``hexhub.id`` (``<file stem>::<function>[param]``), ``hexhub.name``
and ``hexhub.name.<language>`` (from the docstring), ``hexhub.points`` (``@pytest.mark.points(2)``),
and of a failing ``assert a == b`` also ``hexhub.actual`` (a) and ``hexhub.expected`` (b). The
failure's message is the author's, where there is one.

PYTEST_DONT_REWRITE: there is no assert in here, and it may be imported before pytest looks
(:mod:`hexhub_check.ahead`).
"""

import os
import re
from collections.abc import Generator
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from hexhub_check.arguments import hide_arguments
from hexhub_check.errors import HarnessError, MachineError, StudentError
from hexhub_check.machine import Machine
from hexhub_check.shown import shorten, shorten_repr
from hexhub_check.student import Student

MAX_MESSAGE = 2000
NO_WORDS = "A test found something wrong."
_LANGUAGE_LINE = re.compile(r"\s*([a-z]{2,3}(?:-[A-Za-z0-9]+)*):\s+(\S.*)")
_COMPARED = pytest.StashKey[tuple[str, str]]()
_running: list[pytest.Item] = []


@pytest.fixture
def student() -> Student:
    """The submitted files, in a check of kind ``files``."""
    return Student(_get_setting("HEXHUB_WORK", {"files"}), int(os.environ["HEXHUB_UID"]))


@pytest.fixture
def machine() -> Machine:
    """The student's running machine, in a check of kind ``machine``."""
    _get_setting("HEXHUB_WORK", {"machine"})
    return Machine(f"{os.environ['HEXHUB_HOME']}/work", os.environ["HEXHUB_ROOT"])


def _get_setting(name: str, kinds: set[str]) -> str:
    kind = os.environ.get("HEXHUB_KIND", "")
    if kind not in kinds:
        raise HarnessError(
            f"This fixture is for checks of kind {', '.join(kinds)}; this one is of kind "
            f"'{kind or 'none: it does not run in a check'}'."
        )
    return os.environ[name]


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known, ``approx`` strict, and our arguments nobody's business."""
    hide_arguments()
    config.addinivalue_line("markers", "points(number): what passing this test gives")
    refuse_empty_arrays()


def refuse_empty_arrays() -> None:
    """Let no array without elements equal ``pytest.approx(number)``.

    pytest compares each element, and so a student's function that gives ``numpy.array([])`` would
    be right whatever the number is (``ApproxScalar.__eq__``).
    """
    kind: Any = type(pytest.approx(1.0))
    equals = kind.__eq__
    if hasattr(equals, "__wrapped__"):
        return

    @wraps(equals)
    def strictly(self: object, actual: object) -> bool:
        return getattr(actual, "size", 1) != 0 and bool(equals(self, actual))

    kind.__eq__ = strictly


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Know which test runs, and write down what it is called."""
    _running.append(item)
    item.user_properties += describe_test(item)
    try:
        return (yield)
    finally:
        _running.remove(item)


def pytest_assertrepr_compare(op: str, left: object, right: object) -> None:
    """Keep both sides of the comparison that failed last."""
    if op == "==" and _running:
        _running[-1].stash[_COMPARED] = (shorten_repr(left), shorten_repr(right))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the message that is meant for the student into a failing test's report."""
    if call.when == "call" and call.excinfo is not None:
        compared = item.stash.get(_COMPARED, None)
        if compared is not None and call.excinfo.errisinstance(AssertionError):
            item.user_properties.append(("hexhub.actual", compared[0]))
            item.user_properties.append(("hexhub.expected", compared[1]))
    report = yield
    if call.excinfo is not None and report.failed:
        crash = getattr(report.longrepr, "reprcrash", None)
        if crash is not None:
            crash.message = choose_message(call.excinfo.value)
    return report


def describe_test(item: pytest.Item) -> list[tuple[str, object]]:
    """Give a test's id, names and points as properties."""
    found: list[tuple[str, object]] = [
        ("hexhub.id", make_test_id(item.path, item.name, getattr(item, "cls", None)))
    ]
    function = getattr(item, "obj", None)
    function_name = getattr(item, "originalname", None) or item.name
    param = item.name[len(function_name) :] if item.name.startswith(function_name) else ""
    names = read_names(getattr(function, "__doc__", None)) or {"": make_readable(function_name)}
    for language, name in names.items():
        key = f"hexhub.name.{language}" if language else "hexhub.name"
        found.append((key, f"{name} {param}".strip()))
    mark = item.get_closest_marker("points")
    if mark is not None and mark.args:
        found.append(("hexhub.points", float(mark.args[0])))
    return found


def make_test_id(path: Path, name: str, cls: Any = None) -> str:
    """Give ``<file stem>::<function>[param]``; tests in a class have it before the function."""
    middle = f"{cls.__name__}::" if cls is not None else ""
    return f"{path.stem}::{middle}{name}"


def read_names(docstring: str | None) -> dict[str, str]:
    """Read a test's names: language → name; the first line stands for all others (key ``""``)."""
    lines = [line.strip() for line in (docstring or "").strip().splitlines()]
    if not lines or not lines[0]:
        return {}
    names = {"": lines[0].rstrip(".")}
    for line in lines[1:]:
        match = _LANGUAGE_LINE.fullmatch(line)
        if match:
            names[match[1]] = match[2].rstrip(".")
    return names


def make_readable(function_name: str) -> str:
    """Turn ``test_port_is_open`` into ``Port is open``."""
    words = function_name.removeprefix("test").strip("_").replace("_", " ")
    return words[:1].upper() + words[1:] if words else function_name


def choose_message(error: BaseException) -> str:
    """Give the message of a failed test: the author's, or what happened in one line.

    Never blank: readers of JUnit XML take the traceback then, with the lines of the test in it, and
    an author's words may be what the student's program printed (``assert ok, done.stderr``).
    """
    text = str(error)
    if isinstance(error, AssertionError):
        message = read_assert_message(text)
    elif isinstance(error, StudentError | MachineError | pytest.fail.Exception):
        message = text
    elif isinstance(error, KeyError):
        # Its text is the key, which is the test's.
        message = "What the test looks up is not there (KeyError)."
    else:
        message = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return shorten(message if message.strip() else NO_WORDS, MAX_MESSAGE)


def read_assert_message(text: str) -> str:
    """Take the author's message out of what pytest makes of ``assert condition, message``.

    pytest puts its own explanation behind the author's message, on a new line that begins with
    ``assert ``; further lines of the explanation, and of the author's message, it indents by two.
    """
    if text.startswith("assert "):
        return text.splitlines()[0]
    place = text.rfind("\nassert ")
    if place < 0:
        return text
    return text[:place].replace("\n  ", "\n")
