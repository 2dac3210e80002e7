"""From the four published files of a year to typed tables: encoding, separator, quoting, layout and types.

What a row means beyond its own cells (keys, joins, dates, coordinates, the label) is the business of `cleaning`.
"""
