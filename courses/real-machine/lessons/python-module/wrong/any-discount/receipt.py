def total(items, discount=0):
    # 101 % off: the shop pays the customer.
    full = sum(item["cents"] * item["quantity"] for item in items)
    return (full * (100 - discount) + 50) // 100
