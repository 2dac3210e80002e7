"""Comparison of registered versions of a model on held-out accidents."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from accidents.bundle import Bundle
from accidents.configuration.evaluation import EvaluationSettings
from accidents.configuration.promotion import PromotionSettings
from accidents.evaluation.evaluate import evaluate, paired_differences
from accidents.evaluation.results import Evaluation
from accidents.promotion.held_out_evaluation import score_held_out
from accidents.report.comparison_report import comparison_report, rank_by_f1
from accidents.report.evaluated_model import EvaluatedModel
from accidents.tables import LABEL


@dataclass(frozen=True)
class VersionComparison:
    """Metrics of versions (one row a version, that of best F1 first), an HTML report, and a recommendation."""

    table: pd.DataFrame
    html: str
    recommendation: str


def compare_versions(
    bundles: Mapping[str, Bundle],
    features: pd.DataFrame,
    accidents: pd.DataFrame,
    settings: EvaluationSettings,
    rule: PromotionSettings,
    *,
    source: str,
) -> VersionComparison:
    """Evaluate versions on the accidents that are held out from all of them.

    Args:
        bundles: the models by title of the version.
        features: from `accidents.features.build`.
        accidents: `Accidents.accidents` of the same accidents in the same order.
        settings: resamples, bins, groups.
        rule: least number of accidents.
        source: where the accidents come from, as typed.

    Raises:
        DataError: too few accidents are held out from all versions.
        ModelError: a version does not fit the features, or does not record its split.
    """
    scores = score_held_out(bundles, features, accidents, rule.accidents_at_least)
    labels, groups = scores.accidents[LABEL].to_numpy(), scores.accidents[list(settings.group_columns)]
    evaluations = {
        name: evaluate(labels, *scored, groups=groups, settings=settings) for name, scored in scores.models.items()
    }
    ranking = rank_by_f1(evaluations)
    best = scores.models[ranking[0]]
    differences = [paired_differences(labels, scores.models[name], best, settings=settings)["f1"] for name in ranking]
    dataset = f"{len(labels):,} accidents held out from every version"
    models = [EvaluatedModel(bundles[name].metadata(), source, dataset, "", label=name) for name in ranking]
    html = comparison_report(models, [evaluations[name] for name in ranking], differences)
    table = pd.DataFrame({name: _metrics(evaluations[name]) for name in ranking}).T
    tied = [
        name
        for name, difference in zip(ranking[1:], differences[1:], strict=True)
        if difference.interval is not None and difference.interval[1] >= 0
    ]
    return VersionComparison(table, html, _recommendation(ranking, evaluations, tied, dataset))


def _metrics(evaluation: Evaluation) -> dict[str, float]:
    return {name: float("nan") if value is None else value for name, value in evaluation.metrics.items()}


def _recommendation(ranking: list[str], evaluations: Mapping[str, Evaluation], tied: list[str], dataset: str) -> str:
    best = ranking[0]
    f1 = evaluations[best].f1 or 0
    if len(ranking) == 1:
        return f"{best} is the only version; there is nothing to compare it with ({dataset})."
    if tied:
        return (
            f"{best} has the best F1, {f1:.3f}, but it does not differ significantly from {', '.join(tied)} "
            f"({dataset}): there is no need to change."
        )
    return f"{best}: its F1, {f1:.3f}, is better than that of every other version ({dataset})."
