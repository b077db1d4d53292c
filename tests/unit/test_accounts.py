"""Rules of names, passwords and guessing."""

import pytest

from hexhub.accounts import (
    AccountProblem,
    BackOff,
    is_account_name,
    normal_name,
    password_problem,
)


@pytest.mark.parametrize("name", ["a", "ada", "ada-lovelace", "ada.l", "a_1", "x" * 32])
def test_good_names(name: str) -> None:
    """Small Latin letters and digits with single separators make a name."""
    assert is_account_name(name)


@pytest.mark.parametrize(
    "name", ["", "1a", "-a", "a-", "a--b", "a b", "a/b", "Ada", "ада", "a" * 33, "a\n", "a%2f"]
)
def test_bad_names(name: str) -> None:
    """Whatever could mean something in a URL, a host name or a path makes none."""
    assert not is_account_name(name)


def test_names_are_normalised() -> None:
    """Case, spaces around and full-width letters do not make another person."""
    assert normal_name("  ＡＤＡ ") == "ada"


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("short", AccountProblem.TOO_SHORT),
        ("x" * 257, AccountProblem.TOO_LONG),
        ("password", AccountProblem.TOO_EASY),
        ("12345678", AccountProblem.TOO_EASY),
        ("qwertyuiop", AccountProblem.TOO_EASY),
        ("P@ssw0rd", AccountProblem.TOO_EASY),
        ("lovelace1", AccountProblem.TOO_EASY),
        ("hexhub123", AccountProblem.TOO_EASY),
        ("correct horse battery", None),
        ("длинный пароль", None),
        ("xk29fjq8", None),
    ],
)
def test_passwords(password: str, expected: AccountProblem | None) -> None:
    """A password is refused for its length, or because it is easy to guess."""
    assert password_problem(password, "lovelace") == expected


def test_back_off_doubles_and_forgets() -> None:
    """Four failures cost nothing, then the wait doubles up to a bound; success ends it."""
    now = 0.0
    back_off = BackOff(clock=lambda: now)
    waits = []
    for _ in range(20):
        back_off.begin("ada")
        waits.append(back_off.wait_s("ada"))

    assert waits[:7] == [0, 0, 0, 0, 1, 2, 4]
    assert max(waits) == 900
    assert back_off.wait_s("bob") == 0
    back_off.succeed("ada")
    assert back_off.wait_s("ada") == 0


def test_back_off_ends_with_time() -> None:
    """When the wait is over, the name may try again, and the next failure costs more."""
    now = 0.0
    back_off = BackOff(clock=lambda: now)
    for _ in range(6):
        back_off.begin("ada")
    now = 2.0

    assert back_off.wait_s("ada") == 0
    back_off.begin("ada")
    assert back_off.wait_s("ada") == 4


def test_back_off_remembers_so_many_names() -> None:
    """Made-up names cannot fill the memory: the oldest are forgotten."""
    back_off = BackOff(names=3)
    for name in "abcd":
        for _ in range(6):
            back_off.begin(name)

    assert back_off.wait_s("a") == 0
    assert back_off.wait_s("d") > 0
