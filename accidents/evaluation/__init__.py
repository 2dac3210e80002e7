"""Metrics, intervals, curves and groups of a model, from labels and probabilities; knows no model and draws nothing.

`evaluate` measures one model and compares two, `results` is what comes out, `metrics` is the bare arithmetic.
"""
