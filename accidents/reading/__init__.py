"""Parsing of the four published files of a year into typed tables: encoding, separator, quotes, layout and types.

Rules that involve more than one cell (ids, joins, dates, coordinates, the label) belong to `cleaning`.
"""
