def total(items, discount=0):
    if not 0 <= discount <= 100:
        raise ValueError(f"not a discount between 0 and 100: {discount}")
    full = sum(item["cents"] * item["quantity"] for item in items)
    return round(full * (100 - discount) / 100)  # halves go to the even neighbour
