"""JupyterHub's database in SQLite: quick commits, and nothing lost on the way to them."""

import contextlib
import sqlite3

import pytest
from jupyterhub import orm

from spawner.hub_database import use_write_ahead_log


def mode_of(path) -> str:
    """Give the journal mode that a file has, whoever opens it."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        (mode,) = database.execute("PRAGMA journal_mode").fetchone()
    return str(mode)


def test_jupyterhub_takes_a_file_that_is_new(tmp_path):
    """A file that the switch has made is as good as none: JupyterHub makes its tables in it."""
    path = tmp_path / "jupyterhub.sqlite"
    assert use_write_ahead_log(f"sqlite:///{path}")
    session = orm.new_session_factory(f"sqlite:///{path}")()
    session.add(orm.User(name="ada"))
    session.commit()
    session.close()
    session.get_bind().dispose()
    assert mode_of(path) == "wal"


def test_a_database_of_before_is_switched_with_all_that_is_in_it(tmp_path):
    """An older HexHub's file keeps its rows; switching again changes nothing."""
    path = tmp_path / "jupyterhub.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE users (name)")
        database.execute("INSERT INTO users VALUES ('ada')")
    assert mode_of(path) == "delete"
    assert use_write_ahead_log(f"sqlite:///{path}")
    assert use_write_ahead_log(f"sqlite:///{path}")
    with contextlib.closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT name FROM users").fetchall() == [("ada",)]


@pytest.mark.parametrize(
    "url", ["sqlite:///:memory:", "sqlite://", "postgresql://somebody@host/hub"]
)
def test_what_is_no_file_of_sqlite_is_left_alone(url):
    """Other databases have their own logs."""
    assert not use_write_ahead_log(url)


def test_what_cannot_be_opened_is_jupyterhubs_to_complain_of(tmp_path):
    """No message of ours comes before JupyterHub's own."""
    assert not use_write_ahead_log(f"sqlite:///{tmp_path}/missing/hub.sqlite")
