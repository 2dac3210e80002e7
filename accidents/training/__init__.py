"""Training of a model: split, resampling, hyperparameter search, fit, calibration and decision threshold."""

from accidents.training.own_process import with_wait_policy
from accidents.training.side_by_side import plan_models, train_planned, with_threads
from accidents.training.train import TrainingResult, train

__all__ = ["TrainingResult", "plan_models", "train", "train_planned", "with_threads", "with_wait_policy"]
