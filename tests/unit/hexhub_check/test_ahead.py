"""Which commands are run where their imports are done, and which go to the shell."""

import pytest
from hexhub_check.ahead import NOTEBOOK, PYTEST, Prepared, find_prepared
from hexhub_check.protocol import Order, parse_order

from hexhub.catalog.model import CheckKind, CheckSpec, MachineUser, ReportFormat
from hexhub.checks.harness import make_header


def order(kind: CheckKind, run: str) -> Order:
    """Give the order of a check, as the worker makes it."""
    check = CheckSpec(kind, run, ReportFormat.JUNIT, 20.0)
    return parse_order(make_header(check, MachineUser.STUDENT, None, "0" * 32, 0))


@pytest.mark.parametrize(
    ("run", "arguments"),
    [
        ("pytest", ()),
        ("pytest -q test_port.py", ("-q", "test_port.py")),
        (
            "pytest  -q --maxfail=1 ./a/test_b.py::test_c",
            ("-q", "--maxfail=1", "./a/test_b.py::test_c"),
        ),
        ("pytest -k 'a or b' \"test c.py\"", ("-k", "a or b", "test c.py")),
    ],
)
def test_plain_words_are_prepared(run: str, arguments: tuple[str, ...]) -> None:
    """pytest with plain words is run as a shell would run it."""
    assert find_prepared(order(CheckKind.FILES, run)) == Prepared(PYTEST, arguments)


@pytest.mark.parametrize(
    "run",
    [
        "",
        "bats test.bats",
        "python -m pytest",
        "pytest-3",
        "PYTHONHASHSEED=0 pytest",
        "pytest; true",
        "pytest && touch x",
        "pytest | tap",
        "pytest > out",
        "pytest $ARGS",
        "pytest `ls`",
        'pytest "$HEXHUB_WORK"',
        "pytest test_*.py",
        "pytest test_[ab].py",
        "pytest test_?.py",
        "pytest ~/x",
        "pytest {a,b}.py",
        "pytest a\\ b.py",
        "pytest # all",
        "pytest\ntouch x",
        "pytest\ttest_a.py",
        "pytest 'a",
        "pytest tëst.py",
        "! pytest",
        "(pytest)",
    ],
)
def test_the_rest_is_for_the_shell(run: str) -> None:
    """Whatever a shell might understand in another way than we do is left to it."""
    assert find_prepared(order(CheckKind.FILES, run)) is None


def test_notebooks_are_prepared() -> None:
    """A notebook check without a command of its own is scored by us."""
    assert find_prepared(order(CheckKind.NOTEBOOK, "")) == Prepared(NOTEBOOK)
    assert find_prepared(order(CheckKind.NOTEBOOK, "pytest")) == Prepared(PYTEST)
