"""Step view: lending answers for every book; the answer is worked out here once more, by hand."""

from collections import Counter


def ask(machine, query):
    return machine.sql(query, dbname="library")


def lending(machine):
    rows = ask(machine, "SELECT id, title, times, still_out FROM lending")
    return {row["id"]: row for row in rows}


def counted(machine):
    loans = ask(machine, "SELECT book_id, returned_on IS NULL AS is_out FROM loans")
    times = Counter(loan["book_id"] for loan in loans)
    return times, Counter(loan["book_id"] for loan in loans if loan["is_out"])


def test_is_a_view(machine):
    """lending is a view
    ru: lending — представление
    """
    rows = ask(
        machine,
        "SELECT relkind::text AS kind FROM pg_class WHERE oid = to_regclass('public.lending')",
    )
    assert rows, "The database library has no view lending yet."
    assert rows[0]["kind"] == "v", (
        "lending stores rows: it will be out of date after the next loan. CREATE VIEW is wanted."
    )


def test_every_book_once(machine):
    """Every book is there, once
    ru: Каждая книга есть, и ровно один раз
    """
    rows = ask(machine, "SELECT id FROM lending ORDER BY id")
    books = ask(machine, "SELECT id, title FROM books ORDER BY id")
    found = [row["id"] for row in rows]
    missing = [book["title"] for book in books if book["id"] not in found]
    assert not missing, f"Not in lending: {', '.join(missing)}."
    assert found == [book["id"] for book in books], "Some books are in lending more than once."


def test_times(machine):
    """times is how often the book has been taken
    ru: times — сколько раз книгу брали
    """
    times, _ = counted(machine)
    for number, row in lending(machine).items():
        assert row["times"] == times[number], (
            f"'{row['title']}' was taken {times[number]} times; lending says {row['times']}."
        )


def test_still_out(machine):
    """still_out is how many have not come back
    ru: still_out — сколько ещё не вернулось
    """
    _, out = counted(machine)
    for number, row in lending(machine).items():
        assert row["still_out"] == out[number], (
            f"'{row['title']}' is out {out[number]} times; lending says {row['still_out']}."
        )
