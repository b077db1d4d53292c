"""Step price: parse_price keeps what its docstring promises."""

import pytest
from hexhub_check import StudentError


def parse(student, text):
    return student.call("receipt:parse_price", text)


def test_examples(student):
    """The examples of the docstring
    ru: Примеры из описания
    """
    for text, cents in {"12.50": 1250, "12,50": 1250, " 12.50 ": 1250, "7": 700}.items():
        found = parse(student, text)
        assert found == cents, f"parse_price({text!r}) should give {cents} and gave {found!r}."


def test_one_digit_is_tenths(student):
    """One digit behind the point is tenths
    ru: Одна цифра после точки — это десятые доли
    """
    found = parse(student, "12.5")
    assert found == 1250, f'parse_price("12.5") should give 1250 and gave {found!r}.'


def test_no_cent_is_lost(student):
    """Not one cent is lost, and cents are whole
    ru: Ни один цент не теряется, и все они целые
    """
    # Each of these is a little less than itself once it has been a float times 100.
    for text, cents in {"19.99": 1999, "0.29": 29, "1.15": 115, "4.35": 435}.items():
        found = parse(student, text)
        assert found == cents, f"parse_price({text!r}) should give {cents} and gave {found!r}."
        assert type(found) is int, f"parse_price({text!r}) should be a whole number: {found!r}."


def test_refuses_what_is_no_price(student):
    """Raises ValueError for what is no price
    ru: На то, что не цена, отвечает ValueError
    """
    for text in ["free", "", "-1", "1.234", ".5", "1.", "1.2.3", "1 000"]:
        try:
            found = parse(student, text)
        except StudentError as error:
            assert "raised ValueError" in str(error), f"ValueError was wanted: {error}"
        else:
            pytest.fail(f"parse_price({text!r}) should raise ValueError and gave {found!r}.")


def test_message_has_the_text(student):
    """The message of the ValueError has the text
    ru: В сообщении ValueError есть сам текст
    """
    try:
        found = parse(student, "twopence")
    except StudentError as error:
        message = str(error).partition("raised ValueError")[2]
        assert "twopence" in message, f"The message should have the word twopence in it: {error}"
    else:
        pytest.fail(f'parse_price("twopence") should raise ValueError and gave {found!r}.')
