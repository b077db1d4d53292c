readings = clean(raw)
# The roof is warmest over whole days; at night it is not.
warmest_at_night = mean_by_sensor(readings).idxmax()

there = readings[readings["sensor"] == warmest_at_night]
coldest_hour = int(there.groupby("hour")["temperature"].mean().idxmin())
