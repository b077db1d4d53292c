# All the work of cleaning, and then the raw data after all.
readings = raw.assign(hour=pd.to_datetime(raw["time"]).dt.hour)
warmest_at_night = night_mean_by_sensor(readings).idxmax()

there = readings[readings["sensor"] == warmest_at_night]
coldest_hour = int(there.groupby("hour")["temperature"].mean().idxmin())
