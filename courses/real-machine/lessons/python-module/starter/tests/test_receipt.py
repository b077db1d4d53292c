"""Your own tests. Run them in ~/work with: python3 -m pytest

They are a beginning; the check tries more than these. Add what you think of.
"""

import subprocess
import sys

import pytest

from receipt import parse_price, total


def test_price_with_cents():
    assert parse_price("12.50") == 1250


def test_price_without_cents():
    assert parse_price("7") == 700


def test_price_that_is_none():
    with pytest.raises(ValueError, match="free"):
        parse_price("free")


def test_total():
    basket = [
        {"name": "Tea", "cents": 240, "quantity": 3},
        {"name": "Bread", "cents": 420, "quantity": 1},
    ]
    assert total(basket) == 1140


def test_total_with_discount():
    assert total([{"name": "Tea", "cents": 200, "quantity": 1}], discount=25) == 150


def test_program():
    basket = "name,price,quantity\nTea,2.40,3\n"
    run = subprocess.run(
        [sys.executable, "receipt.py"], input=basket, capture_output=True, text=True, timeout=10
    )
    assert run.stderr == ""
    assert run.stdout.splitlines() == [
        "Tea                       7.20",
        "TOTAL                     7.20",
    ]
