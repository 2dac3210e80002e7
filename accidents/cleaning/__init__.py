"""Cleaning of typed tables: ids and joins, dates, coordinates, the main road of each accident, the label.

File formats are handled by `reading`; features are computed by `features`.
"""
