"""Training of one model: split, hyperparameter search, fit, evaluation on the test set, and the bundle."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from accidents.bundle import Bundle
from accidents.configuration.training import TrainingSettings
from accidents.engine import LOCAL, Engine
from accidents.errors import ModelError
from accidents.evaluation.metrics import compute_metrics
from accidents.features.arrays import to_arrays
from accidents.models import model_class
from accidents.models.base import Vector
from accidents.tables import Accidents, Subset
from accidents.training import tuning
from accidents.training.fit import fit_model
from accidents.training.partial_fit import fit_partial_model
from accidents.training.partial_knowledge import learn_partial_knowledge, measured_by_knowledge
from accidents.training.shared_results import SharedResults
from accidents.training.split import accident_months, assign_subsets, join_labels
from accidents.training.training_data import Rows, TrainingData

_MIN_PER_CLASS = 20  # accidents of each class and set; below, folds and thresholds mean nothing


@dataclass(frozen=True)
class TrainingResult:
    """The bundle of a trained model, and its predictions on accidents outside its training set.

    `predictions` has `Num_Acc` (int64), `subset` (`validation` or `test`), `label` (int8) and `probability` (float64).
    Probabilities of the validation set are those by which the threshold was chosen, before the refit.
    """

    bundle: Bundle
    predictions: pd.DataFrame


def train(
    model_type: str,
    features: pd.DataFrame,
    accidents: pd.DataFrame,
    settings: TrainingSettings,
    *,
    level: str,
    geography: bool = True,
    details: Accidents | None = None,
    fingerprint: str = "",
    editions: Mapping[str, str] | None = None,
    engine: Engine = LOCAL,
    shared: SharedResults | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> TrainingResult:
    """Train one model. The same arguments give the same bundle, except for times.

    Args:
        model_type: one of `accidents.models.model_types()`.
        features: a feature frame (`accidents.features.feature_frame`).
        accidents: `Accidents.accidents` of the same accidents in the same order: labels and dates.
        settings: split, resampling, search, calibration, threshold.
        level: level of information, one of `accidents.columns.LEVELS`.
        geography: whether place columns are used.
        details: the same accidents with vehicles and people, so that the model learns to answer where fields are
            unknown; without them, or without `settings.partial_knowledge`, it learns from whole accidents alone.
        fingerprint: of the source of the data, for the record.
        editions: digests of its editions by year, for the record; None where they are not known.
        engine: where trials are run and boosters are fitted; a fit of several workers has other last digits.
        shared: results in common with trainings of other model types on the same frames; None: of this one alone.
        progress: called with a message after each stage.

    Raises:
        DataError: features and accidents do not fit, or a temporal split lacks dates.
        ModelError: a set has too few accidents of a class.
    """
    shared = shared or SharedResults(keep_large=False)
    data = _training_data(
        features,
        accidents,
        settings,
        level,
        details,
        geography=geography,
        shared=shared,
        engine=engine,
        report=progress,
    )
    rows = _split_rows(data)
    progress(", ".join(f"{subset} {len(positions):,}" for subset, positions in rows.items()) + " accidents")

    search = tuning.search(model_type, data, rows[Subset.TRAINING], progress)
    fitted_on = rows[Subset.TRAINING], rows[Subset.VALIDATION]
    if data.arrays is not None:
        fit_partial_model(data, *fitted_on)  # first, since its matrices serve the model, too
    fitted = fit_model(model_class(model_type), data, *fitted_on, search.parameters)

    test = data.transform(rows[Subset.TEST], fitted.encoder)
    probabilities = {
        Subset.VALIDATION: fitted.validation_probabilities,
        Subset.TEST: fitted.calibration(fitted.model.predict_margin(test.X, settings.threads)),
    }
    metrics = {
        str(subset): compute_metrics(
            data.labels(rows[subset]), probability, fitted.threshold, settings.calibration_bins
        )
        for subset, probability in probabilities.items()
    }
    bundle = Bundle(
        model_type=model_type,
        level=level,
        geography=geography,
        columns=data.columns,
        encoder=fitted.encoder,
        model=fitted.model,
        calibration=fitted.calibration,
        threshold=fitted.threshold,
        rule=str(settings.threshold),
        fingerprint=fingerprint,
        editions=dict(editions or {}),
        months=tuple(sorted(accident_months(data.frame).dropna().unique())),
        seed=settings.seed,
        split=settings.split.model_dump(mode="json"),
        parameters=search.parameters.model_dump(mode="json"),
        tuning=settings.tuning.method,
        trials=search.trials,
        resampling=settings.resampling,
        rows={str(subset): len(positions) for subset, positions in rows.items()},
        metrics=metrics,
        best_cv_score=search.score,
        fit_seconds=fitted.seconds,
        trained_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    bundle = _with_partial_knowledge(bundle, data, rows)
    progress(f"fitted in {fitted.seconds:.1f} s, test AUC {metrics['test']['roc_auc']:.4f}")
    return TrainingResult(bundle, _predictions(data, rows, probabilities))


def add_partial_knowledge(
    result: TrainingResult,
    features: pd.DataFrame,
    accidents: pd.DataFrame,
    settings: TrainingSettings,
    *,
    details: Accidents | None,
    shared: SharedResults | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> TrainingResult:
    """Add to a result of `train` without `details` what it lacks; arguments are those of `train`."""
    level, geography, shared = result.bundle.level, result.bundle.geography, shared or SharedResults(keep_large=False)
    data = _training_data(
        features, accidents, settings, level, details, geography=geography, shared=shared, report=progress
    )
    return replace(result, bundle=_with_partial_knowledge(result.bundle, data, _split_rows(data)))


def _training_data(
    features: pd.DataFrame,
    accidents: pd.DataFrame,
    settings: TrainingSettings,
    level: str,
    details: Accidents | None,
    *,
    geography: bool,
    shared: SharedResults,
    **options: Any,
) -> TrainingData:
    frame, arrays = shared.get("frame", lambda: join_labels(features, accidents), large=True), None
    if details is not None and settings.partial_knowledge:
        arrays = shared.get("arrays", lambda: to_arrays(details), large=True)
    return TrainingData(frame, level, geography, settings, arrays, shared=shared, **options)


def _with_partial_knowledge(bundle: Bundle, data: TrainingData, rows: Mapping[Subset, Rows]) -> Bundle:
    bundle = learn_partial_knowledge(bundle, data, rows[Subset.TRAINING], rows[Subset.VALIDATION])
    return measured_by_knowledge(bundle, data, rows[Subset.TEST])


def _split_rows(data: TrainingData) -> dict[Subset, Rows]:
    subsets = assign_subsets(data.frame, data.settings.split, data.settings.seed)
    rows = {subset: np.flatnonzero(subsets == subset) for subset in Subset}
    for subset in (Subset.TRAINING, Subset.VALIDATION, Subset.TEST):
        priority = int(data.labels(rows[subset]).sum())
        if min(priority, len(rows[subset]) - priority) < _MIN_PER_CLASS:
            raise ModelError(
                f"the {subset} set has {len(rows[subset])} accidents with a label, {priority} of them priority; it "
                f"needs {_MIN_PER_CLASS} of each class: use more data or another split"
            )
    return rows


def _predictions(
    data: TrainingData, rows: Mapping[Subset, Rows], probabilities: Mapping[Subset, Vector]
) -> pd.DataFrame:
    positions = np.concatenate([rows[subset] for subset in probabilities])
    return pd.DataFrame(
        {
            "Num_Acc": data.frame["Num_Acc"].to_numpy()[positions],
            "subset": np.repeat([str(subset) for subset in probabilities], [*map(len, probabilities.values())]),
            "label": data.labels(positions),
            "probability": np.concatenate([*probabilities.values()]),
        }
    )
