"""JUnit XML, exit code and nbgrader scores (TAP: :mod:`hexhub.checks.tap`) → test results; pure.

The run that wrote a report had a student's program in it, so a report is hostile until it has been
read: whatever it holds, reading gives test results that may be stored and shown, or raises
:class:`~hexhub.errors.ReportUnusable`.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from hexhub.catalog.model import ReportFormat
from hexhub.checks.complaints import Complaint, author_message, read_complaint
from hexhub.checks.model import (
    MAX_ID,
    MAX_NAME,
    MAX_POINTS,
    MAX_TESTS,
    TestOutcome,
    TestResult,
)
from hexhub.checks.tap import read_tap
from hexhub.checks.texts import clean, clean_end, clean_line, clean_or_none, read_number
from hexhub.errors import ReportUnusable

_MAX_DEPTH = 20
"""Suites in suites that are named in a test's id."""
EXIT_TEST = "exit"
"""Id of the one test of a check that reports by its exit code."""

_LOCALE_NAME = re.compile(r"(?:hexhub\.)?name\.([a-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3})")
_CAPTURED = re.compile(r"^-{5,} Captured (?:Log|Out|Err)[a-z ]* -{5,}$\n?", re.MULTILINE)
"""pytest's headings over what a test printed, written also where it printed nothing."""
_DISPLAY_NAME = re.compile(r"^unique-id: .*\ndisplay-name: (.*)\n?", re.MULTILINE)
"""JUnit 5's console writes this below what a test printed."""
_SEVERITY = (TestOutcome.PASSED, TestOutcome.SKIPPED, TestOutcome.FAILED, TestOutcome.ERROR)


