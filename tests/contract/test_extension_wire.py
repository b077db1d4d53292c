"""The lesson extension reads every golden sample, and asks only for what OpenAPI documents."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hexhub_lesson import wire
from hexhub_lesson.handlers import ROUTES, Route, make_error
from hexhub_lesson.machine_handlers import LOCAL_ROUTES
from ruamel.yaml import YAML

SAMPLES = Path(__file__).parent
OPENAPI = SAMPLES.parents[1] / "docs/openapi.yaml"
SOURCES = SAMPLES.parents[1] / "lesson_extension/src"


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def test_it_reads_a_lesson() -> None:
    """Everything that the terminal shows of a lesson is in the sample."""
    lesson = wire.parse_lesson(sample("lesson"))
    assert (lesson.course, lesson.title) == ("A real machine", "Serve a page")
    assert lesson.locale == "en"
    assert not lesson.is_finished
    assert lesson.current_step == "listens"
    assert lesson.solution_reason == "The solution opens when all steps are passed."
    assert lesson.next_lesson == wire.Link(
        "A database of your own", "/services/hexhub/courses/real-machine/lessons/database/open"
    )
    first, second = lesson.steps
    assert first == wire.StepView(
        name="listens",
        title="Listen",
        state=wire.OPEN,
        task="Make nginx listen on port 8000.",
        has_check=True,
        hints_total=2,
        hints_taken=("Look at `nginx -T`.",),
        hint_reason="This hint opens after 1 more check.",
    )
    assert (second.state, second.task, second.hint_reason) == (wire.LOCKED, None, "")


def test_it_reads_attempts_queued_and_done() -> None:
    """A waiting attempt has a place and no outcome; a finished one has both sides of its tests."""
    queued = wire.parse_attempt(sample("attempt_queued"))
    assert (queued.state, queued.position, queued.outcome) == ("queued", 1, None)
    done = wire.parse_attempt(sample("attempt_failed"))
    assert done.outcome is not None
    assert done.outcome.outcome == "failed"
    assert [test.outcome for test in done.outcome.tests] == ["passed", "failed"]
    assert done.outcome.tests[1].expected == "Hello"
    assert done.outcome.tests[1].actual == "Welcome to nginx!"
    assert (queued.regraded_with, done.regraded_with) == ("", "")


def test_it_reads_what_was_graded_again() -> None:
    """A newer verdict names its version; a hub that does not know the word has none."""
    newer = sample("attempt_regraded")
    older = {k: v for k, v in newer.items() if k != "regraded"}
    read = wire.parse_attempts({"version": 1, "attempts": [newer, older]})
    assert [attempt.regraded_with for attempt in read] == ["3f9c1d20ab4e", ""]


def test_it_reads_hint_solution_and_error() -> None:
    """The small ones."""
    assert wire.parse_hint(sample("hint")).total == 2
    solution = wire.parse_solution(sample("solution"))
    assert solution.files == (
        wire.SolutionFile("site/index.html", "<h1>Hello</h1>\n"),
        wire.SolutionFile("logo.png", None),
    )
    assert solution.script == "#!/bin/sh\nnginx\n"
    assert wire.parse_error(sample("error")).code == "step_locked"


def test_its_own_errors_have_the_form_of_the_apis() -> None:
    """The panel cannot tell, and need not, who of the two has refused."""
    own = json.loads(wire.write_error("step_locked", sample("error")["error"]["message"]))
    assert own == sample("error")
    for status in (400, 403, 404, 405, 418, 500, 503):
        assert wire.parse_error(json.loads(make_error(status, None))).code


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.pattern)
def test_every_route_is_documented_with_its_arguments(route: Route) -> None:
    """The API refuses arguments that it does not know, so that none may be made up here."""
    document = YAML(typ="safe").load(OPENAPI.read_text(encoding="utf-8"))
    paths = {re.sub(r"\{\w+\}", "{}", path): item for path, item in document["paths"].items()}
    item = paths["/" + re.sub(r"\{\w+\}", "{}", route.api_path)]
    operation = item[route.method.lower()]
    known = {
        argument.get("name") or argument["$ref"].rpartition("/")[2]
        for argument in operation.get("parameters", [])
    }
    assert set(route.query) <= known


def test_the_front_end_asks_only_for_these_routes() -> None:
    """Each method and path in ``request.ts`` is in the extension's tables."""
    source = (SOURCES / "request.ts").read_text(encoding="utf-8")
    calls = re.findall(r"call\(\s*\w+,\s*'(GET|POST)',\s*[`']([^`']+)[`']", source)
    routes = [*ROUTES, *LOCAL_ROUTES]
    assert len(calls) >= 6
    for method, template in calls:
        path = template.replace("${at(step)}", "steps/listens").partition("?")[0]
        path = path.replace("attempts/${encodeURIComponent(id)}", f"attempts/{'0' * 32}")
        path = path.replace("${encodeURIComponent(name)}", "a.png")
        found = [r for r in routes if r.method == method and re.fullmatch(r.pattern, path)]
        assert found, f"{method} {template}"


def test_it_reads_the_starter() -> None:
    """Names with their steps, and one file whatever is in it."""
    entries = wire.parse_starter(sample("starter"))
    assert entries == (
        wire.StarterEntry("index.html", ("listens",)),
        wire.StarterEntry("serve.sh", ()),
    )
    file = wire.parse_starter_file(sample("starter_file"))
    assert file == wire.StarterFile("IyEvYmluL3NoCg==", is_executable=True)
