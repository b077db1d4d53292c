"""``docs/check-helpers.md`` has every method of the fixtures, with its parameters."""

import inspect
from pathlib import Path

import pytest
from hexhub_check.machine import Machine
from hexhub_check.student import Student

DOCUMENT = (Path(__file__).parents[2] / "docs/check-helpers.md").read_text(encoding="utf-8")
METHODS = [
    (fixture, name, method)
    for fixture, kind in (("student", Student), ("machine", Machine))
    for name, method in inspect.getmembers(kind, inspect.isfunction)
    if not name.startswith("_")
]


@pytest.mark.parametrize(
    ("fixture", "name", "method"), METHODS, ids=[f"{f}.{n}" for f, n, _ in METHODS]
)
def test_every_method_is_documented(fixture: str, name: str, method: object) -> None:
    """A method stands in the document as it is written: names, order and defaults."""
    assert callable(method)
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in inspect.signature(method).parameters.values()
        if parameter.name != "self"
    ]
    signature = str(inspect.Signature(parameters)).replace("'", '"')
    assert f"`{fixture}.{name}{signature}`" in DOCUMENT
