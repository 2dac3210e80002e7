"""Trained models measured anew, all on the same accidents, none of which any of them has learned from."""

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from accidents.bundle import Bundle
from accidents.columns import MISSING
from accidents.configuration.evaluation import EvaluationSettings
from accidents.configuration.promotion import Higher, Lower, PromotionSettings
from accidents.errors import ModelError
from accidents.evaluation.evaluate import compare, evaluate
from accidents.evaluation.groups import OTHERS
from accidents.evaluation.metrics import METRICS, Floats
from accidents.evaluation.results import Evaluation
from accidents.promotion.decision import better, known
from accidents.promotion.results import Department, Measured, Measurements
from accidents.tables import LABEL
from accidents.training.held_out import unseen

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


def best_holder(measurements: Measurements, names: Collection[str], metric: Higher | Lower) -> Measured | None:
    """The best of the named models by a metric, the first of them where several are; None where none is named.

    A model whose metric is not defined comes after all others.
    """
    holders = [measurements.models[name] for name in names]
    return max(holders, key=lambda model: _rank(model, metric), default=None)


def _rank(model: Measured, metric: Higher | Lower) -> float:
    value = known(model.metrics.get(metric))
    return -np.inf if value is None else better(metric, value)


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
