"""Metrics, intervals, curves and groups of a model, from labels and probabilities; knows no model and draws nothing."""

from accidents.evaluation.evaluate import compare, evaluate
from accidents.evaluation.results import Evaluation

__all__ = ["Evaluation", "compare", "evaluate"]
