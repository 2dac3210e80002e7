"""One model from first to last: parts, search, fit, test, and all of it as a bundle."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from accidents.bundle import Bundle
from accidents.configuration.training import TrainingSettings
from accidents.errors import ModelError
from accidents.evaluation.metrics import compute_metrics
from accidents.models import model_class
from accidents.tables import Subset
from accidents.training import tuning
from accidents.training.examples import Examples, Rows
from accidents.training.fit import fit
from accidents.training.split import labelled, months_of, parts_of

Progress = Callable[[str], None]

_LEAST = 20  # accidents of each class and part, below which folds and thresholds are not worth their name


@dataclass(frozen=True)
class Trained:
    """A bundle, what it says about accidents that it has not learned from, and the facts of its making.

    `predictions` has `Num_Acc` (int64), `part` (`validation` or `test`), `label` (int8) and `probability` (float64).
    Probabilities of the validation part are those by which the threshold was chosen, from before fitting again.
    `summary` holds what comparisons show: `rows` and `metrics` by part, `best_cv_score`, `fit_seconds`.
    """

    bundle: Bundle
    predictions: pd.DataFrame
    summary: dict[str, Any]


def train(
    model_type: str,
    features: pd.DataFrame,
    accidents: pd.DataFrame,
    settings: TrainingSettings,
    *,
    level: str,
    geography: bool = True,
    fingerprint: str = "",
    progress: Progress | None = None,
) -> Trained:
    """Train one model. The same arguments give the same bundle, but for the clock.

    Args:
        model_type: one of `accidents.models.model_types()`.
        features: what `accidents.features.build` gives.
        accidents: `Accidents.accidents` of the same accidents in the same order: labels and dates.
        settings: how to train.
        level: level of information, one of `accidents.columns.LEVELS`.
        geography: whether the model may see places.
        fingerprint: of the source of the data, for the record.
        progress: hears a line of text about each stage.

    Raises:
        DataError: features and accidents do not fit, or a temporal split lacks dates.
        ModelError: a part has too few accidents of a class.
    """
    say = progress or (lambda _: None)
    examples = Examples(
        labelled(features, accidents),
        level,
        geography,
        settings.encoder_folds,
        settings.encoder_strength,
        settings.seed,
    )
    rows = _rows_by_part(examples, settings)
    say(", ".join(f"{part} {len(positions):,}" for part, positions in rows.items()) + " accidents")

    search = _chosen(model_type, examples, rows[Subset.TRAINING], settings, say)
    started = time.perf_counter()
    model, held_out = model_class(model_type), rows[Subset.VALIDATION]
    fitted = fit(model, examples, rows[Subset.TRAINING], held_out, search.parameters, settings)
    seconds = time.perf_counter() - started

    test = examples.apply(rows[Subset.TEST], fitted.encoder)
    tested = fitted.calibration(fitted.model.predict_margin(test.X, settings.threads))
    predictions = pd.concat(
        [
            _predictions(examples, rows, Subset.VALIDATION, fitted.validated),
            _predictions(examples, rows, Subset.TEST, tested),
        ],
        ignore_index=True,
    )
    summary: dict[str, Any] = {
        "rows": {str(part): len(positions) for part, positions in rows.items()},
        "metrics": {
            str(part): compute_metrics(
                scored["label"].to_numpy(),
                scored["probability"].to_numpy(),
                fitted.threshold,
                settings.calibration_bins,
            )
            for part, scored in predictions.groupby("part", sort=False)
        },
        "best_cv_score": search.score,
        "fit_seconds": seconds,
    }
    bundle = Bundle(
        model_type=model_type,
        level=level,
        geography=geography,
        columns=examples.columns,
        encoder=fitted.encoder,
        model=fitted.model,
        calibration=fitted.calibration,
        threshold=fitted.threshold,
        rule=str(settings.threshold),
        fingerprint=fingerprint,
        months=tuple(sorted(months_of(examples.frame).dropna().unique())),
        seed=settings.seed,
        split=settings.split.model_dump(mode="json"),
        parameters=search.parameters.model_dump(mode="json"),
        tuning=settings.tuning.method,
        trials=search.trials,
        resampling=settings.resampling,
        trained_at=datetime.now(UTC).isoformat(timespec="seconds"),
        **summary,
    )
    say(f"fitted in {seconds:.1f} s, test AUC {summary['metrics']['test']['roc_auc']:.4f}")
    return Trained(bundle, predictions, summary)


def _rows_by_part(examples: Examples, settings: TrainingSettings) -> dict[Subset, Rows]:
    parts = parts_of(examples.frame, settings.split, settings.seed)
    rows = {part: np.flatnonzero(parts == part) for part in Subset}
    for part in (Subset.TRAINING, Subset.VALIDATION, Subset.TEST):
        priority = int(examples.labels(rows[part]).sum())
        if min(priority, len(rows[part]) - priority) < _LEAST:
            raise ModelError(
                f"the {part} part has {len(rows[part])} accidents with a label, {priority} of them priority; it needs "
                f"{_LEAST} of each class: use more data or another split"
            )
    return rows


def _chosen(
    model_type: str, examples: Examples, training: Rows, settings: TrainingSettings, say: Progress
) -> tuning.Search:
    """Hyperparameters as configured or as a search finds them, with their cross-validated score if there is one."""
    model, own = model_class(model_type), settings.settings_of(model_type)
    configured = model.PARAMETERS.model_validate(own.parameters)
    method = settings.tuning.method
    if method == "none" and not settings.cross_validate:
        return tuning.Search(configured, None)
    say(f"{settings.cv_folds} folds")
    candidates = tuning.candidates(model, examples, training, settings)
    if method == "grid":
        return tuning.grid_search(candidates, configured, own.grid or model.GRID, say)
    if method == "optuna":
        return tuning.optuna_search(candidates, configured, own.space or model.SPACE, settings.tuning, say)
    return tuning.Search(configured, candidates.score(configured))


def _predictions(
    examples: Examples, rows: dict[Subset, Rows], part: Subset, probability: npt.NDArray[np.float64]
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Num_Acc": examples.frame["Num_Acc"].to_numpy()[rows[part]],
            "part": str(part),
            "label": examples.labels(rows[part]),
            "probability": probability,
        }
    )
