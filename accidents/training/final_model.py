"""Final model: the recipe of an evaluated model, fitted once more on all labelled accidents, test set included.

The evaluated model is its *evaluated twin*. The final model has the hyperparameters, the number of trees, the
calibration and the threshold of the twin, and no accident is left to measure it on: its figures are those of the twin.
What answers where not everything is known, and what ranks questions, learns from training and test set; it stops early
and is calibrated on the validation set, as that of the twin.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from time import perf_counter

import numpy as np
import pandas as pd

from accidents.bundle import Bundle
from accidents.configuration.training import TrainingSettings
from accidents.engine import LOCAL, Engine
from accidents.errors import ModelError
from accidents.features.arrays import Arrays, to_arrays
from accidents.knowledge.masks import draw_mask
from accidents.models import model_class
from accidents.tables import Accidents, Subset
from accidents.training.fit import fit_rows
from accidents.training.partial_knowledge import learn_partial_knowledge
from accidents.training.split import assign_subsets, join_labels
from accidents.training.training_data import TrainingData

FINAL_ACCIDENTS_AT_LEAST = 1500
"""Accidents below which final models differ from their twins by more than `final_difference_at_most` (0.1)."""


def fit_final_model(
    twin: Bundle,
    features: pd.DataFrame,
    accidents: pd.DataFrame,
    settings: TrainingSettings,
    *,
    difference_at_most: float,
    details: Accidents | None = None,
    engine: Engine = LOCAL,
    progress: Callable[[str], None] = lambda _: None,
) -> Bundle:
    """Fit the recipe of an evaluated model on all labelled accidents.

    Args:
        twin: the evaluated model.
        features: the feature frame that it was trained on.
        accidents: `Accidents.accidents` of the same accidents in the same order.
        settings: those of its training.
        difference_at_most: greatest mean absolute difference of the probabilities of the two models on the test set,
            whole and with fields left out.
        details: the same accidents with vehicles and people; needed if the twin has learned to answer where fields are
            unknown.
        engine: where boosters are fitted.
        progress: called with a message at the end.

    Raises:
        DataError: features and accidents do not fit.
        ModelError: the probabilities of the two differ by more than that.
    """
    arrays = to_arrays(details) if details is not None and twin.partial is not None else None
    data = TrainingData(
        join_labels(features, accidents), twin.level, twin.geography, settings, arrays, engine=engine, report=progress
    )
    subsets = assign_subsets(data.frame, settings.split, settings.seed)
    labelled, validation = (np.flatnonzero(rows) for rows in (subsets != Subset.UNKNOWN, subsets == Subset.VALIDATION))
    others, test = np.setdiff1d(labelled, validation), np.flatnonzero(subsets == Subset.TEST)
    own_class = model_class(twin.model_type)
    parameters = twin.model.refit_parameters(own_class.PARAMETERS.model_validate(twin.parameters))
    started = perf_counter()
    model, encoder = fit_rows(own_class, data, labelled, parameters)
    final = replace(
        twin,
        model=model,
        encoder=encoder,
        partial=None,
        questions=None,
        rows={str(Subset.TRAINING): len(labelled)},
        fit_seconds=perf_counter() - started,
        trained_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    final = learn_partial_knowledge(final, data, others, validation)
    differences = {"mean_difference": mean_difference(final, twin, data.frame.iloc[test], settings.threads)}
    if arrays is not None:
        tested = arrays.take(test)
        masked = draw_mask(tested, np.random.default_rng(settings.seed)).apply(tested)
        differences["mean_difference_of_masked"] = mean_difference(final, twin, masked, settings.threads)
    difference = max(differences.values())
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
        **differences,
    }
    return replace(final, evaluated_twin=record)


def mean_difference(final: Bundle, twin: Bundle, source: pd.DataFrame | Arrays, threads: int = 1) -> float:
    """Mean absolute difference of the probabilities of two models on the accidents of a feature frame or of arrays."""
    return float(np.abs(final.predict(source, threads) - twin.predict(source, threads)).mean())


def check_twin(final: Bundle, twin: Bundle, name: str) -> None:
    """Check that a final model names a model as its evaluated twin.

    Raises:
        ModelError: it names another one, or none.
    """
    if final.evaluated_twin.get("digest") != twin.prediction_digest():
        raise ModelError(
            f"{name}: its final model was not fitted by the recipe of this evaluated model: train it again"
        )
