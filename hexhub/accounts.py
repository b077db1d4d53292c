"""Names and passwords of people who signed up here; a small database of its own.

Design choices: a file beside JupyterHub's and not a table of ours, because the web process, which
talks to students' machines, must not be able to read a password's hash, and because the hub never
waits for our database (DESIGN §3). Hashes are Argon2id with the parameters that argon2-cffi takes
from RFC 9106. How easy a password is to guess is zxcvbn's estimate, which knows the common ones,
names, dates and keyboard rows, in place of a list of forbidden words alone.
"""

import re
import threading
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import (
    Column,
    DateTime,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    insert,
    make_url,
    select,
    update,
)
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from zxcvbn import zxcvbn

from hexhub.errors import StoreError

MIN_PASSWORD_LENGTH = 8
MAX_PASSWORD_LENGTH = 256
MAX_NAME_LENGTH = 32
NAME_PATTERN = r"[a-z][a-z0-9]*([._-][a-z0-9]+)*"
"""Names that are safe in URLs, host names (but for ``.`` and ``_``) and labels of containers."""

_NAME = re.compile(NAME_PATTERN)
_GUESSABLE_BELOW = 2
"""zxcvbn's scores 0 and 1: fewer than a million guesses."""
_ZXCVBN_LENGTH = 72
_OUR_WORDS = ["hexhub", "jupyter", "jupyterhub"]

