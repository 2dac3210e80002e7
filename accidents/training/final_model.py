"""Final model: the recipe of an evaluated model, fitted once more on all labelled accidents, test set included.

The evaluated model is its *evaluated twin*. The final model has the hyperparameters, the number of trees, the
calibration and the threshold of the twin, and no accident is left to measure it on: its figures are those of the twin.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from time import perf_counter

import numpy as np
import pandas as pd

from accidents.bundle import Bundle
from accidents.configuration.training import TrainingSettings
from accidents.errors import ModelError
from accidents.models import model_class
from accidents.tables import Subset
from accidents.training.fit import fit_rows
from accidents.training.split import assign_subsets, join_labels
from accidents.training.training_data import TrainingData


def fit_final_model(
    twin: Bundle,
    features: pd.DataFrame,
    accidents: pd.DataFrame,
    settings: TrainingSettings,
    *,
    difference_at_most: float,
    progress: Callable[[str], None] = lambda _: None,
) -> Bundle:
    """Fit the recipe of an evaluated model on all labelled accidents.

    Args:
        twin: the evaluated model.
        features: the feature frame that it was trained on.
        accidents: `Accidents.accidents` of the same accidents in the same order.
        settings: those of its training.
        difference_at_most: greatest mean absolute difference of the probabilities of the two models on the test set.
        progress: called with a message at the end.

    Raises:
        DataError: features and accidents do not fit.
        ModelError: the probabilities of the two differ by more than that.
    """
    data = TrainingData(join_labels(features, accidents), twin.level, twin.geography, settings)
    subsets = assign_subsets(data.frame, settings.split, settings.seed)
    labelled = np.flatnonzero(subsets != Subset.UNKNOWN)
    own_class = model_class(twin.model_type)
    parameters = twin.model.refit_parameters(own_class.PARAMETERS.model_validate(twin.parameters))
    started = perf_counter()
    model, encoder = fit_rows(own_class, data, labelled, parameters)
    final = replace(
        twin,
        model=model,
        encoder=encoder,
        rows={str(Subset.TRAINING): len(labelled)},
        fit_seconds=perf_counter() - started,
        trained_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    difference = mean_difference(final, twin, data.frame[subsets == Subset.TEST], settings.threads)
    if difference > difference_at_most:
        raise ModelError(
            f"{twin.model_type}: the final model differs from its evaluated twin by {difference:.3f} in the mean "
            f"probability of the test set, more than final_difference_at_most, {difference_at_most:g}, so that the "
            "figures of the twin do not describe it: train without --final, or with more data"
        )
    progress(f"final model on {len(labelled):,} accidents, mean difference from its twin {difference:.4f}")
    record = {
        "digest": twin.prediction_digest(),
        "trained_at": twin.trained_at,
        "rows": twin.rows,
        "mean_difference": difference,
    }
    return replace(final, evaluated_twin=record)


def mean_difference(final: Bundle, twin: Bundle, features: pd.DataFrame, threads: int = 1) -> float:
    """Mean absolute difference of the probabilities of two models on the accidents of a feature frame."""
    return float(np.abs(final.predict(features, threads) - twin.predict(features, threads)).mean())


def check_twin(final: Bundle, twin: Bundle, name: str) -> None:
    """Check that a final model names a model as its evaluated twin.

    Raises:
        ModelError: it names another one, or none.
    """
    if final.evaluated_twin.get("digest") != twin.prediction_digest():
        raise ModelError(
            f"{name}: its final model was not fitted by the recipe of this evaluated model: train it again"
        )
