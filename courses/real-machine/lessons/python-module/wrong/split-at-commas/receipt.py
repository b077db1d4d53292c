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


def receipt_line(name, cents):
    amount = f"{cents // 100}.{cents % 100:02}"
    return f"{name[:20]:<20}{amount:>10}"


def main():
    items = []
    for number, text in enumerate(sys.stdin, start=1):
        if number == 1:
            continue
        try:
            name, price, quantity = text.split(",")  # "Bread, rye" falls apart
            items.append({"name": name, "cents": parse_price(price), "quantity": int(quantity)})
        except ValueError as error:
            print(f"line {number}: {error}", file=sys.stderr)
            return 1
    for item in items:
        print(receipt_line(item["name"], item["cents"] * item["quantity"]))
    print(receipt_line("TOTAL", total(items)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
