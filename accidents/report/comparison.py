"""The report of several models, measured on the same accidents, ranked by F1."""

from collections.abc import Mapping, Sequence

from accidents.errors import DataError
from accidents.evaluation.results import Difference, Evaluation
from accidents.plots import performance
from accidents.plots.style import draw
from accidents.report.rendering import render
from accidents.report.subject import Subject

_COLUMNS = {
    "f1": "F1",
    "roc_auc": "ROC-AUC",
    "pr_auc": "PR-AUC",
    "precision": "precision",
    "recall": "recall",
    "accuracy": "accuracy",
    "brier": "Brier",
    "ece": "ECE",
}


def ranked_by_f1(evaluations: Mapping[str, Evaluation]) -> list[str]:
    """Names of models, that of best F1 first; a model without one comes last."""
    return sorted(evaluations, key=lambda name: -1.0 if (f1 := evaluations[name].f1) is None else f1, reverse=True)


def comparison_report(
    subjects: Sequence[Subject],
    evaluations: Sequence[Evaluation],
    differences: Sequence[Difference],
    chosen: str = "",
) -> str:
    """The report as one HTML file.

    Args:
        subjects: the models, that of best F1 first.
        evaluations: of each of them, on the same accidents.
        differences: the F1 of each less that of the first, paired (`evaluation.evaluate.compare`).
        chosen: name of the model that the training proposes, by F1 on its validation part; empty where none is.

    Raises:
        DataError: the models were not measured on the same number of accidents.
    """
    if len({evaluation.n for evaluation in evaluations}) != 1:
        sizes = ", ".join(f"{evaluation.n:,}" for evaluation in evaluations)
        raise DataError(f"models can be compared on the same accidents only; these were measured on {sizes}")
    rows = [
        {"subject": subject, "evaluation": evaluation, "difference": difference}
        for subject, evaluation, difference in zip(subjects, evaluations, differences, strict=True)
    ]
    tied = [
        subject.name
        for subject, difference in zip(subjects[1:], differences[1:], strict=True)
        if difference.interval is not None and difference.interval[0] <= 0 <= difference.interval[1]
    ]
    named = {subject.name: evaluation for subject, evaluation in zip(subjects, evaluations, strict=True)}
    source = subjects[0].credit
    return render(
        "comparison.html.j2",
        ranked=rows,
        tied=tied,
        chosen=chosen,
        columns=_COLUMNS,
        credit=source,
        pictures={
            "models": draw(performance.models(named, source)),
            "roc": draw(performance.roc(named, source)),
            "precision_recall": draw(performance.precision_recall(named, source)),
            "calibration": draw(performance.calibration(named, source)),
        },
    )
