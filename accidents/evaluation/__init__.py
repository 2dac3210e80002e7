"""Metrics, confidence intervals, curves and group metrics of a classifier, from labels and probabilities.

`evaluate` measures one model and compares two, `results` holds the returned types, `metrics` the metrics themselves.
Nothing here loads a model or draws a figure.
"""
