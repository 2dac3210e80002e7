"""Choice of the model of a training that is proposed for use, on accidents that no model was fitted on."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from accidents.models import model_class
from accidents.models.base import SMALLEST_PROBABILITY, Vector
from accidents.tables import Subset


@dataclass(frozen=True)
class ModelChoice:
    """The proposed model.

    Attributes:
        best: its model type.
        log_losses: mean log loss on the validation set by model type.
    """

    best: str
    log_losses: Mapping[str, float]


def choose_model(predictions: Mapping[str, pd.DataFrame]) -> ModelChoice:
    """Choose the model of lowest log loss on the validation set.

    A model ties with the lowest if their difference is at most its standard error, which is paired: it is that of the
    mean difference on the same accidents. Of tied models that of lowest `Model.TIE_RANK` is chosen.

    Log loss takes every probability into account, whatever the decision threshold; F1 counts the accidents on either
    side of it, and its differences between good models are mostly noise on a few thousand accidents.

    Args:
        predictions: `TrainingResult.predictions` by model type, of models trained on the same split.
    """
    losses = {name: _log_loss(frame[frame["subset"] == Subset.VALIDATION]) for name, frame in predictions.items()}
    means = {name: float(loss.mean()) for name, loss in losses.items()}
    lowest = losses[min(means, key=lambda name: (means[name], name))]
    tied = [name for name, loss in losses.items() if (loss - lowest).mean() <= _standard_error(loss - lowest)]
    return ModelChoice(min(tied, key=lambda name: (model_class(name).TIE_RANK, name)), means)


def _log_loss(validation: pd.DataFrame) -> Vector:
    """Log loss of every accident, float64 (n)."""
    probability = validation["probability"].to_numpy().clip(SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    return -np.log(np.where(validation["label"] == 1, probability, 1 - probability))


def _standard_error(values: Vector) -> float:
    return float(values.std() / np.sqrt(len(values)))
