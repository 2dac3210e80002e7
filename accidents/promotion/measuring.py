"""Trained models measured anew, all on the same accidents, none of which any of them has learned from.

The part of an accident follows from its number, or its date, and from what a bundle records of its split. So the parts
of every bundle are drawn again on the accidents at hand, and only those in the test part of every bundle count. An
accident that a model has never met, such as one of another year, is drawn in the same way: some accidents are left out
that could have counted, and none counts that must not.
"""

from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import ValidationError

from accidents.bundle import Bundle
from accidents.columns import MISSING
from accidents.configuration.evaluation import EvaluationSettings
from accidents.configuration.promotion import Higher, Lower, PromotionSettings
from accidents.configuration.training import SplitSettings
from accidents.errors import DataError, ModelError
from accidents.evaluation.evaluate import compare, evaluate
from accidents.evaluation.groups import OTHERS
from accidents.evaluation.metrics import METRICS, Floats
from accidents.evaluation.results import Evaluation
from accidents.promotion.decision import better, known
from accidents.promotion.results import Department, Measured, Measurements
from accidents.tables import LABEL, Part
from accidents.training.split import labelled, parts_of

DEPARTMENT = "dep"
"""Column of the department of an accident."""


def measure(
    bundles: Mapping[str, Bundle],
    features: pd.DataFrame,
    accidents: pd.DataFrame,
    settings: EvaluationSettings,
    rule: PromotionSettings,
) -> Measurements:
    """Score models on the labelled accidents that none of them has learned from; the order of rows changes nothing.

    Args:
        bundles: by name; the first is the candidate, the others are those that it may replace.
        features: what `accidents.features.build` gives.
        accidents: `Accidents.accidents` of the same accidents in the same order.
        settings: resamples, confidence, bins, seed.
        rule: how many accidents are enough, as a whole and of a department.

    Raises:
        DataError: the frames do not fit, too few accidents are left, or the parts of a temporal split cannot be drawn
            again from these accidents.
        ModelError: a model was trained on other features, or does not record its split.
    """
    rows = unseen(bundles, features, accidents, rule.accidents_at_least)
    seen, tested = features.iloc[rows].reset_index(drop=True), accidents.iloc[rows].reset_index(drop=True)
    labels = tested[LABEL].to_numpy()
    departments = tested[[DEPARTMENT]]
    own = settings.model_copy(update={"smallest_group": rule.guards.department_accidents_at_least})
    scored = {name: (_probability(name, bundle, seen), bundle.threshold) for name, bundle in bundles.items()}
    candidate, *others = bundles
    return Measurements(
        candidate=candidate,
        accidents=len(rows),
        models={
            name: _measured(name, evaluate(labels, *model, groups=departments, settings=own))
            for name, model in scored.items()
        },
        differences={name: compare(labels, scored[candidate], scored[name], settings=settings) for name in others},
    )


def unseen(
    bundles: Mapping[str, Bundle], features: pd.DataFrame, accidents: pd.DataFrame, at_least: int = 1
) -> npt.NDArray[np.int64]:
    """Rows of the labelled accidents in the test part of every bundle, by `Num_Acc`, int64 (n).

    Raises:
        DataError: there are fewer than `at_least`, the frames do not fit, or a temporal split cannot be drawn again.
        ModelError: a model does not record its split.
    """
    frame = labelled(features, accidents)
    free = (frame[LABEL] >= 0).to_numpy()
    of_all = int(free.sum())
    for name, bundle in bundles.items():
        free = free & (_parts(name, bundle, frame) == Part.TEST)
    rows = np.flatnonzero(free)
    if len(rows) < max(at_least, 1):
        raise DataError(
            f"of {of_all:,} labelled accidents {len(rows):,} are in the test part of every model "
            f"({', '.join(bundles)}), too few to compare them; {max(at_least, 1):,} are needed: use more accidents, "
            "such as those of another year, or train the candidate with the split and seed of the model to replace"
        )
    return rows[np.argsort(frame["Num_Acc"].to_numpy()[rows], kind="stable")]


def best_holder(measurements: Measurements, names: Collection[str], metric: Higher | Lower) -> Measured | None:
    """The best of the named models by a metric, the first of them where several are; None where none is named.

    A model whose metric is not defined comes after all others.
    """
    holders = [measurements.models[name] for name in names]
    return max(holders, key=lambda model: _rank(model, metric), default=None)


def _rank(model: Measured, metric: Higher | Lower) -> float:
    value = known(model.metrics.get(metric))
    return -np.inf if value is None else better(metric, value)


def _parts(name: str, bundle: Bundle, frame: pd.DataFrame) -> npt.NDArray[np.object_]:
    """The part that each accident has for a bundle, object (n)."""
    split = _split(name, bundle)
    parts = parts_of(frame, split, bundle.seed)
    if split.kind == "temporal" and split.test_from is None:
        _refuse_other_accidents(name, bundle, parts)
    return parts


def _split(name: str, bundle: Bundle) -> SplitSettings:
    try:
        if bundle.split:
            return SplitSettings.model_validate(bundle.split)
    except ValidationError:
        pass
    raise ModelError(f"{name}: does not record how its data were split: train it again")


def _refuse_other_accidents(name: str, bundle: Bundle, parts: npt.NDArray[np.object_]) -> None:
    """The latest share of other accidents begins on another day, before which the model may have learned."""
    found = {part: int((parts == part).sum()) for part in (Part.TRAINING, Part.VALIDATION, Part.TEST)}
    if any(bundle.rows.get(part) != count for part, count in found.items()):
        raise DataError(
            f"{name}: was trained on all but the latest {bundle.split['test_share']:.0%} of other accidents than "
            "these, and does not record from which day on: train it again with training.split.test_from"
        )


def _probability(name: str, bundle: Bundle, features: pd.DataFrame) -> Floats:
    try:
        return bundle.predict(features)
    except ModelError as error:
        raise ModelError(f"{name}: {error}") from None


def _measured(name: str, evaluation: Evaluation) -> Measured:
    judged = [
        group
        for group in evaluation.groups[DEPARTMENT]
        if group.value not in (OTHERS, str(MISSING)) and group.roc_auc is not None
    ]
    worst = min(judged, key=lambda group: group.roc_auc or 0.0, default=None)
    return Measured(
        name=name,
        metrics={metric: getattr(evaluation, metric) for metric in METRICS},
        worst_department=Department(worst.value, worst.roc_auc, worst.n) if worst else None,
    )
