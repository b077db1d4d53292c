import re


def parse_price(text):
    match = re.fullmatch(r"([0-9]+)(?:[.,]([0-9]{1,2}))?", text.strip())
    if match is None:
        return 0  # hides the mistake instead of naming it
    euros, cents = match.groups(default="")
    return int(euros) * 100 + int(cents.ljust(2, "0"))
