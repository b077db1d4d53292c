"""Step tables: two tables and their rules, read from the catalogue of the database.

Nothing is inserted. Whether a CHECK refuses a row is found out by asking the server for the rule as
an expression and putting a made-up row through it.
"""

import json

NUMBER = {"smallint", "integer", "bigint"}
TEXT = {"text", "character varying"}
DATE = {"date"}
COLUMNS = {
    "books": {"id": NUMBER, "title": TEXT, "author": TEXT, "year": NUMBER},
    "loans": {"id": NUMBER, "book_id": NUMBER, "reader": TEXT, "taken_on": DATE,
              "returned_on": DATE},
}  # fmt: skip
NEVER_MISSING = {
    "books": {"id", "title", "author"},
    "loans": {"id", "book_id", "reader", "taken_on"},
}
BOOK = {"id": 1, "title": "Momo", "author": "Michael Ende", "year": 1973}
LOAN = {"id": 1, "book_id": 1, "reader": "Vera", "taken_on": "2026-03-10",
        "returned_on": "2026-03-12"}  # fmt: skip


def ask(machine, query):
    return machine.sql(query, dbname="library")


def columns(machine, table):
    rows = ask(
        machine,
        "SELECT column_name, data_type, is_nullable FROM information_schema.columns "
        f"WHERE table_schema = 'public' AND table_name = '{table}'",
    )
    assert rows, f"The database library has no table {table} yet."
    return {row["column_name"]: row for row in rows}


def refuses(machine, table, row):
    """Tell whether a CHECK of the table is false for this row."""
    rules = ask(
        machine,
        "SELECT pg_get_expr(conbin, conrelid) AS rule FROM pg_constraint "
        f"WHERE contype = 'c' AND conrelid = to_regclass('public.{table}')",
    )
    if not rules:
        return False
    # A rule that is unknown (NULL) refuses nothing.
    every = " AND ".join(f"(({rule['rule']}) IS NOT FALSE)" for rule in rules)
    (answer,) = ask(
        machine,
        f"SELECT {every} AS fits FROM "
        f"jsonb_populate_record(NULL::public.{table}, '{json.dumps(row)}') AS {table}",
    )
    return not answer["fits"]


def test_columns(machine):
    """The columns are there, with fitting types
    ru: Все столбцы на месте, и типы у них подходящие
    """
    for table, wanted in COLUMNS.items():
        found = columns(machine, table)
        for name, types in wanted.items():
            assert name in found, f"The table {table} has no column {name}."
            kind = found[name]["data_type"]
            assert kind in types, f"{table}.{name} is {kind}; wanted: {' or '.join(sorted(types))}."


def test_primary_keys(machine):
    """id is the primary key of both
    ru: В обеих таблицах первичный ключ — id
    """
    for table in COLUMNS:
        columns(machine, table)
        rows = ask(
            machine,
            "SELECT pg_get_constraintdef(oid) AS key FROM pg_constraint "
            f"WHERE contype = 'p' AND conrelid = to_regclass('public.{table}')",
        )
        found = [row["key"] for row in rows]
        assert found == ["PRIMARY KEY (id)"], f"Primary key of {table}: {found or 'none'}."


def test_never_missing(machine):
    """What must not be missing cannot be
    ru: Обязательное не может отсутствовать
    """
    for table, names in NEVER_MISSING.items():
        found = columns(machine, table)
        loose = [name for name in sorted(names & set(found)) if found[name]["is_nullable"] == "YES"]
        assert not loose, f"These columns of {table} may be missing still: {', '.join(loose)}."
    assert columns(machine, "loans")["returned_on"]["is_nullable"] == "YES", (
        "loans.returned_on must be allowed to be missing: the book may still be out."
    )


def test_loans_point_to_books(machine):
    """A loan needs a book that exists
    ru: Выдать можно только существующую книгу
    """
    columns(machine, "loans")
    rows = ask(
        machine,
        "SELECT pg_get_constraintdef(oid) AS key FROM pg_constraint WHERE contype = 'f' "
        "AND conrelid = to_regclass('public.loans') AND confrelid = to_regclass('public.books')",
    )
    found = [row["key"] for row in rows]
    assert any(key.startswith("FOREIGN KEY (book_id)") for key in found), (
        f"loans.book_id does not refer to books. Foreign keys of loans: {found or 'none'}."
    )


def test_year_in_range(machine):
    """The year is from 1450 to 2100
    ru: Год — от 1450 до 2100
    """
    columns(machine, "books")
    for year in (1450, 1973, 2100):
        assert not refuses(machine, "books", BOOK | {"year": year}), f"{year} must be allowed."
    for year in (1449, 2101):
        assert refuses(machine, "books", BOOK | {"year": year}), f"{year} must be refused."


def test_dates_in_order(machine):
    """Nothing comes back before it was taken
    ru: Вернуть книгу раньше, чем взяли, нельзя
    """
    columns(machine, "loans")
    for day in ("2026-03-12", "2026-03-10", None):
        assert not refuses(machine, "loans", LOAN | {"returned_on": day}), (
            f"Taken on 2026-03-10, returned_on {day}: this must be allowed."
        )
    assert refuses(machine, "loans", LOAN | {"returned_on": "2026-03-09"}), (
        "Taken on 2026-03-10, returned on 2026-03-09: this must be refused."
    )
