"""Training of a model: split, resampling, hyperparameter search, fit, calibration and decision threshold."""

from accidents.training.own_process import with_wait_policy
from accidents.training.train import TrainingResult, train

__all__ = ["TrainingResult", "train", "with_wait_policy"]
