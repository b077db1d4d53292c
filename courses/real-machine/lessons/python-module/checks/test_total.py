"""Step total: total keeps what its docstring promises."""

import pytest
from hexhub_check import StudentError


def total(student, *items, **kwargs):
    """Call the student's total with items given as (cents, quantity)."""
    basket = [{"name": "x", "cents": cents, "quantity": number} for cents, number in items]
    return student.call("receipt:total", basket, **kwargs)


def test_sum(student):
    """Adds prices times quantities
    ru: Складывает цены, умноженные на количество
    """
    found = total(student, (240, 3), (420, 1), (99, 2))
    assert found == 1338, f"3 × 240, 1 × 420 and 2 × 99 cents are 1338, not {found!r}."


def test_empty_basket(student):
    """An empty basket costs nothing
    ru: Пустая корзина не стоит ничего
    """
    found = total(student)
    assert found == 0, f"total([]) should give 0 and gave {found!r}."


def test_discount(student):
    """Takes the discount off
    ru: Вычитает скидку
    """
    for discount, cents in {0: 1000, 25: 750, 100: 0}.items():
        found = total(student, (500, 2), discount=discount)
        assert found == cents, f"1000 cents with {discount} % off are {cents}, not {found!r}."


def test_half_a_cent_goes_up(student):
    """Half a cent is rounded up
    ru: Полцента округляются вверх
    """
    for cents, wanted in {125: 113, 145: 131, 165: 149}.items():
        found = total(student, (cents, 1), discount=10)
        assert found == wanted, f"{cents} cents with 10 % off are {wanted}, not {found!r}."


def test_discount_is_taken_off_the_sum(student):
    """Takes the discount off the sum, not off each item
    ru: Берёт скидку с суммы, а не с каждого товара
    """
    found = total(student, (3, 1), (3, 1), (3, 1), discount=10)
    assert found == 8, f"Three items of 3 cents with 10 % off are 8.1 and so 8, not {found!r}."


def test_refuses_impossible_discounts(student):
    """Raises ValueError for a discount below 0 or above 100
    ru: На скидку меньше 0 или больше 100 отвечает ValueError
    """
    for discount in (-1, 101):
        try:
            found = total(student, (100, 1), discount=discount)
        except StudentError as error:
            assert "raised ValueError" in str(error), f"ValueError was wanted: {error}"
        else:
            pytest.fail(f"A discount of {discount} should raise ValueError and gave {found!r}.")
