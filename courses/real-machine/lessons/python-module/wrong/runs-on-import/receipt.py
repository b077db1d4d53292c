import csv
import re
import sys


def parse_price(text):
    match = re.fullmatch(r"([0-9]+)(?:[.,]([0-9]{1,2}))?", text.strip())
    if match is None:
        raise ValueError(f"not a price: {text!r}")
    euros, cents = match.groups(default="")
    # "5" behind the point is fifty cents, so the digits are filled up on the right.
    return int(euros) * 100 + int(cents.ljust(2, "0"))


def total(items, discount=0):
    if not 0 <= discount <= 100:
        raise ValueError(f"not a discount between 0 and 100: {discount}")
    full = sum(item["cents"] * item["quantity"] for item in items)
    # Hundredths of a cent; half a cent is 50 of them, and // throws the rest away.
    return (full * (100 - discount) + 50) // 100


def read_basket(lines):
    items = []
    rows = csv.reader(lines)
    next(rows, None)
    for row in rows:
        try:
            name, price, quantity = row
            items.append({"name": name, "cents": parse_price(price), "quantity": int(quantity)})
        except ValueError as error:
            raise ValueError(f"line {rows.line_num}: {error}") from error
    return items


def receipt_line(name, cents):
    amount = f"{cents // 100}.{cents % 100:02}"
    return f"{name[:20]:<20}{amount:>10}"


def main():
    try:
        items = read_basket(sys.stdin)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    for item in items:
        print(receipt_line(item["name"], item["cents"] * item["quantity"]))
    print(receipt_line("TOTAL", total(items)))
    return 0


status = main()  # also when somebody imports the module
if status:
    sys.exit(status)
