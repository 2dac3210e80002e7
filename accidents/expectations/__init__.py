"""Expectations on the data of a year: row counts, labels, joins, missing cells; validated by Great Expectations.

Types, codes, ranges and ids of single rows are checked by `reading` and `cleaning`.
"""
