def clean(raw):
    # dropna finds what is missing; -999 is a number for it.
    usable = raw.dropna().drop_duplicates()
    return usable.assign(hour=pd.to_datetime(usable["time"]).dt.hour)
