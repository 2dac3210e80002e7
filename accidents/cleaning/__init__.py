"""From typed tables to accidents: keys and joins, dates, coordinates, the road of each accident, the label.

How files are written is the business of `reading`; features are built elsewhere.
"""
