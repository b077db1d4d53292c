"""``hexhub account``: accounts made by whoever has a shell on this computer."""

import os
import sys

import click

from hexhub.accounts import (
    MAX_NAME_LENGTH,
    MAX_PASSWORD_LENGTH,
    MIN_PASSWORD_LENGTH,
    AccountProblem,
    Accounts,
    accounts_url,
    is_account_name,
    normal_name,
    password_problem,
)

_SENTENCES = {
    AccountProblem.NAME_INVALID: f"A name has 1 to {MAX_NAME_LENGTH} small Latin letters and "
    "digits, a letter first; single dots, dashes and underscores may stand between them.",
    AccountProblem.NAME_TAKEN: "There is such an account already. To change its password: "
    "hexhub account password NAME",
    AccountProblem.TOO_SHORT: f"The password needs at least {MIN_PASSWORD_LENGTH} characters.",
    AccountProblem.TOO_LONG: f"The password may have {MAX_PASSWORD_LENGTH} characters at most.",
    AccountProblem.TOO_EASY: "This password is easy to guess. Three or four unrelated words make "
    "a good one.",
}

_password = click.password_option(help="Asked for when it is not given.")


@click.group()
def account() -> None:
    """Make accounts, change passwords, remove accounts."""


@account.command()
@click.argument("name")
@_password
def add(name: str, password: str) -> None:
    """Make an account; also the way for admins' names, which the sign-up page refuses."""
    name = _checked(name, password)
    if not _accounts().add(name, password):
        _fail(_SENTENCES[AccountProblem.NAME_TAKEN])
    click.echo(f"'{name}' may log in now.")


@account.command("password")
@click.argument("name")
@_password
def set_password(name: str, password: str) -> None:
    """Give an account a new password."""
    name = _checked(name, password)
    if not _accounts().set_password(name, password):
        _fail(f"There is no account '{name}'. To make it: hexhub account add {name}")
    click.echo(f"'{name}' has a new password.")


@account.command()
@click.argument("name")
def remove(name: str) -> None:
    """Remove an account; machines and progress stay, for who has the name next."""
    if not _accounts().remove(normal_name(name)):
        _fail(f"There is no account '{normal_name(name)}'.")
    click.echo(f"'{normal_name(name)}' is removed.")


def _accounts() -> Accounts:
    return Accounts(accounts_url(os.environ))


def _checked(name: str, password: str) -> str:
    name = normal_name(name)
    if not is_account_name(name):
        _fail(_SENTENCES[AccountProblem.NAME_INVALID])
    problem = password_problem(password, name)
    if problem is not None:
        _fail(_SENTENCES[problem])
    return name


def _fail(sentence: str) -> None:
    click.echo(sentence, err=True)
    sys.exit(1)
