"""Evaluation, explanation and report of trained models: of one model, or of all models of a training."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from accidents.bundle import Bundle
from accidents.configuration.evaluation import EvaluationSettings
from accidents.evaluation.evaluate import differences_from_first, evaluate
from accidents.evaluation.results import Evaluation, MetricDifference
from accidents.explanation.importance import Explanation, explain_model, explained_rows
from accidents.models import display_name
from accidents.plots.style import RenderedFigure, render_figure
from accidents.report.comparison_report import comparison_report, rank_by_f1
from accidents.report.evaluated_model import EvaluatedModel
from accidents.report.evaluation_report import evaluation_figures, evaluation_report
from accidents.report.model_card import ModelCard, model_card
from accidents.report.report_files import CARD_FILE, REPORT_FILE, ReportFiles
from accidents.tables import LABEL, Subset
from accidents.training.held_out import held_out_rows
from accidents.training.own_process import SentBundle
from accidents.training.selection import ModelChoice, choose_model
from accidents.training.tuning import CV_METRIC
from accidents.worker_process import side_by_side

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TABLE_METRICS = ("accuracy", "precision", "recall", "f1", "roc_auc")
_PLOT_FILES = {"confusion": "confusion_matrix", "beeswarm": "shap_summary", "importance": "shap_importance"}
"""File names of figures where they differ from the names in the report."""


@dataclass(frozen=True)
class ModelReport:
    """Evaluation, explanation and HTML report of one model, with the figures of the report."""

    evaluation: Evaluation
    explanation: Explanation
    html: str
    figures: "dict[str, Figure]"
    rendered: dict[str, RenderedFigure]

    def files(self) -> dict[str, str]:
        """Return the text of each report file by its name."""
        return {
            REPORT_FILE: self.html,
            "evaluation.json": json.dumps(self.evaluation.model_dump(mode="json"), indent=1),
            "shap_importance.csv": self.explanation.features.to_csv(index=False),
            **{f"plots/{_PLOT_FILES.get(name, name)}.svg": plot.standalone_svg for name, plot in self.rendered.items()},
        }


@dataclass(frozen=True)
class ModelComparison:
    """Comparison of all models of a training on its test set.

    Attributes:
        table: one row a model, ranked by F1: `model_type`, `accuracy`, `precision`, `recall`, `f1_score`, `roc_auc`,
            `validation_log_loss`, `best_cv_score`, `best_cv_metric` (of which that is the score), `fit_seconds`.
        evaluations: `Evaluation` as JSON by model type.
        best: the proposed model type, from `accidents.training.selection.choose_model`.
        best_report: HTML report of that model.
        comparison_report: HTML report that compares all models.
        card: model card of the best model.
        report_files: report files of all models, each with its model card.
    """

    table: pd.DataFrame
    evaluations: dict[str, dict[str, Any]]
    best: str
    best_report: str
    comparison_report: str
    card: ModelCard
    report_files: ReportFiles


def report_on_dataset(
    bundle: Bundle,
    features: pd.DataFrame,
    accidents: pd.DataFrame,
    settings: EvaluationSettings,
    *,
    source: str,
    fingerprint: str,
    dataset: str,
) -> ModelReport:
    """Evaluate a model on labelled held-out accidents.

    Args:
        bundle: the model.
        features: from `accidents.features.build`.
        accidents: `Accidents.accidents` of the same accidents in the same order.
        settings: resamples, bins, groups.
        source: where the accidents come from, as typed.
        fingerprint: of their files.
        dataset: which accidents these are, for the report.
    """
    X = bundle.matrix(features.reset_index(drop=True))
    scored = pd.DataFrame({"label": accidents[LABEL].to_numpy(), "probability": bundle.predict_proba(X)})
    evaluation = _evaluate(scored, bundle, accidents, settings)
    model = EvaluatedModel(bundle.metadata(), source, dataset, fingerprint)
    explained = X[explained_rows(bundle.model_type, len(X), settings)]
    return _report(model, evaluation, explain_model(bundle, explained, settings), settings)


def report_on_held_out(
    bundle: Bundle,
    features: pd.DataFrame,
    accidents: pd.DataFrame,
    settings: EvaluationSettings,
    *,
    source: str,
    fingerprint: str,
) -> tuple[dict[str, Any], str]:
    """Evaluate a model on the labelled accidents outside its training set; arguments as of `report_on_dataset`.

    Returns:
        `Evaluation.summary` with the number of `labelled` accidents, and the HTML report.
    """
    rows = held_out_rows({display_name(bundle.model_type): bundle}, features, accidents)
    labelled = int((accidents[LABEL] >= 0).sum())
    report = report_on_dataset(
        bundle,
        features.iloc[rows],
        accidents.iloc[rows],
        settings,
        source=source,
        fingerprint=fingerprint,
        dataset=f"{len(rows):,} of {labelled:,} labelled accidents, held out from its training",
    )
    return report.evaluation.summary() | {"labelled": labelled}, report.html


def report_on_test_set(
    bundle: Bundle,
    predictions: pd.DataFrame,
    features: pd.DataFrame,
    accidents: pd.DataFrame,
    settings: EvaluationSettings,
    *,
    source: str,
) -> ModelReport:
    """Evaluate a model on the test set of its training.

    Args:
        bundle: the model.
        predictions: `TrainingResult.predictions` of it.
        features: from `accidents.features.build`.
        accidents: `Accidents.accidents` of the same accidents in the same order.
        settings: resamples, bins, groups.
        source: where the accidents come from, as typed.
    """
    test = _test_set(predictions)
    rows = _positions(test["Num_Acc"], accidents)
    evaluation = _evaluate(test, bundle, accidents.loc[rows], settings)
    explained = features.loc[rows[explained_rows(bundle.model_type, len(rows), settings)]]
    explanation = explain_model(bundle, bundle.matrix(explained), settings)
    return _report(_evaluated_model(bundle, source, test), evaluation, explanation, settings)


def compare_models(
    bundles: Sequence[Bundle],
    predictions: Sequence[pd.DataFrame],
    features: pd.DataFrame,
    accidents: pd.DataFrame,
    settings: EvaluationSettings,
    *,
    source: str,
    without_place: Mapping[str, Any] | None = None,
    finals: Sequence[Bundle] = (),
) -> ModelComparison:
    """Evaluate the models of one training on its test set, rank them, and write their reports.

    Args:
        bundles: models of different types, trained on one split.
        predictions: `TrainingResult.predictions` of each of them.
        features: from `accidents.features.build`.
        accidents: `Accidents.accidents` of the same accidents in the same order.
        settings: resamples, bins, groups.
        source: where the accidents come from, as typed.
        without_place: `Evaluation.summary` by model type of models trained without the place, for the card.
        finals: for each model, its final model, which the reports name; empty without.
    """
    tests = {b.model_type: _test_set(p) for b, p in zip(bundles, predictions, strict=True)}
    models = {bundle.model_type: bundle for bundle in bundles}
    final = {bundle.model_type: bundle.metadata() for bundle in finals}
    rows = _positions(next(iter(tests.values()))["Num_Acc"], accidents)
    groups = accidents.loc[rows, list(settings.group_columns)]
    explained = {name: features.loc[rows[explained_rows(name, len(rows), settings)]] for name in models}
    evaluated = {n: replace(_evaluated_model(b, source, tests[n]), final=final.get(n)) for n, b in models.items()}
    # Models that take long to explain come first, so that no process waits for one at the end.
    order = sorted(models, key=lambda name: name not in settings.explained_accidents_of)
    calls = [
        (SentBundle(models[name]), evaluated[name], tests[name], explained[name], groups, settings) for name in order
    ]
    reported = dict(zip(order, side_by_side(_report_on, calls), strict=True))
    evaluations = {name: evaluation for name, (evaluation, *_) in reported.items()}
    explanations = {name: explanation for name, (_, explanation, _) in reported.items()}
    files = {name: texts for name, (*_, texts) in reported.items()}
    ranking = rank_by_f1({name: evaluations[name] for name in models})
    choice = choose_model({b.model_type: p for b, p in zip(bundles, predictions, strict=True)})
    best = choice.best
    comparison = comparison_report(
        [evaluated[name] for name in ranking],
        [evaluations[name] for name in ranking],
        _f1_differences(ranking, tests, models, settings),
        recommended=evaluated[best].name,
    )
    cards = {
        name: model_card(evaluated[name], evaluations[name], explanations[name], (without_place or {}).get(name))
        for name in ranking
    }
    return ModelComparison(
        table=_table(ranking, models, evaluations, choice),
        evaluations={name: evaluations[name].model_dump(mode="json") for name in ranking},
        best=best,
        best_report=files[best][REPORT_FILE],
        comparison_report=comparison,
        card=cards[best],
        report_files=ReportFiles({name: files[name] | {CARD_FILE: cards[name].markdown} for name in ranking}),
    )


def _report(
    model: EvaluatedModel, evaluation: Evaluation, explanation: Explanation, settings: EvaluationSettings
) -> ModelReport:
    figures = evaluation_figures(model, evaluation, explanation, settings)
    rendered = {name: render_figure(figure) for name, figure in figures.items()}
    html = evaluation_report(model, evaluation, explanation, settings, rendered)
    return ModelReport(evaluation, explanation, html, figures, rendered)


def _report_on(
    sent: SentBundle,
    model: EvaluatedModel,
    test: pd.DataFrame,
    explained: pd.DataFrame,
    groups: pd.DataFrame,
    settings: EvaluationSettings,
) -> tuple[Evaluation, Explanation, dict[str, str]]:
    """Evaluate a bundle, and explain it by the features of a few accidents; the report files come with both."""
    bundle = sent.bundle
    evaluation = _evaluate(test, bundle, groups, settings)
    explanation = explain_model(bundle, bundle.matrix(explained), settings)
    return evaluation, explanation, _report(model, evaluation, explanation, settings).files()


def _evaluate(
    scored: pd.DataFrame, bundle: Bundle, accidents: pd.DataFrame, settings: EvaluationSettings
) -> Evaluation:
    labels, probabilities = scored["label"].to_numpy(), scored["probability"].to_numpy()
    groups = accidents[list(settings.group_columns)].reset_index(drop=True)
    return evaluate(labels, probabilities, bundle.threshold, groups=groups, settings=settings)


def _evaluated_model(bundle: Bundle, source: str, test: pd.DataFrame) -> EvaluatedModel:
    return EvaluatedModel(bundle.metadata(), source, f"test set, {len(test):,} accidents", bundle.fingerprint)


def _test_set(predictions: pd.DataFrame) -> pd.DataFrame:
    return predictions[predictions["subset"] == Subset.TEST].reset_index(drop=True)


def _positions(ids: pd.Series, accidents: pd.DataFrame) -> np.ndarray:
    """Return the positions of accident ids in accidents, which are sorted by them."""
    return np.searchsorted(accidents["Num_Acc"].to_numpy(), ids.to_numpy())


def _table(
    ranking: Sequence[str], models: Mapping[str, Bundle], evaluations: Mapping[str, Evaluation], choice: ModelChoice
) -> pd.DataFrame:
    table = pd.DataFrame([evaluations[name].metrics for name in ranking])[list(_TABLE_METRICS)]
    table.insert(0, "model_type", ranking)
    table["validation_log_loss"] = [choice.log_losses[name] for name in ranking]
    table["best_cv_score"] = [models[name].best_cv_score for name in ranking]
    table["best_cv_metric"] = CV_METRIC
    table["fit_seconds"] = [models[name].fit_seconds for name in ranking]
    return table.rename(columns={"f1": "f1_score"}).astype({"best_cv_score": "float64"})


def _f1_differences(
    ranking: Sequence[str],
    tests: Mapping[str, pd.DataFrame],
    models: Mapping[str, Bundle],
    settings: EvaluationSettings,
) -> list[MetricDifference]:
    """Compute the paired difference of F1 of each model and the first of the ranking."""
    labels = tests[ranking[0]]["label"].to_numpy()
    # F1 depends on predictions alone; resamples of two distinct values are measured far faster than probabilities.
    predictions = [
        ((tests[name]["probability"].to_numpy() >= models[name].threshold).astype(np.float64), 1.0) for name in ranking
    ]
    return [differences["f1"] for differences in differences_from_first(labels, predictions, settings=settings)]
