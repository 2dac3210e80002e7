"""Database of the service: predictions, their outcomes and API keys. Independent of HTTP.

`database` opens and migrates it, `prediction_log` writes predictions in the background, `feedback` stores outcomes,
`retention` and `export` are for operators.
"""
