def mean_by_sensor(readings):
    return readings.groupby("sensor")["temperature"].mean()


def night_mean_by_sensor(readings):
    # > and < leave out the hours 22 and 5.
    night = readings[(readings["hour"] > 22) | (readings["hour"] < 5)]
    return mean_by_sensor(night)
