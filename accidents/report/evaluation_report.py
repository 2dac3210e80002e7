"""HTML report on the evaluation of one model: metrics, figures, groups and training parameters."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from accidents.configuration.evaluation import EvaluationSettings
from accidents.evaluation.groups import DEPARTMENT, OTHERS, find_column
from accidents.evaluation.metrics import METRIC_NAMES
from accidents.evaluation.results import Evaluation, GroupMetrics
from accidents.explanation.importance import Explanation
from accidents.explanation.topics import PLACE
from accidents.plots import explanation as explanation_plots
from accidents.plots import groups as group_plots
from accidents.plots import performance
from accidents.plots.style import RenderedFigure, render_figure
from accidents.report.evaluated_model import EvaluatedModel
from accidents.report.rendering import render

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REPORTED_METRICS = {"f1": METRIC_NAMES["f1"]} | METRIC_NAMES
"""Metrics and their names in the order of a report: F1, by which models are ranked, comes first."""


def evaluation_report(
    model: EvaluatedModel,
    evaluation: Evaluation,
    explanation: Explanation | None,
    settings: EvaluationSettings,
    rendered: Mapping[str, RenderedFigure] | None = None,
) -> str:
    """Write the report as one HTML page.

    Args:
        model: the model and the accidents it was evaluated on.
        evaluation: its evaluation.
        explanation: its SHAP values; None leaves that section out.
        settings: how many features to show.
        rendered: the figures of `evaluation_figures`, if they are rendered already.
    """
    if rendered is None:
        figures = evaluation_figures(model, evaluation, explanation, settings)
        rendered = {name: render_figure(figure) for name, figure in figures.items()}
    return render(
        "evaluation.html.j2",
        model=model,
        source_note=model.source_note,
        evaluation=evaluation,
        metric_names=REPORTED_METRICS,
        predicted_share=(evaluation.confusion.true_positives + evaluation.confusion.false_positives) / evaluation.n,
        place_share=place_share(explanation),
        departments=departments_by_share(evaluation),
        figures=rendered,
        explained=0 if explanation is None else len(explanation.values),
        sections=_group_sections(evaluation, model),
    )


def evaluation_figures(
    model: EvaluatedModel, evaluation: Evaluation, explanation: Explanation | None, settings: EvaluationSettings
) -> dict[str, "Figure"]:
    """Draw the figures of the report by name, such as `roc` and `calibration`.

    Args:
        model: the model and the accidents it was evaluated on.
        evaluation: its evaluation.
        explanation: its SHAP values; None leaves out `importance` and `beeswarm`.
        settings: how many features to show.
    """
    by_name, source_note = {model.name: evaluation}, model.source_note
    figures = {
        "confusion": performance.confusion_matrix(evaluation, source_note),
        "thresholds": performance.threshold_curve(evaluation, source_note),
        "roc": performance.roc_curve(by_name, source_note),
        "precision_recall": performance.precision_recall_curve(by_name, source_note),
        "calibration": performance.calibration_curve(by_name, source_note),
    }
    if explanation is not None:
        shown, unit = settings.shown_features, explanation.unit
        topics, values, contributions = explanation.topics, explanation.values, explanation.contributions
        title = "Importance by topic"
        figures["importance"] = explanation_plots.importance(topics, unit, shown, title, source_note)
        figures["beeswarm"] = explanation_plots.beeswarm(values, contributions, unit, shown, source_note)
    if departments := departments_by_share(evaluation):
        figures["departments"] = group_plots.group_calibration(departments, "department", source_note)
    return figures


def departments_by_share(evaluation: Evaluation) -> list[GroupMetrics]:
    """Sort departments by their recorded share of priority, without the group of small ones.

    Empty where the evaluation has no departments.
    """
    departments = [group for group in evaluation.groups.get(DEPARTMENT, ()) if group.value != OTHERS]
    return sorted(departments, key=lambda group: group.prevalence)


def place_share(explanation: Explanation | None) -> float | None:
    """Return the share of the place in the sum of all importances; None without explanation or place."""
    if explanation is None:
        return None
    share = explanation.topics.loc[explanation.topics["feature"] == PLACE, "share"]
    return float(share.iloc[0]) if len(share) else None


def _group_sections(evaluation: Evaluation, model: EvaluatedModel) -> list[dict[str, object]]:
    """Draw a figure for every grouping but the departments, which have too many rows for one."""
    sections = []
    for column, groups in evaluation.groups.items():
        if column != DEPARTMENT:
            name = find_column(column).meaning
            figure = group_plots.group_metrics(groups, evaluation, name, model.source_note)
            sections.append({"name": name, "groups": groups, "figure": render_figure(figure)})
    return sections
