"""Step tidy: every file is where its ending says, and the inbox is empty."""

LOGS = ["app.log", "db.log", "old app.log"]
DATA = ["sales 2025.csv", "sales-2026.csv"]
NOTES = [".draft.txt", "read me first.txt", "todo.txt"]


def names_in(machine, folder):
    # JupyterLab keeps its own copies of edited files beside them.
    names = machine.list(folder) if machine.exists(folder) else []
    return sorted(set(names) - {".ipynb_checkpoints"})


def assert_has(machine, folder, wanted):
    assert machine.exists(folder), f"There is no folder ~/work/{folder} yet."
    missing = [name for name in wanted if name not in names_in(machine, folder)]
    assert not missing, (
        f"~/work/{folder} should have {len(wanted)} of the inbox's files; "
        f"not there: {', '.join(missing)}. Compare with: ls -a inbox {folder}"
    )
    empty = [name for name in wanted if machine.stat(f"{folder}/{name}").size == 0]
    assert not empty, f"Empty by now: {', '.join(empty)} in ~/work/{folder}. The contents are lost."


def test_logs(machine):
    """The logs are in ~/work/logs
    ru: Журналы лежат в ~/work/logs
    """
    assert_has(machine, "logs", LOGS)


def test_data(machine):
    """The tables are in ~/work/data
    ru: Таблицы лежат в ~/work/data
    """
    assert_has(machine, "data", DATA)


def test_notes(machine):
    """The notes are in ~/work/notes
    ru: Заметки лежат в ~/work/notes
    """
    assert_has(machine, "notes", NOTES)


def test_inbox_is_empty(machine):
    """Nothing is left in ~/work/inbox
    ru: В ~/work/inbox ничего не осталось
    """
    left = names_in(machine, "inbox")
    assert not left, f"Still in ~/work/inbox: {', '.join(left)}. Use mv, not cp; ls -a shows all."
