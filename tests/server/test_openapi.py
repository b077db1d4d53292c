"""The documented API is the one that answers: same routes, and answers of the documented form."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from ruamel.yaml import YAML

from hexhub import errors
from hexhub.checks.model import Outcome, OutcomeKind, TestOutcome, TestResult
from hexhub.errors import HexHubError
from hexhub.service.handlers import STATUS
from hexhub.service.routes import API_ROUTES

from .conftest import API, LESSON, Service
from .stub_hub import StartScript

ROOT = Path(__file__).parents[2]
DOCUMENT: dict[str, Any] = YAML(typ="safe").load(ROOT / "docs" / "openapi.yaml")
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
SAMPLES = {
    "attempt_failed": "Attempt",
    "attempt_queued": "Attempt",
    "attempt_regraded": "Attempt",
    "courses": "Courses",
    "events/report": "Report",
    "events/reported": "Reported",
    "error": "Error",
    "hint": "Hint",
    "lesson": "Lesson",
    "machine": "Machine",
    "server": "Server",
    "solution": "Solution",
    "starter": "Starter",
    "starter_file": "StarterFile",
}


def check_against(schema: str, content: object) -> None:
    """Pass if ``content`` has the form of a named schema of the document."""
    whole = {"$ref": f"#/components/schemas/{schema}", "components": DOCUMENT["components"]}
    Draft202012Validator(whole).validate(content)


def check_answer(answer: httpx.Response, method: str, path: str) -> None:
    """Pass if an answer is one that the document allows at this route."""
    documented = DOCUMENT["paths"][path][method]["responses"]
    response = documented.get(str(answer.status_code), documented["default"])
    if "$ref" in response:
        response = DOCUMENT["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    reference: str = response["content"]["application/json"]["schema"]["$ref"]
    check_against(reference.rsplit("/", 1)[1], answer.json())


def test_document_is_valid() -> None:
    """The document is OpenAPI 3.1 by its own schema."""
    assert DOCUMENT["openapi"].startswith("3.1")
    validate(DOCUMENT)


def test_document_has_every_route_and_no_other() -> None:
    """What is documented is served, and what is served is documented."""
    documented = {
        (method, path.removeprefix("/"))
        for path, operations in DOCUMENT["paths"].items()
        for method in METHODS & operations.keys()
    }

    assert documented == {(method, path) for method, path, _handler in API_ROUTES}


def test_document_has_every_argument_and_no_other() -> None:
    """The arguments of each route are the documented ones."""
    for method, path, handler in API_ROUTES:
        operation = DOCUMENT["paths"][f"/{path}"][method]
        names = {
            DOCUMENT["components"]["parameters"][p["$ref"].rsplit("/", 1)[1]]["name"]
            if "$ref" in p
            else p["name"]
            for p in operation.get("parameters", [])
        }
        assert names == set(handler.arguments_allowed), path


def test_document_has_every_error_code() -> None:
    """Each code that the status table lets out is documented."""
    codes = set(
        DOCUMENT["components"]["schemas"]["Error"]["properties"]["error"]["properties"]["code"][
            "enum"
        ]
    )

    assert {error.code for error in STATUS} == codes


def test_every_error_has_a_status() -> None:
    """An error that was raised on purpose has a row of the table, itself or by its parent."""
    rows = set(STATUS)
    own = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, HexHubError)]

    assert rows <= set(own)
    assert all(any(parent in rows for parent in error.__mro__) for error in own)


@pytest.mark.parametrize(("name", "schema"), SAMPLES.items())
def test_golden_samples_have_the_documented_form(name: str, schema: str) -> None:
    """The samples that all parts test against are what the document says."""
    check_against(schema, json.loads((ROOT / "tests" / "contract" / f"{name}.json").read_text()))


def test_all_samples_are_looked_at() -> None:
    """No golden sample of the API is left out."""
    folder = ROOT / "tests" / "contract"
    there = {p.relative_to(folder).with_suffix("").as_posix() for p in folder.rglob("*.json")}

    assert there >= set(SAMPLES)


def golden_report() -> dict[str, Any]:
    """A batch of every kind of event, as the lesson extension sends it."""
    report: dict[str, Any] = json.loads((ROOT / "tests/contract/events/report.json").read_text())
    return report


async def test_real_answers_have_the_documented_form(service: Service) -> None:
    """A student's way through a lesson: every answer, also refusals, is as documented."""
    service.hub.script = StartScript(
        events=[{"progress": 15, "message": "Making"}], pause_s=0.2, answers_after_s=0.05
    )
    client = service.client(service.hub.person("ada"))
    seen: set[tuple[str, str, int]] = set()

    async def ask(method: str, path: str, **more: str) -> httpx.Response:
        values = {"course": "tiny", "lesson": "first", "step": "one", **more}
        url = f"{API}{path.format(**values)}?{values.pop('query', '')}".removesuffix("?")
        answer = await client.request(method, url)
        check_answer(answer, method.lower(), f"/{path}")
        seen.add((method.lower(), path, answer.status_code))
        return answer

    steps = "lessons/{course}/{lesson}/steps/{step}"
    await ask("GET", "courses")
    await ask("GET", "lessons/{course}/{lesson}")
    await ask("GET", "lessons/{course}/{lesson}", lesson="nowhere")
    await ask("GET", "lessons/{course}/{lesson}/server")
    await ask("POST", "lessons/{course}/{lesson}/open")
    await ask("POST", "lessons/{course}/{lesson}/open", course="closed", lesson="second")
    await ask("GET", "lessons/{course}/{lesson}/server")
    await ask("GET", "lessons/{course}/{lesson}/machine")
    await ask("POST", "lessons/{course}/{lesson}/stop")
    await ask("POST", "lessons/{course}/{lesson}/reset/undo")
    service.hub.facts["undo_until"] = "2126-11-24T10:00:00+00:00"
    await ask("POST", "lessons/{course}/{lesson}/reset/undo")
    await ask("POST", "lessons/{course}/{lesson}/reset")
    await ask("GET", "lessons/{course}/{lesson}/starter")
    await ask("GET", "lessons/{course}/{lesson}/starter/file")
    await ask("GET", "lessons/{course}/{lesson}/starter/file", query="path=app.py")
    await ask("GET", "lessons/{course}/{lesson}/starter/file", query="path=no.py")
    await ask("POST", f"{steps}/hints")
    await ask("POST", f"{steps}/hints")
    await ask("POST", f"{steps}/attempts", step="two")
    attempt_id = (await ask("POST", f"{steps}/attempts")).json()["id"]
    await ask("POST", f"{steps}/attempts")
    await ask("GET", "attempts/{id}", id=attempt_id)
    tests = (
        TestResult("t::a", "A", TestOutcome.FAILED, message="m", expected="1", actual="2"),
        TestResult("t::b", "B", TestOutcome.ERROR),
    )
    service.finish(attempt_id, Outcome(OutcomeKind.FAILED, tests=tests, duration_s=0.5))
    await ask("GET", "attempts/{id}", id=attempt_id)
    await ask("GET", "attempts/{id}", id="0" * 32)
    again = (await ask("POST", f"{steps}/attempts")).json()["id"]
    await ask("POST", "attempts/{id}/cancel", id=again)
    await ask("GET", f"{steps}/history")
    await ask("GET", "lessons/{course}/{lesson}/images/{image}", image="none.png")
    await ask("GET", "lessons/{course}/{lesson}/images/{image}", image="drawing.svg")
    await ask("GET", "lessons/{course}/{lesson}")
    await ask("GET", "lessons/{course}/{lesson}/solution")
    await ask("POST", f"{steps}/done")
    service.pass_steps("one", "two")
    await ask("POST", f"{steps}/done", step="three")
    await ask("GET", "lessons/{course}/{lesson}/solution")
    await ask("GET", "courses")
    answer = await service.machine().post(f"{LESSON}/events", json=golden_report())
    check_answer(answer, "post", "/lessons/{course}/{lesson}/events")
    seen.add(("post", "lessons/{course}/{lesson}/events", answer.status_code))

    assert {(method, path) for method, path, _ in seen} == {(m, p) for m, p, _ in API_ROUTES}
    assert {status for _, _, status in seen} >= {200, 201, 400, 403, 404, 409}
    assert LESSON.startswith(API)
