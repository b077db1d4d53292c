"""Step load: both files are in the tables, one date was put right, the rules still hold."""

BOOKS = 12
LOANS = 24
STILL_OUT = [12, 18, 21, 22, 23]


def ask(machine, query):
    return machine.sql(query, dbname="library")


def test_books(machine):
    """All books are there, letter for letter
    ru: Все книги на месте, до последней буквы
    """
    rows = {row["id"]: row["title"] for row in ask(machine, "SELECT id, title FROM books")}
    assert len(rows) == BOOKS, f"books has {len(rows)} rows; data/books.csv has {BOOKS}."
    titles = {5: "The Lion, the Witch and the Wardrobe", 9: "Пикник на обочине"}
    for number, title in titles.items():
        assert rows.get(number) == title, f"Book {number} should be '{title}': {rows.get(number)!r}"


def test_loans(machine):
    """All loans are there
    ru: Все выдачи на месте
    """
    (row,) = ask(machine, "SELECT count(*) AS number FROM loans")
    assert row["number"] == LOANS, f"loans has {row['number']} rows; data/loans.csv has {LOANS}."


def test_wrong_date_is_put_right(machine):
    """The wrong date was put right, and nothing else
    ru: Неверная дата исправлена, остальное не тронуто
    """
    rows = ask(
        machine,
        "SELECT book_id, reader, taken_on::text, returned_on::text FROM loans WHERE id = 17",
    )
    assert rows, "Loan 17 is missing. It should be mended, not left out."
    found = tuple(rows[0].values())
    wanted = (10, "Vera", "2026-05-19", "2026-06-02")
    assert found == wanted, f"Loan 17 is {found}. Read data/note.txt and compare."


def test_still_out(machine):
    """What has not come back has no date of return
    ru: У невозвращённых книг нет даты возврата
    """
    rows = ask(machine, "SELECT id FROM loans WHERE returned_on IS NULL ORDER BY id")
    found = [row["id"] for row in rows]
    assert found == STILL_OUT, f"Loans without a date of return should be {STILL_OUT}: {found}"


def test_rules_still_hold(machine):
    """loans still has its rules
    ru: У loans по-прежнему есть правила
    """
    (row,) = ask(
        machine,
        "SELECT count(*) FILTER (WHERE contype = 'c') AS checks, "
        "count(*) FILTER (WHERE contype = 'f') AS links FROM pg_constraint "
        "WHERE conrelid = to_regclass('public.loans') AND convalidated",
    )
    assert row["checks"] and row["links"], (
        "A rule of loans is gone or is not applied to all rows: see \\d loans. "
        "Mend the data instead."
    )
