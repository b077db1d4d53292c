"""Step script: report.sh may be executed, and its two streams are in two files."""

# What report.sh says about the logs of the starter; the shell sorts the names.
REPORT = ["logs/app.log: 3", "logs/db.log: 1", "logs/old app.log: 0"]
REMARKS = ["remark: nothing wrong in logs/old app.log"]


def lines_of(machine, path):
    assert machine.exists(path), f"There is no ~/work/{path} yet."
    return machine.read_text(path).splitlines()


def test_executable(machine):
    """report.sh may be executed by its owner
    ru: Владелец может выполнить report.sh
    """
    mode = machine.stat("report.sh").mode & 0o777
    assert mode & 0o100, f"report.sh has mode {mode:03o}: no x for the owner."


def test_report(machine):
    """report.txt has the results and nothing else
    ru: В report.txt результаты, и только они
    """
    found = lines_of(machine, "report.txt")
    assert found == REPORT, f"report.txt should have {len(REPORT)} lines, one per log: {found}"


def test_remarks(machine):
    """remarks.txt has the remarks and nothing else
    ru: В remarks.txt замечания, и только они
    """
    found = lines_of(machine, "remarks.txt")
    assert found == REMARKS, (
        f"remarks.txt should have what the script writes to standard error, once: {found}"
    )
