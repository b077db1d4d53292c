"""Alembic migrations: every change of the tables since the first release, in order.

Design choices: they are part of the package and run by ``Store.migrate`` inside its transaction,
so that no ``alembic`` program, no ini file and no second connection are needed. SQLite and
PostgreSQL both undo a migration that fails half-way. Alembic is imported where there is something
to do: all processes look when they start, and mostly the tables are what they should be.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from hexhub.errors import StoreError

_FOLDER = Path(__file__).parent
_LOCK = 7_310_579_482
"""Any fixed number: the advisory lock that says "somebody migrates"."""


def upgrade(connection: Connection) -> None:
    """Bring the tables to the newest form, inside the transaction that has begun.

    Raises:
        StoreError: The database was made by a newer HexHub.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    if _find_version(connection) == newest_version():
        return

    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as exc:
        raise StoreError(
            f"The database does not fit this HexHub ({exc}). "
            "It was made by a newer one: install that version again, or restore a backup."
        ) from exc


def newest_version() -> str:
    """Give the revision of the last migration, such as ``0006``; its file is named after it."""
    last = max(path.name for path in (_FOLDER / "versions").glob("v*_*.py"))
    return last.removeprefix("v").partition("_")[0]


def _find_version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
