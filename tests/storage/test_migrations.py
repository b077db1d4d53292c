"""Migrations make exactly the tables that the code knows."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, text

import hexhub.progress.migrations
from hexhub.errors import StoreError
from hexhub.progress.migrations import newest_version
from hexhub.progress.store import Store
from hexhub.progress.tables import Base


def describe(engine: Engine) -> dict[str, Any]:
    """Give all that a database says of its tables; Alembic compares neither checks nor indexes."""
    seen = inspect(engine)
    return {
        name: {
            "columns": [
                {**column, "type": str(column["type"])} for column in seen.get_columns(name)
            ],
            "keys": seen.get_pk_constraint(name),
            "foreign": sorted(seen.get_foreign_keys(name), key=str),
            "unique": sorted(seen.get_unique_constraints(name), key=str),
            "checks": sorted(seen.get_check_constraints(name), key=str),
            "indexes": sorted(
                (
                    {
                        **index,
                        "dialect_options": {
                            key: str(value) for key, value in index["dialect_options"].items()
                        },
                    }
                    for index in seen.get_indexes(name)
                ),
                key=str,
            ),
        }
        for name in seen.get_table_names()
        if name != "alembic_version"
    }


def test_migrations_and_tables_agree(make_url: Callable[[], str]) -> None:
    """A migrated database and one made from the tables are the same to the last index."""
    migrated_url, made_url = make_url(), make_url()
    store = Store(migrated_url)
    store.migrate()
    store.close()
    migrated, made = create_engine(migrated_url), create_engine(made_url)
    Base.metadata.create_all(made)
    with migrated.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    assert describe(migrated) == describe(made)
    migrated.dispose()
    made.dispose()


def test_the_newest_version_is_alembics() -> None:
    """What tells that nothing is to be done is the end of Alembic's chain."""
    scripts = ScriptDirectory(str(Path(hexhub.progress.migrations.__file__).parent))
    assert newest_version() == scripts.get_current_head()


def test_migrate_twice_is_no_fault(store: Store) -> None:
    """Every process migrates when it starts; the second finds nothing to do."""
    store.migrate()


def migrate(url: str) -> None:
    """Make all tables, as each process does when it starts."""
    store = Store(url)
    store.migrate()
    store.close()


def test_processes_that_migrate_at_once_wait(make_url: Callable[[], str]) -> None:
    """Web and worker that start together on an empty database both get their tables."""
    url = make_url()
    # Forked by a process that has imported everything: so they begin in the same moment.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    processes = [context.Process(target=migrate, args=(url,)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    ended = [process.exitcode for process in processes]
    for process in processes:
        process.kill()
        process.join(30)
        process.close()
    assert ended == [0] * 4
    store = Store(url)
    assert store.claim("w", 30) is None
    store.close()


def test_threads_that_migrate_at_once_wait(make_url: Callable[[], str]) -> None:
    """The same, with a timing that processes do not reach."""
    url = make_url()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(migrate, [url] * 6))


def test_a_newer_database_is_refused(store: Store) -> None:
    """An older HexHub on a newer database says so and changes nothing."""
    with store.database.writer.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="made by a newer one"):
        store.migrate()


def test_a_migration_that_fails_leaves_nothing(make_url: Callable[[], str]) -> None:
    """A table that is in the way stops the migration, and no half of it stays."""
    url = make_url()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE test_result (x INTEGER)"))
    store = Store(url)
    with pytest.raises(StoreError):
        store.migrate()
    store.close()
    assert inspect(engine).get_table_names() == ["test_result"]
    engine.dispose()


def test_the_folder_of_an_sqlite_file_is_made(tmp_path: Path) -> None:
    """A first start needs no folder; what is made is for its owner alone."""
    store = Store(f"sqlite:///{tmp_path}/state/hexhub.sqlite")
    store.migrate()
    with store.database.reader.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
    store.close()
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
