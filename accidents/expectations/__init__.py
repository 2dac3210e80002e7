"""Whether the data of a year are plausible as a whole: how many, how complete, how labelled, how well joined.

Types, codes, ranges and keys of single rows are not looked at here; reading and cleaning do that.
"""
