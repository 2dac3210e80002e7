"""Evaluation of trained models on the same accidents, held out from the training of every one of them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from accidents.bundle import Bundle
from accidents.columns import MISSING
from accidents.configuration.evaluation import EvaluationSettings
from accidents.configuration.promotion import Higher, Lower, PromotionSettings
from accidents.errors import ModelError
from accidents.evaluation.evaluate import evaluate, paired_differences
from accidents.evaluation.groups import DEPARTMENT, OTHERS
from accidents.evaluation.metrics import Floats
from accidents.evaluation.results import Evaluation, MetricDifference
from accidents.promotion.decision import DepartmentMetrics, ModelMetrics, finite_or_none, signed
from accidents.tables import LABEL
from accidents.training.held_out import held_out_rows


@dataclass(frozen=True)
class HeldOutEvaluation:
    """Metrics of models on the same held-out accidents.

    Attributes:
        candidate: name of the candidate.
        accidents: number of accidents.
        models: metrics by name of the model.
        differences: metric of the candidate minus that of each other model, by name of that model and metric.
    """

    candidate: str
    accidents: int
    models: dict[str, ModelMetrics]
    differences: dict[str, dict[str, MetricDifference]]


@dataclass(frozen=True)
class HeldOutScores:
    """Held-out accidents, and probabilities, float64 (n), and decision threshold of each model on them."""

    accidents: pd.DataFrame
    models: dict[str, tuple[Floats, float]]


def score_held_out(
    bundles: Mapping[str, Bundle], features: pd.DataFrame, accidents: pd.DataFrame, minimum: int
) -> HeldOutScores:
    """Score models on the labelled accidents that are in the training data of none of them.

    Args:
        bundles: the models by name.
        features: from `accidents.features.build`.
        accidents: `Accidents.accidents` of the same accidents in the same order.
        minimum: least number of accidents.

    Raises:
        DataError: the frames do not fit, too few accidents are left, or a temporal split cannot be repeated on them.
        ModelError: a model does not fit the features, or does not record its split.
    """
    rows = held_out_rows(bundles, features, accidents, minimum)
    held_out = features.iloc[rows].reset_index(drop=True)
    return HeldOutScores(
        accidents.iloc[rows].reset_index(drop=True),
        {name: (_predict(name, bundle, held_out), bundle.threshold) for name, bundle in bundles.items()},
    )


def evaluate_held_out(
    bundles: Mapping[str, Bundle],
    features: pd.DataFrame,
    accidents: pd.DataFrame,
    settings: EvaluationSettings,
    rule: PromotionSettings,
) -> HeldOutEvaluation:
    """Evaluate a candidate and its incumbents on held-out accidents; the order of rows does not matter.

    Args:
        bundles: by name; the first is the candidate, the others are the models that it may replace.
        features: from `accidents.features.build`.
        accidents: `Accidents.accidents` of the same accidents in the same order.
        settings: resamples, confidence, bins, seed.
        rule: least number of accidents, as a whole and of a department.

    Raises:
        DataError: as `score_held_out`.
        ModelError: as `score_held_out`.
    """
    scores = score_held_out(bundles, features, accidents, rule.accidents_at_least)
    labels, departments = scores.accidents[LABEL].to_numpy(), scores.accidents[[DEPARTMENT]]
    by_department = settings.model_copy(update={"smallest_group": rule.guards.department_accidents_at_least})
    candidate, *others = bundles
    return HeldOutEvaluation(
        candidate=candidate,
        accidents=len(labels),
        models={
            name: _model_metrics(name, evaluate(labels, *scored, groups=departments, settings=by_department))
            for name, scored in scores.models.items()
        },
        differences={
            name: paired_differences(labels, scores.models[candidate], scores.models[name], settings=settings)
            for name in others
        },
    )


def best_model(evaluation: HeldOutEvaluation, names: Collection[str], metric: Higher | Lower) -> ModelMetrics | None:
    """Return the best of the named models by a metric, the first in case of a tie; None without names.

    A model whose metric is not defined comes after all others.
    """
    models = [evaluation.models[name] for name in names]
    return max(models, key=lambda model: _rank(model, metric), default=None)


def _rank(model: ModelMetrics, metric: Higher | Lower) -> float:
    value = finite_or_none(model.metrics.get(metric))
    return -np.inf if value is None else signed(metric, value)


def _predict(name: str, bundle: Bundle, features: pd.DataFrame) -> Floats:
    try:
        return bundle.predict(features)
    except ModelError as error:
        raise ModelError(f"{name}: {error}") from None


def _model_metrics(name: str, evaluation: Evaluation) -> ModelMetrics:
    departments = [
        group
        for group in evaluation.groups[DEPARTMENT]
        if group.value not in (OTHERS, str(MISSING)) and group.roc_auc is not None
    ]
    worst = min(departments, key=lambda group: group.roc_auc or 0.0, default=None)
    return ModelMetrics(
        name=name,
        metrics=evaluation.metrics,
        worst_department=DepartmentMetrics(worst.value, worst.roc_auc, worst.n) if worst else None,
    )
