"""Predictions: for one accident, for JSON texts, and for many accidents in bounded memory.

Nothing is imported here: the service needs `prediction` without the schemas of `batch_scoring`.
"""
