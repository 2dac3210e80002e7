"""From features and labels to a bundle: parts, resampling, search, fit, calibration and threshold."""

from accidents.training.train import Trained, train

__all__ = ["Trained", "train"]
