"""Outcomes keep to their JSON Schema, wherever a program reads one."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from ruamel.yaml import YAML

from hexhub.catalog.model import CheckKind, CheckSpec, ReportFormat
from hexhub.checks.harness import HarnessAnswer
from hexhub.checks.model import MAX_TESTS, MAX_TEXT, Outcome, OutcomeKind
from hexhub.checks.runner import judge_answer
from hexhub.checks.schemas import read_outcome_schema
from hexhub.cli.check import author_json
from hexhub.names import StepName
from hexhub.service.wire import outcome_json

ROOT = Path(__file__).parents[2]
SCHEMA: dict[str, Any] = read_outcome_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
LONG = "y" * (MAX_TEXT * 3)


def outcome_of(report: str, kind: ReportFormat = ReportFormat.JUNIT) -> Outcome:
    """Judge a report as the worker does."""
    spec = CheckSpec(CheckKind.FILES, "pytest", kind, 20.0)
    answer = HarnessAnswer(
        exit_code=1,
        timed_out=False,
        output=LONG,
        output_bytes=len(LONG),
        report=report,
        report_too_big=False,
        duration_s=0.5,
    )
    return judge_answer(spec, answer, expected_ids=[f"{LONG[:190]}{n}" for n in range(MAX_TESTS)])


OUTCOMES = {
    "no report": outcome_of("nothing"),
    "no tests": outcome_of("<testsuite/>"),
    "missing tests": outcome_of('<testsuite><testcase name="t"/></testsuite>'),
    "long texts": outcome_of(
        f'<testsuite><testcase classname="{LONG}" name="{LONG}"><properties>'
        f'<property name="hexhub.expected" value="{LONG}"/>'
        f'<property name="hexhub.actual" value="{LONG}"/></properties>'
        f'<failure message="{LONG}"/><system-out>{LONG}</system-out></testcase></testsuite>'
    ),
    "many points": outcome_of(
        '<testsuite><testcase name="t" time="1e99"><properties>'
        '<property name="hexhub.points" value="1e99"/></properties></testcase></testsuite>'
    ),
    "as many tests as may be": outcome_of(
        "".join(f"not ok - {LONG[:300]}\n" for _ in range(MAX_TESTS)), ReportFormat.TAP
    ),
    "exit code": outcome_of("", ReportFormat.EXIT),
    "cells": outcome_of(
        json.dumps({"cells": [{"id": LONG, "score": 0, "max_score": 1, "message": LONG}]}),
        ReportFormat.NBGRADER,
    ),
    "of ours": Outcome(OutcomeKind.UNGRADABLE, message=LONG),
}


def test_the_schema_is_one() -> None:
    """The schema itself is a JSON Schema of the draft that it names."""
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES)
def test_every_kind_of_outcome_keeps_to_it(outcome: Outcome) -> None:
    """Also with texts that are too long; in the API, and as ``hexhub check --json`` prints it."""
    VALIDATOR.validate(json.loads(json.dumps(outcome_json(outcome, StepName("listens")))))
    VALIDATOR.validate(json.loads(json.dumps(author_json(outcome, "listens"))))


def test_too_many_tests_are_no_outcome_of_that_many() -> None:
    """A plan that is not kept is a test too, and counts against the limit."""
    report = "".join(f"ok {n}\n" for n in range(1, MAX_TESTS + 1)) + f"1..{MAX_TESTS + 9}\n"
    outcome = outcome_of(report, ReportFormat.TAP)
    assert outcome.tests == ()
    assert "more than 500 tests" in outcome.message


def test_golden_samples_keep_to_it() -> None:
    """The samples that extension and front end are tested against."""
    seen = 0
    for path in Path(__file__).parent.glob("attempt_*.json"):
        outcome = json.loads(path.read_text(encoding="utf-8"))["outcome"]
        if outcome is not None:
            VALIDATOR.validate(outcome)
            seen += 1
    assert seen > 0


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"outcome": "great"},
        {"reason": "for the author"},
        {"message": "y" * 4101},
        {"tests": [{}]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_something_else_does_not(change: dict[str, object]) -> None:
    """The schema refuses what the contract does not have."""
    document = outcome_json(OUTCOMES["no tests"], StepName("listens"))
    with pytest.raises(ValidationError):
        VALIDATOR.validate(document | change)


def test_openapi_says_the_same() -> None:
    """Fields, which of them must be there, values and lengths; ``output`` is for authors only."""
    document = YAML(typ="safe").load(ROOT / "docs/openapi.yaml")
    schemas = document["components"]["schemas"]

    def rules(schema: dict[str, Any]) -> dict[str, Any]:
        if "$ref" in schema:
            schema = schemas.get(schema["$ref"].rpartition("/")[2], {"ref": schema["$ref"]})
        return {key: rule for key, rule in schema.items() if key not in ("description", "items")}

    def fields(schema: dict[str, Any]) -> dict[str, Any]:
        return {name: rules(field) for name, field in schema["properties"].items()}

    def rest(schema: dict[str, Any]) -> dict[str, Any]:
        return {key: schema[key] for key in ("type", "additionalProperties", "required")}

    ours = fields(SCHEMA)
    del ours["output"]
    # No run ends so: the student has ended it.
    ours["outcome"]["enum"] = [*ours["outcome"]["enum"], "cancelled"]
    assert fields(schemas["Outcome"]) == ours
    assert rest(schemas["Outcome"]) == rest(SCHEMA)
    assert fields(schemas["TestResult"]) == fields(SCHEMA["$defs"]["test"])
    assert rest(schemas["TestResult"]) == rest(SCHEMA["$defs"]["test"])


def test_the_api_never_has_the_output_of_a_run() -> None:
    """What the run printed as a whole is the author's."""
    outcome = replace(OUTCOMES["no tests"], output="printed")
    assert "output" not in outcome_json(outcome, StepName("listens"))
    assert author_json(outcome, "listens")["output"] == "printed"
