import re


def parse_price(text):
    match = re.fullmatch(r"([0-9]+)(?:[.,]([0-9]{1,2}))?", text.strip())
    if match is None:
        raise ValueError(f"not a price: {text!r}")
    euros, cents = match.groups(default="0")
    return int(euros) * 100 + int(cents)  # "12.5" becomes 12.05
