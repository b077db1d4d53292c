"""A till: a basket goes in, a receipt comes out. Amounts are whole cents, never floats."""

import csv
import re
import sys


def parse_price(text):
    """Turn a price as people write it into whole cents.

    parse_price("12.50") gives 1250; so do "12,50" and " 12.5 ". parse_price("7") gives 700.

    Raises:
        ValueError: For anything that is not digits, or digits, a point or a comma, and one or two
            more digits. The message has the text, so that whoever reads it can find the mistake.
    """
    match = re.fullmatch(r"([0-9]+)(?:[.,]([0-9]{1,2}))?", text.strip())
    if match is None:
        raise ValueError(f"not a price: {text!r}")
    euros, cents = match.groups(default="")
    # "5" behind the point is fifty cents, so the digits are filled up on the right.
    return int(euros) * 100 + int(cents.ljust(2, "0"))


def total(items, discount=0):
    """Add up a basket, in cents.

    Args:
        items: A list of dictionaries such as {"name": "Tea", "cents": 240, "quantity": 3}.
        discount: Per cent that are taken off the sum, a whole number from 0 to 100.

    Returns:
        Whole cents. Half a cent is rounded up: 10 % off 125 cents leaves 113.

    Raises:
        ValueError: If discount is below 0 or above 100.
    """
    if not 0 <= discount <= 100:
        raise ValueError(f"not a discount between 0 and 100: {discount}")
    full = sum(item["cents"] * item["quantity"] for item in items)
    # Hundredths of a cent; half a cent is 50 of them, and // throws the rest away.
    return (full * (100 - discount) + 50) // 100


def read_basket(lines):
    """Read items from the lines of a CSV file whose first line is a header.

    Raises:
        ValueError: For a line that makes no sense; the message begins with its number.
    """
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
    """Give one line of the receipt: 20 characters of name, 10 of amount."""
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


if __name__ == "__main__":
    sys.exit(main())
