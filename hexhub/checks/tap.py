"""The Test Anything Protocol, versions 12 to 14 → test results; pure.

Design choices: a subtest is a test of its own where its parent is a mere group of tests: node:test
says ``type: 'suite'`` of those, and Vitest puts them into braces. Elsewhere (Perl's Test::More,
tap) the parent is the test and its subtests are the assertions in it: the parent is kept, with
what its first failing assertion says. YAML is read line by line: what stands there may come from a
student's program, and a YAML library would follow aliases and tags.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from hexhub.checks.assertions import read_comparison
from hexhub.checks.complaints import without_bats_place
from hexhub.checks.model import MAX_ID, MAX_NAME, MAX_TESTS, TestOutcome, TestResult
from hexhub.checks.texts import clean, clean_line, clean_or_none, read_number
from hexhub.errors import ReportUnusable

_PLAN = re.compile(r"1\.\.(\d{1,9})\s*(?:#.*)?")
_POINT = re.compile(
    r"(?P<indent>[ \t]*)(?P<not>not )?ok\b(?:\s+(?P<number>\d{1,9})\b)?(?:\s+-(?=\s|\Z))?\s*"
    r"(?P<description>.*)"
)
_DIRECTIVE = re.compile(r"(?<!\\)#\s*(?P<word>skip|todo)\S*\s*(?P<reason>.*)", re.IGNORECASE)
_TIME = re.compile(r"(?<!\\)#\s*time=(?P<time>[\d.]+)(?P<unit>ms|s)\b\s*")
_BAIL = re.compile(r"Bail out!\s*(?P<reason>.*)")
_KEY = re.compile(r"(?P<indent>\s*)(?P<key>\w+)\s*:(?:\s+(?P<value>.*)|\s*)")
_BLOCK = re.compile(r"[|>][+-]?\d?")
_ESCAPE = re.compile(r'\\(["\\/])')
_MAX_DEPTH = 20


@dataclass
class _Point:
    """One test line, with what stands below it and the points of its subtest."""

    description: str
    is_ok: bool
    place: int
    is_open: bool = False
    comments: list[str] = field(default_factory=list)
    yaml: list[str] = field(default_factory=list)
    children: list["_Point"] = field(default_factory=list)


def read_tap(text: str) -> list[TestResult]:
    """Read the Test Anything Protocol, versions 12 to 14.

    The description is the id, since numbers change whenever an author adds a test. ``todo`` and
    ``skip`` count as skipped, and so never as passed. A plan that is not kept and ``Bail out!`` are
    tests that ended in error.

    Raises:
        ReportUnusable: There is no line of TAP in it, or there are too many tests.
    """
    reader = _Reader()
    for line in text.splitlines():
        if reader.bailed is None:
            reader.read_line(line)
    points = reader.finish()
    if not points and reader.planned is None and reader.bailed is None:
        raise ReportUnusable("The report is no TAP: it has neither a plan nor a test.")
    results = list(_results(points))
    if reader.bailed is not None:
        results.append(_broken("bail-out", "The check gave up", f"It gave up: {reader.bailed}"))
    elif reader.planned is not None and reader.planned != reader.top_level:
        results.append(
            _broken(
                "plan",
                "All planned tests have run",
                f"{reader.planned} tests were planned, {reader.top_level} have run.",
            )
        )
    if len(results) > MAX_TESTS:
        raise ReportUnusable(f"The report has more than {MAX_TESTS} tests.")
    return _unique(results)


class _Reader:
    """Builds the tree of test lines: what is indented belongs to the next line that is less so."""

    def __init__(self) -> None:
        self.planned: int | None = None
        self.bailed: str | None = None
        self.top_level = 0
        self._count = 0
        self._levels: list[tuple[int, list[_Point]]] = [(0, [])]
        self._last: _Point | None = None
        self._in_yaml = False

    def read_line(self, line: str) -> None:
        stripped = line.strip()
        match = _POINT.fullmatch(line.rstrip())
        if self._in_yaml:
            # A block that nobody has ended must not swallow the tests of the top level.
            if stripped == "...":
                self._in_yaml = False
                return
            if match is None or match["indent"]:
                if self._last is not None:
                    self._last.yaml.append(line)
                return
            self._in_yaml = False
        if match is not None:
            self._add(match)
        elif stripped == "---" and self._last is not None and line[:1].isspace():
            self._in_yaml = not self._last.yaml
        elif stripped == "}":
            self._close(_width(line) + 1)
        elif stripped.startswith("#"):
            if self._last is not None and not stripped.startswith("# Subtest"):
                # Only "# " goes: Perl indents what it found, and what it expected, behind it.
                self._last.comments.append(stripped.removeprefix("#").removeprefix(" "))
        elif not line[:1].isspace():
            if bail := _BAIL.match(line):
                self.bailed = bail["reason"].strip() or "no reason given"
            elif plan := _PLAN.fullmatch(stripped):
                # What comes after a plan at the end is a summary, and of no test.
                self.planned, self._last = int(plan[1]), None

    def finish(self) -> list[_Point]:
        """Give the points of the top level; failing ones that lost their parent stand there too."""
        lost = self._close(1)
        return self._levels[0][1] + [point for point in lost if not point.is_ok]

    def _add(self, match: re.Match[str]) -> None:
        width = _width(match["indent"])
        self._count += 1
        if self._count > MAX_TESTS:
            raise ReportUnusable(f"The report has more than {MAX_TESTS} tests.")
        children = self._close(width + 1)
        if self._levels[-1][0] < width and len(self._levels) < _MAX_DEPTH:
            self._levels.append((width, []))
        points = self._levels[-1][1]
        description = match["description"]
        is_open = description.endswith("{")
        point = _Point(
            description.removesuffix("{").rstrip(), not match["not"], len(points) + 1, is_open
        )
        point.children = children
        points.append(point)
        self.top_level += len(self._levels) == 1
        self._last = point

    def _close(self, width: int) -> list[_Point]:
        """Leave all levels that are indented by ``width`` or more; give the points they had."""
        children: list[_Point] = []
        while len(self._levels) > 1 and self._levels[-1][0] >= width:
            children = self._levels.pop()[1] + children
            parent = self._levels[-1][1][-1] if self._levels[-1][1] else None
            if parent is not None and parent.is_open and children:
                parent.children += children
                children = []
        return children


def _width(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _results(points: Sequence[_Point], group: tuple[str, ...] = ()) -> Iterator[TestResult]:
    for point in points:
        yaml = _read_yaml(point.yaml)
        is_group = point.is_open or yaml.get("type") == "suite"
        result = _read_point(point, yaml, group, is_group=is_group)
        if not is_group or not point.children:
            yield result
            continue
        inner = list(_results(point.children, (*group, _name_of(point))))
        yield from inner
        has_failing = any(r.outcome in (TestOutcome.FAILED, TestOutcome.ERROR) for r in inner)
        is_own_failure = yaml.get("failureType", "subtestsFailed") != "subtestsFailed"
        if result.outcome is TestOutcome.FAILED and (is_own_failure or not has_failing):
            # Such as what was to be done before all of them.
            yield result


def _name_of(point: _Point) -> str:
    words = _TIME.sub("", point.description)
    directive = _DIRECTIVE.search(words)
    words = words[: directive.start()] if directive else words
    return clean_line(re.sub(r"\\([#\\])", r"\1", words), MAX_NAME)


def _read_point(
    point: _Point, yaml: dict[str, str], group: tuple[str, ...], *, is_group: bool = False
) -> TestResult:
    outcome = TestOutcome.PASSED if point.is_ok else TestOutcome.FAILED
    reason, duration_s = "", read_number(yaml.get("duration_ms"), 0.0) / 1000
    if timed := _TIME.search(point.description):
        duration_s = read_number(timed["time"], 0.0) / (1000 if timed["unit"] == "ms" else 1)
    if directive := _DIRECTIVE.search(_TIME.sub("", point.description)):
        outcome, reason = TestOutcome.SKIPPED, directive["reason"].strip(" -")
    name = _name_of(point)
    result = TestResult(
        id=clean_line("::".join([*group, name or f"test-{point.place}"]), MAX_ID),
        name=name or f"Test {point.place}",
        outcome=outcome,
        message=clean(reason),
        points=1.0 if outcome is TestOutcome.PASSED else 0.0,
        duration_s=duration_s,
    )
    if outcome is TestOutcome.PASSED:
        return result
    return _with_notes(result, point, yaml, () if is_group else point.children)


def _with_notes(
    result: TestResult, point: _Point, yaml: dict[str, str], children: Sequence[_Point]
) -> TestResult:
    """Add what stands below a test line, or below the first failing one of its subtest."""
    comments = _join_comments(point.comments)
    message = yaml.get("message") or yaml.get("error") or comments
    expected = yaml.get("expected", yaml.get("wanted"))
    actual = yaml.get("actual", yaml.get("found", yaml.get("got")))
    if expected is None or actual is None:
        for text in (yaml.get("diff", ""), message, comments):
            if compared := read_comparison(text):
                expected, actual = compared.expected, compared.actual
                break
    for child in children:
        if not child.is_ok and not _DIRECTIVE.search(child.description):
            inner = _read_point(child, _read_yaml(child.yaml), ())
            if expected is None or actual is None:
                expected, actual = inner.expected, inner.actual
            message = "\n".join(part for part in (_name_of(child), inner.message) if part)
            break
    return replace(
        result,
        message=result.message or clean(message.strip()),
        expected=None if actual is None else clean_or_none(expected),
        actual=None if expected is None else clean_or_none(actual),
    )


_PERL_HEADING = re.compile(r"^  Failed (?:\(TODO\) )?test\b.*\n(?:  at .*\n?)?", re.MULTILINE)
_PERL_SUMMARY = re.compile(r"^Looks like (?:you|your test) .*$", re.MULTILINE)


def _join_comments(comments: Sequence[str]) -> str:
    text = _PERL_SUMMARY.sub("", _PERL_HEADING.sub("", "\n".join(comments)))
    return without_bats_place(text.strip("\n"))


def _read_yaml(lines: Sequence[str]) -> dict[str, str]:
    """Give the texts of the outermost keys, and those below ``error`` (Vitest's form)."""
    found = _read_keys(lines)
    value, inner = found.pop("error", ("", []))
    if value or inner:
        below = {} if value else _read_keys(inner)
        for key, pair in (below or {"error": (value, inner)}).items():
            found.setdefault(key, pair)
    texts = {key: _text_of(value, inner) for key, (value, inner) in found.items() if value or inner}
    return texts | {
        key: without_bats_place(texts[key]) for key in ("message", "error") if key in texts
    }


def _read_keys(lines: Sequence[str]) -> dict[str, tuple[str, list[str]]]:
    """Give the outermost keys: what stands behind each, and the lines below it.

    Values are plain, quoted (also over several lines), blocks (``|`` and ``>``) or maps.
    """
    found: dict[str, tuple[str, list[str]]] = {}
    at = next((_width(line) for line in lines if line.strip()), 0)
    place = 0
    while place < len(lines):
        match = _KEY.fullmatch(lines[place])
        place += 1
        if match is None or len(match["indent"]) != at:
            continue
        value = (match["value"] or "").strip()
        inner: list[str] = []
        if value.startswith('"') and not _is_closed(value):
            while place < len(lines) and not (inner and _is_closed(f'"{inner[-1]}')):
                inner.append(lines[place])
                place += 1
            value, inner = "\n".join([value, *inner]), []
        else:
            while place < len(lines) and (_width(lines[place]) > at or not lines[place].strip()):
                inner.append(lines[place])
                place += 1
        found.setdefault(match["key"], ("" if _BLOCK.fullmatch(value) else value, inner))
    return found


def _text_of(value: str, inner: Sequence[str]) -> str:
    return _unquoted(value) if value else _dedented(inner)


def _is_closed(value: str) -> bool:
    return len(value) > 1 and value.endswith('"') and not value.endswith('\\"')


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == '"':
        return _ESCAPE.sub(r"\1", value[1:-1])
    if len(value) > 1 and value[0] == value[-1] == "'":
        return value[1:-1].replace("''", "'")
    return value


def _dedented(lines: Sequence[str]) -> str:
    margin = min((_width(line) for line in lines if line.strip()), default=0)
    return "\n".join(line[margin:] for line in lines).strip("\n")


def _broken(test_id: str, name: str, message: str) -> TestResult:
    return TestResult(id=test_id, name=name, outcome=TestOutcome.ERROR, message=clean(message))


def _unique(results: Sequence[TestResult]) -> list[TestResult]:
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
