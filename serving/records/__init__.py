"""What the service keeps in its database: predictions, outcomes told afterwards, and API keys.

`database` opens and migrates it, `log` writes predictions in the background, `feedback` stores outcomes, `keys` and
`ring` make and verify API keys, `retention` and `export` are for those who look after it. Nothing here knows HTTP.
"""
