"""Synthetic accidents, sampled from a Bayesian network and written in the layout of any edition.

None of them has happened. The probability tables are counted from January to September 2024 of the real files
(`scripts/build_sample_frequencies.py`); October to December are interpolated between September and January, their
daylight taken from months with about the same. Every year is drawn anew, and the distributions of others than 2024
drift a little (`drift`). Counts of rare combinations were left out, so that no real row can be recovered; addresses,
ids, communes with few accidents and exact coordinates are invented.
"""
