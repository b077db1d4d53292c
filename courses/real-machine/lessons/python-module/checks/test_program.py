"""Step program: python3 receipt.py reads a basket and prints a receipt."""

HEADER = "name,price,quantity\n"


def run(student, basket):
    return student.run(["python3", "receipt.py"], stdin=HEADER + basket, timeout_s=5)


def assert_prints(student, basket, *wanted):
    done = run(student, basket)
    assert done.exit_code == 0, f"It ended with {done.exit_code}. {done.stderr[-300:]}"
    found = done.stdout.splitlines()
    assert found == list(wanted), "Wanted:\n" + "\n".join(wanted) + "\nFound:\n" + done.stdout


def test_receipt(student):
    """Prints a line per item and the total
    ru: Печатает строку на каждый товар и итог
    """
    assert_prints(
        student,
        'Tea,2.40,3\nMilk,"1,05",1\n',
        "Tea                       7.20",
        "Milk                      1.05",
        "TOTAL                     8.25",
    )


def test_empty_basket(student):
    """Prints only the total for an empty basket
    ru: Для пустой корзины печатает только итог
    """
    assert_prints(student, "", "TOTAL                     0.00")


def test_long_name(student):
    """Cuts a long name, so that the amounts stay in their column
    ru: Обрезает длинное название, чтобы суммы не съехали
    """
    assert_prints(
        student,
        "A very long name of a very small thing,0.05,1\n",
        "A very long name of       0.05",
        "TOTAL                     0.05",
    )


def test_comma_in_name(student):
    """A name may have a comma in it
    ru: В названии может быть запятая
    """
    assert_prints(
        student,
        '"Bread, rye",4.2,2\n',
        "Bread, rye                8.40",
        "TOTAL                     8.40",
    )


def test_bad_lines(student):
    """Refuses a basket with a bad line, by the line's number
    ru: Отказывается от корзины с плохой строкой и называет её номер
    """
    for bad in ("Milk,free,1", "Milk,1.05,some", "Milk,1.05,1,1"):
        done = run(student, f"Tea,2.40,3\n{bad}\nBread,4.20,1\n")
        assert done.stderr.startswith("line 3:"), (
            f"For the third line {bad!r} standard error should start with 'line 3:', "
            f"and it has: {done.stderr[-200:]!r}"
        )
        assert len(done.stderr.splitlines()) == 1, f"One line was wanted: {done.stderr[-200:]!r}"
        assert done.stdout == "", f"Nothing should be printed before: {done.stdout[:200]!r}"
        assert done.exit_code == 1, f"It should end with 1 and ended with {done.exit_code}."


def test_import_is_quiet(student):
    """import receipt reads and prints nothing
    ru: import receipt ничего не читает и не печатает
    """
    program = "import sys; sys.path.insert(0, '.'); import receipt"
    done = student.run(["python3", "-c", program], stdin=HEADER, timeout_s=5)
    assert done.exit_code == 0, f"import receipt ends with {done.exit_code}: {done.stderr[-300:]}"
    assert done.stdout == "", f"import receipt prints {done.stdout[:200]!r}; see __name__."
