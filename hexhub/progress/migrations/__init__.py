"""Alembic migrations: every change of the tables since the first release, in order.

Design choices: they are part of the package and run by ``Store.migrate`` inside its transaction,
so that no ``alembic`` program, no ini file and no second connection are needed. SQLite and
PostgreSQL both undo a migration that fails half-way.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, text

from hexhub.errors import StoreError

_LOCK = 7_310_579_482
"""Any fixed number: the advisory lock that says "somebody migrates"."""


def upgrade(connection: Connection) -> None:
    """Bring the tables to the newest form, inside the transaction that has begun.

    Raises:
        StoreError: The database was made by a newer HexHub.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as exc:
        raise StoreError(
            f"The database does not fit this HexHub ({exc}). "
            "It was made by a newer one: install that version again, or restore a backup."
        ) from exc
