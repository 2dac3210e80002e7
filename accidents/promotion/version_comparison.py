"""Versions of a model measured side by side on accidents that none of them has learned from."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from accidents.bundle import Bundle
from accidents.configuration.evaluation import EvaluationSettings
from accidents.configuration.promotion import PromotionSettings
from accidents.evaluation.evaluate import compare, evaluate
from accidents.evaluation.metrics import METRICS
from accidents.evaluation.results import Evaluation
from accidents.report.comparison import comparison_report, ranked_by_f1
from accidents.report.subject import Subject
from accidents.sample.source_name import SAMPLE
from accidents.tables import LABEL
from accidents.training.held_out import unseen


@dataclass(frozen=True)
class Versions:
    """Versions compared: their metrics (a row a version, that of best F1 first), a page, and what to do."""

    table: pd.DataFrame
    page: str
    recommendation: str


def compare_versions(
    bundles: Mapping[str, Bundle],
    features: pd.DataFrame,
    accidents: pd.DataFrame,
    settings: EvaluationSettings,
    rule: PromotionSettings,
    *,
    source: str,
) -> Versions:
    """Measure versions on the same accidents.

    Args:
        bundles: the models by their titles.
        features: what `accidents.features.build` gives.
        accidents: `Accidents.accidents` of the same accidents in the same order.
        settings: resamples, bins, groups.
        rule: how many accidents are enough.
        source: where the accidents come from, as typed.

    Raises:
        DataError: too few accidents that none of them has learned from.
    """
    rows = unseen(bundles, features, accidents, rule.accidents_at_least)
    seen, tested = features.iloc[rows].reset_index(drop=True), accidents.iloc[rows].reset_index(drop=True)
    labels = tested[LABEL].to_numpy()
    groups = tested[list(settings.group_columns)]
    scored = {name: (bundle.predict(seen), bundle.threshold) for name, bundle in bundles.items()}
    evaluations = {name: evaluate(labels, *one, groups=groups, settings=settings) for name, one in scored.items()}
    ranking = ranked_by_f1(evaluations)
    differences = [compare(labels, scored[name], scored[ranking[0]], settings=settings)["f1"] for name in ranking]
    told = f"{len(rows):,} accidents that no version has learned from"
    subjects = [Subject(bundles[name].metadata(), source, told, "", source == SAMPLE, label=name) for name in ranking]
    page = comparison_report(subjects, [evaluations[name] for name in ranking], differences)
    table = pd.DataFrame({name: _figures(evaluations[name]) for name in ranking}).T
    ties = [
        name
        for name, difference in zip(ranking[1:], differences[1:], strict=True)
        if difference.interval is not None and difference.interval[1] >= 0
    ]
    return Versions(table, page, _recommendation(ranking, evaluations, ties, told))


def _figures(evaluation: Evaluation) -> dict[str, float]:
    found = {name: getattr(evaluation, name) for name in METRICS}
    return {name: float("nan") if value is None else float(value) for name, value in found.items()}


def _recommendation(ranking: list[str], evaluations: Mapping[str, Evaluation], ties: list[str], told: str) -> str:
    best = ranking[0]
    if len(ranking) == 1:
        return f"{best} is the only one to look at; there is nothing to compare it with ({told})."
    if ties:
        return (
            f"{best} has the best F1, {evaluations[best].f1 or 0:.3f}, but {', '.join(ties)} cannot be told apart from "
            f"it ({told}): there is no need to change."
        )
    return f"{best}: its F1, {evaluations[best].f1 or 0:.3f}, is better than that of every other ({told})."
