"""A till: a basket goes in, a receipt comes out. Amounts are whole cents, never floats."""


def parse_price(text):
    """Turn a price as people write it into whole cents.

    parse_price("12.50") gives 1250; so do "12,50" and " 12.5 ". parse_price("7") gives 700.

    Raises:
        ValueError: For anything that is not digits, or digits, a point or a comma, and one or two
            more digits. The message has the text, so that whoever reads it can find the mistake.
    """
    raise NotImplementedError


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
    raise NotImplementedError


# Step 3 goes here: python3 receipt.py < basket.csv
