def total(items, discount=0):
    if not 0 <= discount <= 100:
        raise ValueError(f"not a discount between 0 and 100: {discount}")
    # Rounding each item adds up to more or less than rounding once.
    return sum((item["cents"] * item["quantity"] * (100 - discount) + 50) // 100 for item in items)
