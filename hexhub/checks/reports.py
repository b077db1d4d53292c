"""JUnit XML, TAP, exit code and nbgrader scores → test results; pure.

The run that wrote a report had a student's program in it, so a report is hostile until it has been
read: whatever it holds, reading gives test results that may be stored and shown, or raises
:class:`~hexhub.errors.ReportUnusable`.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from hexhub.catalog.model import ReportFormat
from hexhub.checks.model import MAX_TESTS, TestOutcome, TestResult
from hexhub.checks.texts import clean, clean_end, clean_line
from hexhub.errors import ReportUnusable

MAX_ID = 200
MAX_NAME = 300
MAX_POINTS = 1000.0
EXIT_TEST = "exit"
"""Id of the one test of a check that reports by its exit code."""

_LOCALE_NAME = re.compile(r"(?:hexhub\.)?name\.([a-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3})")
_CAPTURED = re.compile(r"^-{5,} Captured (?:Log|Out|Err)[a-z ]* -{5,}$\n?", re.MULTILINE)
"""pytest's headings over what a test printed, written also where it printed nothing."""
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
    return _merge(_read_case(case) for case in root.iter("testcase"))


def _read_case(case: Element) -> TestResult:
    properties = {
        str(item.get("name", "")): str(item.get("value") or item.text or "")
        for item in case.iterfind("properties/property")
    }
    outcome, message = TestOutcome.PASSED, ""
    for child in case:
        found = _case_outcome(child)
        if found is not None and _SEVERITY.index(found) > _SEVERITY.index(outcome):
            outcome = found
            message = _failure_message(child)
    if outcome is TestOutcome.PASSED and case.get("status", "").lower() in ("notrun", "disabled"):
        outcome = TestOutcome.SKIPPED
    max_points = _number(properties.get("hexhub.points"), 1.0)
    name = str(case.get("name", ""))
    output = "\n".join(
        part.text for part in case if part.tag in ("system-out", "system-err") and part.text
    )
    return TestResult(
        id=clean_line(properties.get("hexhub.id", ""), MAX_ID)
        or _test_id(str(case.get("classname", "")), name, str(case.get("file", ""))),
        name=clean_line(properties.get("hexhub.name", ""), MAX_NAME) or _readable(name),
        outcome=outcome,
        message=clean(message),
        expected=_optional(properties.get("hexhub.expected")),
        actual=_optional(properties.get("hexhub.actual")),
        output=clean_end(_CAPTURED.sub("", output).strip("\n")),
        points=max_points if outcome is TestOutcome.PASSED else 0.0,
        max_points=max_points,
        duration_s=_number(str(case.get("time", "")).replace(",", ""), 0.0, most=1e6),
        names=_locale_names(properties),
    )


def _case_outcome(child: Element) -> TestOutcome | None:
    return {
        "failure": TestOutcome.FAILED,
        "error": TestOutcome.ERROR,
        "skipped": TestOutcome.SKIPPED,
    }.get(str(child.tag))


def _failure_message(child: Element) -> str:
    said = str(child.get("message") or "").strip() or str(child.text or "").strip()
    return author_message(said)


_ASSERTION = re.compile(
    r"\A(?:AssertionError|Failed|(?:[\w.]+\.)?(?:Student|Machine)Error)(?:: ?|\Z)"
)
_ASSERT_LINE = re.compile(r"^\s*assert\b", re.MULTILINE)


def author_message(said: str) -> str:
    """Give what the author wrote behind the comma of an ``assert``, where that is in ``said``.

    pytest says ``AssertionError: <author's words>`` and then the comparison as it sees it; without
    words there is only the comparison, whose first line is kept.
    """
    text = _ASSERTION.sub("", said, count=1).strip()
    comparison = _ASSERT_LINE.search(text)
    if comparison is None:
        return text
    words = text[: comparison.start()].strip()
    return words or text.splitlines()[0].strip()


def _test_id(classname: str, name: str, file: str) -> str:
    """Give ``<file stem>::<function>[<parameters>]``, with classes in between where there are some.

    pytest writes folders, file and classes as one dotted word; the last part in small letters is
    the file.
    """
    parts = [part for part in classname.split(".") if part]
    if file:
        stem = file.replace("\\", "/").rsplit("/", 1)[-1].split(".", 1)[0]
        classes = parts[parts.index(stem) + 1 :] if stem in parts else []
        parts = [stem, *classes]
    else:
        small = [place for place, part in enumerate(parts) if not part[:1].isupper()]
        parts = parts[small[-1] :] if small else parts[-1:]
    return clean_line("::".join([*parts, name] if name else parts), MAX_ID) or "unnamed"


def _readable(name: str) -> str:
    function, bracket, parameters = name.partition("[")
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


def _optional(text: str | None) -> str | None:
    return None if text is None else clean(text)


def _number(text: object, default: float, *, most: float = MAX_POINTS) -> float:
    """Read a number that is neither negative nor without bounds; anything else is ``default``."""
    try:
        number = float(text)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return default
    return min(number, most) if math.isfinite(number) and number >= 0 else default


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


# --- TAP ------------------------------------------------------------------------------------------

