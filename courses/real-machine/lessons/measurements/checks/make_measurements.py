"""Make starter/measurements.csv: how the data of this lesson came to be, for authors.

The greenhouse does not exist. Each place has a daily curve and a little noise; then the troubles of
real measurements are put in. Run in the lesson's folder: python3 checks/make_measurements.py
"""

import csv
import math
import random
from datetime import datetime, timedelta

# Place → mean of the day, half of the difference between day and night (°C), coldest hour.
# The roof is warmest by day. The floor keeps the warmth: it is warmest at night, and late to cool.
PLACES = {
    "bench": (18.0, 6.5, 5),
    "door": (14.5, 6.0, 5),
    "floor": (17.0, 4.0, 7),
    "roof": (21.5, 14.5, 5),
}


def temperature(place, hour, noise):
    mean, swing, coldest = PLACES[place]
    return round(mean - swing * math.cos((hour - coldest) / 24 * 2 * math.pi) + noise, 1)


def main():
    chance = random.Random(2026)
    rows = []
    start = datetime(2026, 5, 4)
    for number in range(7 * 24):
        time = start + timedelta(hours=number)
        for place in PLACES:
            value = str(temperature(place, time.hour, chance.gauss(0, 0.4)))
            row = [f"{time:%Y-%m-%d %H:%M}", place, value]
            rows.append(row)
            dice = chance.random()
            if dice < 0.025:
                row[2] = ""  # the radio heard nothing
            elif dice < (0.11 if place == "floor" else 0.02) + 0.025:
                row[2] = "-999"  # the sensor says so when its battery is low
            elif dice > 0.97:
                rows.append(list(row))  # the radio sent it twice
    with open("starter/measurements.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["time", "sensor", "temperature"])
        writer.writerows(rows)


if __name__ == "__main__":
    main()
