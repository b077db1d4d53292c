"""Sign-up and log-in by name and password, as an authenticator of JupyterHub.

It is the default on this computer's own address. Any other authenticator of JupyterHub takes its
place by one line of configuration; nothing else in HexHub knows this module.

Design choices: see ``docs/decisions.md``, "Sign-up".
"""

import asyncio
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from typing import Any, TypeVar

from jupyterhub.auth import Authenticator
from jupyterhub.handlers.login import LoginHandler
from tornado.httputil import url_concat
from tornado.web import HTTPError
from traitlets import Bool, Integer, Unicode, default

from hexhub.accounts import (
    MAX_NAME_LENGTH,
    MIN_PASSWORD_LENGTH,
    AccountProblem,
    Accounts,
    BackOff,
    accounts_url,
    is_account_name,
    normal_name,
    password_problem,
)
from hexhub.hub_reports import HubReports

T = TypeVar("T")

_THREADS = 2
"""Argon2 takes 64 MiB and tens of milliseconds: so many log-ins at one time, the rest wait."""


class SignUpAuthenticator(Authenticator):  # type: ignore[misc] # jupyterhub: no types
    """People make their own accounts, with a name and a password."""

    open_signup = Bool(
        False,
        config=True,
        help="Whether everybody who reaches the page may make an account. Leave it off on an "
        "address that strangers reach, and make accounts with: hexhub account add NAME",
    )
    minimum_password_length = Integer(
        MIN_PASSWORD_LENGTH, min=1, config=True, help="Shorter passwords are refused."
    )
    database_url = Unicode(
        config=True, help="SQLAlchemy URL of the accounts; by default a file in the state folder."
    )

    report_url = Unicode(
        config=True, help="Where HexHub is told of sign-ups, with the last slash; empty: nowhere."
    )
    report_token = Unicode(config=True, help="Token of HexHub's service at JupyterHub.")

    @default("database_url")
    def _default_database_url(self) -> str:
        return accounts_url(os.environ)

    @default("allow_all")
    def _default_allow_all(self) -> bool:
        """Let in whoever has an account: making one was the permission."""
        return True

    @cached_property
    def accounts(self) -> Accounts:
        """The accounts."""
        return Accounts(self.database_url)

    @cached_property
    def reports(self) -> HubReports:
        """What tells HexHub's service of sign-ups."""
        return HubReports(self.report_url, self.report_token, self.log)

    @cached_property
    def back_off(self) -> BackOff:
        """How long each name must wait after failures."""
        return BackOff()

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(_THREADS, thread_name_prefix="accounts")

    async def run(self, function: Callable[..., T], *args: object) -> T:
        """Call something that takes long, in a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(function, *args))

    def normalize_username(self, username: str) -> str:
        """Give the name as it is stored."""
        name: str = super().normalize_username(normal_name(username))
        return name

    def validate_username(self, username: str) -> bool:
        """Tell whether a normal name may be a user's."""
        return is_account_name(username) and bool(super().validate_username(username))

    async def authenticate(self, handler: object, data: Mapping[str, str]) -> str | None:  # noqa: ARG002
        """Give the name where the password is right; None else, whether or not the name exists.

        Raises:
            HTTPError: 429 after too many failures of this name, whether or not it exists.
        """
        name = self.normalize_username(data.get("username", ""))[: 4 * MAX_NAME_LENGTH]
        wait_s = self.back_off.wait_s(name)
        if wait_s > 0:
            raise HTTPError(
                429,
                f"Too many failed log-ins for this name. Try again in {wait_s:.0f} s.",
            )
        self.back_off.begin(name)
        if not await self.run(self.accounts.is_password, name, data.get("password", "")):
            return None
        self.back_off.succeed(name)
        return name

    async def sign_up(
        self, username: str, password: str, *, is_known: Callable[[str], bool]
    ) -> AccountProblem | None:
        """Make an account; gives what is in the way, or None when it is made.

        Args:
            username: As typed.
            password: As typed.
            is_known: Tells whether JupyterHub has a user of this name already, who may have come
                another way and whose machines must not be taken over.
        """
        name = self.normalize_username(username)
        if not self.validate_username(name):
            return AccountProblem.NAME_INVALID
        if name in self.admin_users:
            # Else the first to type an admin's name would be an admin.
            return AccountProblem.NAME_RESERVED
        problem = password_problem(password, name, min_length=self.minimum_password_length)
        if problem is not None:
            return problem
        if is_known(name) or not await self.run(self.accounts.add, name, password):
            return AccountProblem.NAME_TAKEN
        self.log.info("%s signed up", name)
        self.reports.tell("student-registered", user=name)
        return None

    def delete_user(self, user: Any) -> None:
        """End the account of a user whom an admin deletes.

        Their progress and results stay, so that nobody else may have the name.
        """
        self.accounts.retire(user.name)
        super().delete_user(user)

    def get_custom_html(self, base_url: str) -> str:
        """Give nothing: the templates have all."""
        html: str = super().get_custom_html(base_url)
        return html

    def get_handlers(self, app: object) -> list[tuple[str, type]]:
        """Give the handlers of our two pages."""
        return [*super().get_handlers(app), (r"/signup", SignUpHandler)]


class SignUpHandler(LoginHandler):  # type: ignore[misc] # jupyterhub: no types
    """The sign-up page; as the log-in page does, it shows what is wrong above the form."""

    def _render(self, login_error: str | None = None, **given: Any) -> Any:
        authenticator = self.authenticator
        context = {
            "problem": given.pop("problem", None),
            "username": given.pop("username", "") or "",
            "is_open": authenticator.open_signup,
            "min_length": authenticator.minimum_password_length,
            "signup_url": self._with_next("signup"),
            "to_login_url": self._with_next("login"),
            "login_error": login_error,
        }
        return self.render_template("signup.html", **{**given, **context})

    def _with_next(self, page: str) -> str:
        following = self.get_argument("next", "")
        url: str = url_concat(
            f"{self.hub.base_url}{page}", {"next": following} if following else {}
        )
        return url

    async def get(self) -> None:
        """Show the form."""
        if self.current_user:
            self.redirect(self.get_next_url(self.current_user))
            return
        if not self.authenticator.open_signup:
            self.set_status(403)
        self.finish(await self._render())

    async def post(self) -> None:
        """Make the account, log the person in and lead them to where they wanted to go.

        Raises:
            HTTPError: 403 where sign-up is closed.
        """
        if not self.authenticator.open_signup:
            raise HTTPError(403, "Sign-up is closed here.")
        username = self.get_body_argument("username", "", strip=True)
        password = self.get_body_argument("password", "", strip=False)
        problem = await self.authenticator.sign_up(
            username, password, is_known=lambda name: self.find_user(name) is not None
        )
        if problem is None:
            user = await self.login_user({"username": username, "password": password})
            if user:
                self._jupyterhub_user = user
                self.redirect(self.get_next_url(user))
                return
            raise HTTPError(403, "The account is there, but it may not log in. Ask an admin.")
        self.set_status(409 if problem is AccountProblem.NAME_TAKEN else 400)
        self.finish(
            await self._render(problem=problem.value, username=username[: 2 * MAX_NAME_LENGTH])
        )