_metadata = MetaData()
_accounts = Table(
    "account",
    _metadata,
    Column("name", String(MAX_NAME_LENGTH), primary_key=True),
    Column("password_hash", String(200), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("password_set_at", DateTime(timezone=True), nullable=False),
)


class AccountProblem(StrEnum):
    """Why an account cannot be made; pages have a sentence for each."""

    NAME_INVALID = "name_invalid"
    NAME_TAKEN = "name_taken"
    NAME_RESERVED = "name_reserved"
    TOO_SHORT = "password_short"
    TOO_LONG = "password_long"
    TOO_EASY = "password_easy"


def normal_name(text: str) -> str:
    """Give a user name as it is stored: compatibility forms resolved, lower case, no spaces."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def is_account_name(name: str) -> bool:
    """Tell whether a normal name may be an account's."""
    return len(name) <= MAX_NAME_LENGTH and _NAME.fullmatch(name) is not None


def password_problem(
    password: str, name: str, *, min_length: int = MIN_PASSWORD_LENGTH
) -> AccountProblem | None:
    """Say why a password will not do for this person; None when it will."""
    if len(password) < min_length:
        return AccountProblem.TOO_SHORT
    if len(password) > MAX_PASSWORD_LENGTH:
        return AccountProblem.TOO_LONG
    guess = zxcvbn(password[:_ZXCVBN_LENGTH], user_inputs=[name, *_OUR_WORDS])
    return AccountProblem.TOO_EASY if guess["score"] < _GUESSABLE_BELOW else None


class Accounts:
    """The accounts in a database. Safe to share between threads; calls take tens of ms."""

    def __init__(self, database_url: str) -> None:
        """Name the database; it is opened, and made, with the first call.

        Args:
            database_url: SQLAlchemy URL of an SQLite file or a PostgreSQL database.
        """
        self._url = make_url(database_url)
        self._hasher = PasswordHasher()
        self._nobodys_hash = self._hasher.hash("of nobody")
        self._lock = threading.Lock()

    @cached_property
    def _engine(self) -> Engine:
        with self._lock:
            if self._url.get_backend_name() == "sqlite" and self._url.database:
                path = Path(self._url.database)
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                path.touch(mode=0o600)
            engine = create_engine(self._url, pool_pre_ping=True)
            _metadata.create_all(engine)
            return engine

    def close(self) -> None:
        """Close all connections."""
        if "_engine" in self.__dict__:
            self._engine.dispose()

    def add(self, name: str, password: str) -> bool:
        """Make an account; False where the name is taken.

        Raises:
            StoreError: The database refuses.
        """
        now = datetime.now(UTC)
        row = {
            "name": name,
            "password_hash": self._hasher.hash(password),
            "created_at": now,
            "password_set_at": now,
        }
        with self._transaction() as connection:
            try:
                connection.execute(insert(_accounts).values(row))
            except IntegrityError:
                return False
        return True

    def set_password(self, name: str, password: str) -> bool:
        """Replace a password; False where there is no such account.

        Raises:
            StoreError: The database refuses.
        """
        with self._transaction() as connection:
            changed = connection.execute(
                update(_accounts)
                .where(_accounts.c.name == name)
                .values(
                    password_hash=self._hasher.hash(password), password_set_at=datetime.now(UTC)
                )
            )
            return changed.rowcount > 0

    def remove(self, name: str) -> bool:
        """Remove an account; False where there is none.

        Raises:
            StoreError: The database refuses.
        """
        with self._transaction() as connection:
            gone = connection.execute(delete(_accounts).where(_accounts.c.name == name))
            return gone.rowcount > 0

    def retire(self, name: str) -> None:
        """Keep a name from being signed up again; nobody has its password until one is set.

        Raises:
            StoreError: The database refuses.
        """
        now = datetime.now(UTC)
        with self._transaction() as connection:
            connection.execute(delete(_accounts).where(_accounts.c.name == name))
            row = {"name": name, "password_hash": "", "created_at": now, "password_set_at": now}
            connection.execute(insert(_accounts).values(row))

    def has(self, name: str) -> bool:
        """Tell whether there is such an account.

        Raises:
            StoreError: The database refuses.
        """
        return self._hash_of(name) is not None

    def is_password(self, name: str, password: str) -> bool:
        """Tell whether this is the password; takes as long for a name that does not exist.

        Raises:
            StoreError: The database refuses.
        """
        stored = self._hash_of(name)
        try:
            self._hasher.verify(stored or self._nobodys_hash, password[:MAX_PASSWORD_LENGTH])
        except (VerificationError, InvalidHashError):
            return False
        if not stored:
            return False
        if self._hasher.check_needs_rehash(stored):
            self.set_password(name, password)
        return True

    def _hash_of(self, name: str) -> str | None:
        with self._transaction() as connection:
            query = select(_accounts.c.password_hash).where(_accounts.c.name == name)
            found: str | None = connection.execute(query).scalar_one_or_none()
            return found

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as exc:
            raise StoreError(f"The accounts cannot be used: {type(exc).__name__}.") from exc


class BackOff:
    """Makes guessing slow: after some failures a name must wait, twice as long each time.

    It counts names that do not exist like those that do, so that it tells nothing of them. It
    forgets with the process, and the names not heard of for longest when there are too many.
    """

    def __init__(
        self,
        *,
        free: int = 5,
        longest_s: float = 900.0,
        names: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make a back-off.

        Args:
            free: Failures without a wait.
            longest_s: The wait never grows beyond this.
            names: How many are remembered.
            clock: Gives seconds.
        """
        self._free = free
        self._longest_s = longest_s
        self._names = names
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait_s(self, name: str) -> float:
        """Give the seconds until this name may try again; 0 when it may."""
        _count, until = self._failures.get(name, (0, 0.0))
        return max(0.0, until - self._clock())

    def begin(self, name: str) -> None:
        """Count a try as a failure, before it is made: many tries at once must not slip by."""
        count = self._failures.get(name, (0, 0.0))[0] + 1
        # 2 ** 60 and more would be no float of use.
        wait_s = 0.0 if count < self._free else 2.0 ** min(count - self._free, 40)
        self._failures[name] = (count, self._clock() + min(wait_s, self._longest_s))
        self._failures.move_to_end(name)
        while len(self._failures) > self._names:
            self._failures.popitem(last=False)

    def succeed(self, name: str) -> None:
        """Forget the failures of a name."""
        self._failures.pop(name, None)


def accounts_url(environment: Mapping[str, str]) -> str:
    """Give where the accounts are unless configured otherwise: a file in the state folder."""
    state = Path(environment.get("HEXHUB_STATE", ".hexhub")).absolute()
    return f"sqlite:///{state / 'accounts.sqlite'}"
