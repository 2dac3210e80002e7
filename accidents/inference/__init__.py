"""Scores of many accidents in bounded memory: batches from files, through the model, into one file of predictions."""

from accidents.inference.score import Summary, score

__all__ = ["Summary", "score"]
