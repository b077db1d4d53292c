"""TestResult and Outcome, and how they are scored; pure.

The JSON form (``version`` 1) follows the shape of Exercism's ``results.json`` v3:
https://exercism.org/docs/building/tooling/test-runners/interface
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from hexhub.catalog.model import Locale, Show
from hexhub.checks.assertions import author_words

RESULT_VERSION = 1
MAX_TEXT = 4_000
"""Characters kept of any one text of a test result."""
MAX_TESTS = 500
"""Tests kept of one report."""
MAX_ID = 200
MAX_NAME = 300
"""Characters of a test's id and of its name."""
MAX_POINTS = 1000.0


class OutcomeKind(StrEnum):
    """How an attempt ended (DESIGN §2)."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    UNGRADABLE = "ungradable"


class TestOutcome(StrEnum):
    """How one test ended."""

    __test__ = False
    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class TestResult:
    """One line of an outcome.

    Attributes:
        id: Stable within the step; what hints and ``expect.yml`` name.
        name: What the student reads.
        message: Why it failed, in the author's words where there are some.
        expected, actual: Both sides of the comparison that failed, as text, or None.
        output: What the test printed.
        points, max_points: What it gave and could give.
        names: Language tag → ``name`` in that language, where the author wrote one.
    """

    __test__ = False
    id: str
    name: str
    outcome: TestOutcome
    message: str = ""
    expected: str | None = None
    actual: str | None = None
    output: str = ""
    points: float = 0.0
    max_points: float = 1.0
    duration_s: float = 0.0
    names: Mapping[Locale, str] = field(default_factory=dict)

    def name_in(self, locale: Locale) -> str:
        """Give the name in ``locale``, else in its base language, else ``name``."""
        return self.names.get(locale) or self.names.get(locale.split("-")[0]) or self.name


@dataclass(frozen=True)
class Outcome:
    """The verdict on one attempt.

    Attributes:
        message: What the student reads above the tests; empty where the tests say it all.
        tests: In report order.
        output: The end of what the run printed; for authors, and students with ``show: full``.
    """

    kind: OutcomeKind
    message: str = ""
    tests: tuple[TestResult, ...] = ()
    output: str = ""
    duration_s: float = 0.0

    @property
    def is_pass(self) -> bool:
        """Tell whether the step is passed by this."""
        return self.kind is OutcomeKind.PASSED

    @property
    def failing_tests(self) -> tuple[str, ...]:
        """Ids of the tests that did not pass, in report order."""
        return tuple(t.id for t in self.tests if t.outcome is not TestOutcome.PASSED)


def cut(text: str, size: int = MAX_TEXT) -> str:
    """Cut ``text`` to ``size`` characters, saying how many are gone; the end is what is lost."""
    if len(text) <= size:
        return text
    return f"{text[:size]}\n[… {len(text) - size} more characters]"


def judge(
    tests: Sequence[TestResult], *, exit_code: int, expected_ids: Sequence[str] | None
) -> Outcome:
    """Turn the report of a run into a verdict.

    A pass needs all three: every test of the report passed, every expected test is in it, and the
    command ended with 0 (DESIGN §6).

    Args:
        tests: What the harness reported; may be empty.
        exit_code: Of the check command.
        expected_ids: Test ids that the author's solution produced when the course was published;
            None where that is not known yet (that is, while it is being found out).

    Returns:
        ``passed`` or ``failed``, or ``error`` where the report and the exit code disagree.
    """
    results = tuple(tests)
    bad = [t for t in results if t.outcome is not TestOutcome.PASSED]
    missing = sorted(set(expected_ids or ()) - {t.id for t in results})
    if bad:
        return Outcome(OutcomeKind.FAILED, tests=results)
    if missing:
        return Outcome(
            OutcomeKind.ERROR,
            message=f"The run ended before these tests: {', '.join(missing)}.",
            tests=results,
        )
    if exit_code != 0:
        return Outcome(
            OutcomeKind.ERROR,
            message=f"All tests passed, but the check ended with exit code {exit_code}.",
            tests=results,
        )
    if not results:
        return Outcome(OutcomeKind.ERROR, message="The check reported no tests.")
    return Outcome(OutcomeKind.PASSED, tests=results)


def redact(outcome: Outcome, show: Show) -> Outcome:
    """Take out of ``outcome`` what the author does not show (``show:`` of the check).

    With ``message`` the author's words stay, without the values that a test tool wrote into them.
    """
    if show is Show.FULL:
        return outcome
    tests = tuple(
        replace(
            test,
            message=author_words(test.message) if show is Show.MESSAGE else "",
            expected=None,
            actual=None,
            output="",
        )
        for test in outcome.tests
    )
    return replace(outcome, tests=tests, output="")
