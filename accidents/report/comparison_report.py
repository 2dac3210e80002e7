"""HTML report that compares models evaluated on the same accidents, ranked by F1."""

from collections.abc import Mapping, Sequence

from accidents.errors import DataError
from accidents.evaluation.results import Evaluation, MetricDifference
from accidents.plots import performance
from accidents.plots.style import render_figure
from accidents.report.evaluated_model import EvaluatedModel
from accidents.report.evaluation_report import REPORTED_METRICS
from accidents.report.rendering import render

_TABLE_METRICS = {metric: name for metric, name in REPORTED_METRICS.items() if metric != "prevalence"}


def rank_by_f1(evaluations: Mapping[str, Evaluation]) -> list[str]:
    """Sort the names of models by F1, the best first; a model whose F1 is not defined comes last."""
    return sorted(evaluations, key=lambda name: -1.0 if (f1 := evaluations[name].f1) is None else f1, reverse=True)


def comparison_report(
    models: Sequence[EvaluatedModel],
    evaluations: Sequence[Evaluation],
    differences: Sequence[MetricDifference],
    recommended: str = "",
) -> str:
    """Write the report as one HTML page.

    Args:
        models: the models, that of best F1 first.
        evaluations: of each of them, on the same accidents.
        differences: F1 of each minus that of the first, from `accidents.evaluation.evaluate.paired_differences`.
        recommended: name of the model that the training proposes; empty for none.

    Raises:
        DataError: the models were not evaluated on the same number of accidents.
    """
    if len({evaluation.n for evaluation in evaluations}) != 1:
        sizes = ", ".join(f"{evaluation.n:,}" for evaluation in evaluations)
        raise DataError(f"models can be compared on the same accidents only; these were evaluated on {sizes}")
    rows = [
        {"model": model, "evaluation": evaluation, "difference": difference}
        for model, evaluation, difference in zip(models, evaluations, differences, strict=True)
    ]
    tied = [
        model.name
        for model, difference in zip(models[1:], differences[1:], strict=True)
        if difference.interval is not None and difference.interval[0] <= 0 <= difference.interval[1]
    ]
    by_name = {model.name: evaluation for model, evaluation in zip(models, evaluations, strict=True)}
    source_note = models[0].source_note
    plots = {
        "models": performance.model_comparison,
        "roc": performance.roc_curve,
        "precision_recall": performance.precision_recall_curve,
        "calibration": performance.calibration_curve,
    }
    return render(
        "comparison.html.j2",
        ranked=rows,
        tied=tied,
        recommended=recommended,
        metric_names=_TABLE_METRICS,
        source_note=source_note,
        figures={name: render_figure(plot(by_name, source_note)) for name, plot in plots.items()},
    )