_PLAN = re.compile(r"1\.\.(\d{1,9})\s*(?:#.*)?")
_POINT = re.compile(r"(?P<not>not )?ok\b(?:\s+(?P<number>\d{1,9}))?(?:\s+-)?\s*(?P<description>.*)")
_DIRECTIVE = re.compile(r"(?<!\\)#\s*(?P<word>skip|todo)\S*\s*(?P<reason>.*)", re.IGNORECASE)
_BAIL = re.compile(r"Bail out!\s*(?P<reason>.*)")
_YAML_KEY = re.compile(r"\s*(?P<key>message|expected|wanted|actual|found|got)\s*:\s*(?P<value>.*)")


def read_tap(text: str) -> list[TestResult]:
    """Read the Test Anything Protocol, versions 12 to 14.

    Lines of subtests are left to their parent.
    The description is the id, since numbers change whenever an author adds a test. ``todo`` and
    ``skip`` count as skipped, and so never as passed. A plan that is not kept and ``Bail out!`` are
    tests that ended in error.

    Raises:
        ReportUnusable: There is no line of TAP in it, or there are too many tests.
    """
    results: list[TestResult] = []
    notes: list[list[str]] = []
    planned: int | None = None
    bailed: str | None = None
    for line in text.splitlines():
        if line[:1].isspace() or line.startswith("#"):
            if notes:
                notes[-1].append(line)
            continue
        if match := _BAIL.match(line):
            bailed = match["reason"].strip() or "no reason given"
            break
        if match := _PLAN.fullmatch(line.strip()):
            planned = int(match[1])
        elif match := _POINT.fullmatch(line.rstrip()):
            results.append(_read_point(match, len(results) + 1))
            notes.append([])
            if len(results) > MAX_TESTS:
                raise ReportUnusable(f"The report has more than {MAX_TESTS} tests.")
    if not results and planned is None and bailed is None:
        raise ReportUnusable("The report is no TAP: it has neither a plan nor a test.")
    results = [_with_notes(result, lines) for result, lines in zip(results, notes, strict=True)]
    if bailed is not None:
        results.append(_broken("bail-out", "The check gave up", f"It gave up: {bailed}"))
    elif planned is not None and planned != len(results):
        results.append(
            _broken(
                "plan",
                "All planned tests have run",
                f"{planned} tests were planned, {len(results)} have run.",
            )
        )
    return _unique(results)


def _read_point(match: re.Match[str], place: int) -> TestResult:
    description, outcome, reason = match["description"], TestOutcome.PASSED, ""
    if match["not"]:
        outcome = TestOutcome.FAILED
    directive = _DIRECTIVE.search(description)
    if directive:
        description, reason = description[: directive.start()], directive["reason"]
        if outcome is TestOutcome.FAILED or directive["word"].lower() == "skip":
            outcome = TestOutcome.SKIPPED
    name = clean_line(re.sub(r"\\([#\\])", r"\1", description), MAX_NAME)
    return TestResult(
        id=name[:MAX_ID] or f"test-{place}",
        name=name or f"Test {place}",
        outcome=outcome,
        message=clean(reason.strip()),
        points=1.0 if outcome is TestOutcome.PASSED else 0.0,
    )


def _with_notes(result: TestResult, lines: list[str]) -> TestResult:
    """Add what stands below a test point: comments, and YAML between ``---`` and ``...``."""
    if result.outcome is TestOutcome.PASSED or not lines:
        return result
    comments: list[str] = []
    found: dict[str, str] = {}
    is_yaml = False
    for line in lines:
        word = line.strip()
        if word == "---":
            is_yaml = True
        elif word == "...":
            is_yaml = False
        elif is_yaml:
            if match := _YAML_KEY.fullmatch(line):
                value = match["value"].strip()
                if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
                    value = value[1:-1]
                found.setdefault(match["key"], value)
        elif word.startswith("#") and not line[:1].isspace():
            comments.append(word.lstrip("#").strip())
    expected = found.get("expected", found.get("wanted"))
    actual = found.get("actual", found.get("found", found.get("got")))
    message = result.message or found.get("message", "") or "\n".join(comments)
    return replace(
        result, message=clean(message), expected=_optional(expected), actual=_optional(actual)
    )


def _broken(test_id: str, name: str, message: str) -> TestResult:
    return TestResult(id=test_id, name=name, outcome=TestOutcome.ERROR, message=clean(message))


def _unique(results: list[TestResult]) -> list[TestResult]:
    """Number the ids that occur more than once, in report order: ``adds``, ``adds #2``."""
    seen: dict[str, int] = {}
    taken = {result.id for result in results}
    made: list[TestResult] = []
    for result in results:
        count = seen.get(result.id, 0) + 1
        seen[result.id] = count
        wanted = result.id
        while count > 1 and wanted in taken:
            wanted = f"{result.id} #{count}"
            count += 1
        taken.add(wanted)
        made.append(replace(result, id=wanted))
    return made


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
        expected=_optional(_text(cell, "expected")),
        actual=_optional(_text(cell, "actual")),
        output=clean_end(_text(cell, "output") or ""),
        points=min(score, most, MAX_POINTS),
        max_points=min(most, MAX_POINTS),
        duration_s=_number(cell.get("duration_s"), 0.0, most=1e6),
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