def read_junit(text: str) -> list[TestResult]:
    """Read JUnit XML as pytest writes it, and as other tools do.

    Known properties of a test case: ``hexhub.id``, ``hexhub.name`` and ``hexhub.name.<locale>``,
    ``hexhub.expected``, ``hexhub.actual``, ``hexhub.points``. A test that is told of twice (a
    failure, then an error while tidying up) is one result, with the worse of both.

    Raises:
        ReportUnusable: It is no JUnit XML, or there are too many tests.
    """
    try:
        root = fromstring(text.encode("utf-8", "replace"), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as exc:
        raise ReportUnusable(f"The report is no XML: {clean_line(str(exc), 120)}") from exc
    if root.tag not in ("testsuites", "testsuite"):
        raise ReportUnusable(
            f"The report is no JUnit XML: it begins with <{clean_line(str(root.tag), 40)}>."
        )
    return _merge(_read_case(case, suites) for case, suites in _cases(root))


def _cases(root: Element) -> Iterator[tuple[Element, tuple[str, ...]]]:
    """Give each test case with the names of the suites that it is in, outermost first."""
    # No recursion: a report may be nested deeper than Python's stack.
    waiting: list[tuple[Element, tuple[str, ...]]] = [(root, ())]
    while waiting:
        element, suites = waiting.pop()
        if element.tag == "testcase":
            yield element, suites
            continue
        if element.tag == "testsuite" and len(suites) < _MAX_DEPTH:
            suites = (*suites, str(element.get("name", "")))
        waiting += [(child, suites) for child in reversed(element)]


def _read_case(case: Element, suites: tuple[str, ...]) -> TestResult:
    properties = {
        str(item.get("name", "")): str(item.get("value") or item.text or "")
        for item in case.iterfind("properties/property")
    }
    output = "\n".join(
        part.text for part in case if part.tag in ("system-out", "system-err") and part.text
    )
    outcome, complaint = TestOutcome.PASSED, None
    for child in case:
        found = _case_outcome(child)
        if found is not None and _SEVERITY.index(found) > _SEVERITY.index(outcome):
            outcome, complaint = found, child
        if found is TestOutcome.SKIPPED and child.get("type") == "todo":
            # node:test writes the failure of a test that is still to be written, too.
            break
    if outcome is TestOutcome.PASSED and case.get("status", "").lower() in ("notrun", "disabled"):
        outcome = TestOutcome.SKIPPED
    name = str(case.get("name", ""))
    shown = properties.get("hexhub.name", "")
    if display_name := _DISPLAY_NAME.search(output):
        # Those of parameters are numbers only, and the method's own name is no better.
        if display_name[1] != name and not display_name[1].startswith("["):
            shown = shown or display_name[1]
        output = output[: display_name.start()]
    said = (
        Complaint(output=output)
        if complaint is None
        else read_complaint(str(complaint.get("message") or ""), str(complaint.text or ""), output)
    )
    max_points = read_number(properties.get("hexhub.points"), 1.0, most=MAX_POINTS)
    return TestResult(
        id=clean_line(properties.get("hexhub.id", ""), MAX_ID)
        or _test_id(str(case.get("classname", "")), name, str(case.get("file", "")), suites),
        name=clean_line(shown, MAX_NAME) or _readable(name),
        outcome=outcome,
        message=clean(said.message),
        expected=clean_or_none(properties.get("hexhub.expected", said.expected)),
        actual=clean_or_none(properties.get("hexhub.actual", said.actual)),
        output=clean_end(_CAPTURED.sub("", said.output).strip("\n").rstrip()),
        points=max_points if outcome is TestOutcome.PASSED else 0.0,
        max_points=max_points,
        duration_s=read_number(str(case.get("time", "")).replace(",", ""), 0.0),
        names=_locale_names(properties),
    )


def _case_outcome(child: Element) -> TestOutcome | None:
    return {
        "failure": TestOutcome.FAILED,
        "error": TestOutcome.ERROR,
        "skipped": TestOutcome.SKIPPED,
    }.get(str(child.tag))


_SOURCE_FILE = re.compile(r"\.(?:[cm]?[jt]sx?|bats|php|rb|lua|t|sh)\Z")


def _test_id(classname: str, name: str, file: str, suites: tuple[str, ...]) -> str:
    """Give ``<file stem>::<function>[<parameters>]``, with classes in between where there are some.

    What ``classname`` holds depends on the tool: pytest writes folders, file and classes as one
    dotted word, whose last part in small letters is the file; Vitest, Bats and Go a path; Jest,
    Mocha's reporters and CTest the title once more, or a part of it; node:test nothing, but it
    nests suites.
    """
    stem = _stem(file)
    if classname and name.endswith(classname):
        parts = []
    elif classname == "test" != stem and stem:
        parts = [stem, *suites]
    elif "/" in classname or _SOURCE_FILE.search(classname):
        parts = [_stem(classname)]
    elif any(sign.isspace() for sign in classname):
        parts = [classname]
    else:
        parts = [part for part in classname.split(".") if part]
        if stem in parts:
            parts = parts[parts.index(stem) :]
        elif stem and not parts:
            parts = [stem]
        else:
            small = [place for place, part in enumerate(parts) if not part[:1].isupper()]
            parts = parts[small[-1] :] if small else parts[-1:]
    return clean_line("::".join([*parts, name] if name else parts), MAX_ID) or "unnamed"


def _stem(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1].split(".", 1)[0]


def _readable(name: str) -> str:
    function, bracket, parameters = name.removesuffix("()").partition("[")
    words = function.removeprefix("test_").replace("_", " ").strip() or name
    words = words[:1].upper() + words[1:]
    return clean_line(f"{words} [{parameters}" if bracket else words, MAX_NAME) or "Unnamed"


def _locale_names(properties: Mapping[str, str]) -> dict[str, str]:
    names: dict[str, str] = {}
    for key, value in properties.items():
        match = _LOCALE_NAME.fullmatch(key)
        if match and len(names) < 20 and clean_line(value, MAX_NAME):
            names[match[1]] = clean_line(value, MAX_NAME)
    return names


def _merge(results: Iterable[TestResult]) -> list[TestResult]:
    """Make one result of those with the same id; refuse more than can be kept.

    Raises:
        ReportUnusable: Too many. (Dropping some would let a failing one pass unseen.)
    """
    merged: dict[str, TestResult] = {}
    for result in results:
        old = merged.get(result.id)
        if old is None or _SEVERITY.index(result.outcome) > _SEVERITY.index(old.outcome):
            merged[result.id] = result
        if len(merged) > MAX_TESTS:
            raise ReportUnusable(f"The report has more than {MAX_TESTS} tests.")
    return list(merged.values())


# --- exit code and nbgrader -----------------------------------------------------------------------


def read_exit(exit_code: int, output: str) -> list[TestResult]:
    """Give the one test of a check that says passed or failed by its exit code.

    Args:
        exit_code: Of the command; 0 is passed.
        output: What it printed: the author's message to the student where it failed.
    """
    passed = exit_code == 0
    return [
        TestResult(
            id=EXIT_TEST,
            name="The check succeeds",
            outcome=TestOutcome.PASSED if passed else TestOutcome.FAILED,
            message="" if passed else clean_end(output).strip(),
            points=1.0 if passed else 0.0,
            names={"ru": "Проверка проходит"},
        )
    ]


def read_nbgrader(text: str) -> list[TestResult]:
    """Read the scores of a notebook's cells, as the harness writes them; a cell is a test.

    Raises:
        ReportUnusable: It is not that JSON, or there are too many cells.
    """
    try:
        report = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise ReportUnusable("The report of the notebook is no JSON.") from exc
    cells = report.get("cells") if isinstance(report, dict) else None
    if not isinstance(cells, list):
        raise ReportUnusable("The report of the notebook has no 'cells'.")
    if len(cells) > MAX_TESTS:
        raise ReportUnusable(f"The report has more than {MAX_TESTS} tests.")
    results = [_read_cell(cell) for cell in cells]
    ids = [result.id for result in results]
    if len(set(ids)) != len(ids):
        raise ReportUnusable("The report of the notebook has a cell twice.")
    return results


def _read_cell(cell: object) -> TestResult:
    if not isinstance(cell, dict) or not isinstance(cell.get("id"), str) or not cell["id"]:
        raise ReportUnusable("A cell in the report of the notebook has no id.")
    score, most = _score(cell, "score"), _score(cell, "max_score")
    message = _text(cell, "message") or ""
    passed = score >= most and not (most == 0 and message)
    names = cell.get("names")
    return TestResult(
        id=clean_line(cell["id"], MAX_ID) or "unnamed",
        name=clean_line(_text(cell, "name") or "", MAX_NAME) or _readable(cell["id"]),
        outcome=TestOutcome.PASSED if passed else TestOutcome.FAILED,
        message="" if passed else clean(author_message(message)),
        expected=clean_or_none(_text(cell, "expected")),
        actual=clean_or_none(_text(cell, "actual")),
        output=clean_end(_text(cell, "output") or ""),
        points=min(score, most, MAX_POINTS),
        max_points=min(most, MAX_POINTS),
        duration_s=read_number(cell.get("duration_s"), 0.0),
        names=_locale_names({f"name.{k}": str(v) for k, v in names.items()})
        if isinstance(names, dict)
        else {},
    )


def _score(cell: Mapping[str, object], key: str) -> float:
    value = cell.get(key)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9:
        return float(value)
    raise ReportUnusable(f"Cell {clean_line(str(cell.get('id')), 80)} has no usable '{key}'.")


def _text(cell: Mapping[str, object], key: str) -> str | None:
    value = cell.get(key)
    return None if value is None else str(value)


READERS: Mapping[ReportFormat, Callable[[str], list[TestResult]]] = {
    ReportFormat.JUNIT: read_junit,
    ReportFormat.TAP: read_tap,
    ReportFormat.NBGRADER: read_nbgrader,
}
"""Readers of a report's text; ``exit`` has none, since its exit code is the report."""
