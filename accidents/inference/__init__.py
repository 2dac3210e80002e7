"""Scores of many accidents in bounded memory: batches from files, through the model, into one file of predictions.

Nothing is imported here: the service needs `prediction` without the schemas of `score`.
"""
