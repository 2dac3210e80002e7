"""The report of one model: headline figures, pictures, groups, and how the model was made."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from accidents.configuration.evaluation import EvaluationSettings
from accidents.evaluation.groups import OTHERS, column_of
from accidents.evaluation.results import Evaluation, Group
from accidents.explanation.importance import Explanation
from accidents.explanation.topics import PLACE
from accidents.plots import explanation as explanation_plots
from accidents.plots import groups as group_plots
from accidents.plots import performance
from accidents.plots.style import Picture, draw
from accidents.report.rendering import render
from accidents.report.subject import Subject

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEADLINES = {
    "f1": "F1",
    "roc_auc": "ROC-AUC",
    "pr_auc": "PR-AUC (average precision)",
    "precision": "precision",
    "recall": "recall",
    "accuracy": "accuracy",
    "brier": "Brier score",
    "ece": "calibration error (ECE)",
    "prevalence": "share of priority",
}
"""Metrics as a page shows them, with their names."""

DEPARTMENT = "dep"


def evaluation_report(
    subject: Subject,
    evaluation: Evaluation,
    explanation: Explanation | None,
    settings: EvaluationSettings,
    drawn: Mapping[str, Picture] | None = None,
) -> str:
    """The report as one HTML file.

    Args:
        subject: the model and the accidents measured.
        evaluation: the measurement.
        explanation: what moves the model; None leaves that part out.
        settings: how many features to show.
        drawn: what `pictures` gave, where it is drawn already.
    """
    departments = departments_by_share(evaluation)
    if drawn is None:
        drawn = {name: draw(figure) for name, figure in pictures(subject, evaluation, explanation, settings).items()}
    return render(
        "evaluation.html.j2",
        subject=subject,
        credit=subject.credit,
        evaluation=evaluation,
        headlines=HEADLINES,
        called=(evaluation.confusion.true_positives + evaluation.confusion.false_positives) / evaluation.n,
        place_share=place_share(explanation),
        departments=departments,
        pictures=drawn,
        explained=0 if explanation is None else len(explanation.values),
        sections=_sections(evaluation, subject),
    )


def pictures(
    subject: Subject, evaluation: Evaluation, explanation: Explanation | None, settings: EvaluationSettings
) -> dict[str, "Figure"]:
    """The pictures of the report by name, such as `roc` and `calibration`.

    Args:
        subject: the model and the accidents measured.
        evaluation: the measurement.
        explanation: what moves the model; None leaves that part out.
        settings: how many features to show.
    """
    named = {subject.name: evaluation}
    drawn = {
        "confusion": performance.confusion(evaluation, subject.credit),
        "thresholds": performance.thresholds(evaluation, subject.credit),
        "roc": performance.roc(named, subject.credit),
        "precision_recall": performance.precision_recall(named, subject.credit),
        "calibration": performance.calibration(named, subject.credit),
    }
    if explanation is not None:
        shown, unit = settings.shown_features, explanation.unit
        drawn["importance"] = explanation_plots.importance(
            explanation.topics, unit, shown, "What moves the model", subject.credit
        )
        drawn["beeswarm"] = explanation_plots.beeswarm(
            explanation.values, explanation.contributions, unit, shown, subject.credit
        )
    departments = departments_by_share(evaluation)
    if departments:
        drawn["departments"] = group_plots.agreement(departments, "department", subject.credit)
    return drawn


def departments_by_share(evaluation: Evaluation) -> list[Group]:
    """Departments in the order of their recorded share of priority, without those that are too small to be told apart.

    Empty where departments were not measured.
    """
    named = [group for group in evaluation.groups.get(DEPARTMENT, ()) if group.value != OTHERS]
    return sorted(named, key=lambda group: group.prevalence)


def place_share(explanation: Explanation | None) -> float | None:
    """Share of the place in the sum of all importances; None where it is not known or no part of the model."""
    if explanation is None:
        return None
    found = explanation.topics.loc[explanation.topics["feature"] == PLACE, "share"]
    return float(found.iloc[0]) if len(found) else None


def _sections(evaluation: Evaluation, subject: Subject) -> list[dict[str, object]]:
    """A picture and a table for every grouping but the departments, which have too many rows for one."""
    sections = []
    for column, members in evaluation.groups.items():
        if column != DEPARTMENT:
            name = column_of(column).meaning
            picture = group_plots.groups(members, evaluation, name, subject.credit)
            sections.append({"name": name, "members": members, "picture": draw(picture)})
    return sections
