"""Classifier plots: confusion matrix, ROC, precision-recall, calibration and threshold curves, model comparison.

Functions that take `evaluations` draw one series a model, under its name, in the order of the mapping.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from accidents.evaluation.metrics import METRIC_NAMES
from accidents.evaluation.results import Evaluation
from accidents.plots import style
from accidents.plots.style import BLUE, GRID, INK, MUTED, SERIES_STYLES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COMPARED_METRICS = ("f1", "roc_auc", "pr_auc", "ece")
"""Metrics that `model_comparison` shows."""

_CHANCE: dict[str, Any] = {"color": MUTED, "linewidth": 0.8}
_CENTRED: dict[str, Any] = {"ha": "center", "va": "center", "color": INK}


def confusion_matrix(evaluation: Evaluation, source_note: str) -> Figure:
    """Plot the numbers of accidents by recorded and predicted class, with shares of each row."""
    from matplotlib.patches import Rectangle

    counts = evaluation.confusion
    rows = {
        "priority": (counts.true_positives, counts.false_negatives),
        "non-priority": (counts.false_positives, counts.true_negatives),
    }
    figure, (axes,) = style.subplots("Recorded and predicted", source_note)
    for row, (name, cells) in enumerate(rows.items()):
        for column, cell in enumerate(cells):
            share = cell / max(sum(cells), 1)
            axes.add_patch(Rectangle((column, row), 0.98, 0.96, color=BLUE, alpha=0.08 + 0.5 * share, linewidth=0))
            axes.text(column + 0.49, row + 0.42, f"{cell:,}", **_CENTRED, fontsize=17)
            axes.text(column + 0.49, row + 0.68, f"{share:.0%} of recorded {name}", **_CENTRED, fontsize=8)
    axes.set(xlim=(0, 2), ylim=(2, 0), xticks=(0.49, 1.49), yticks=(0.48, 1.48), xlabel="predicted", ylabel="recorded")
    axes.set_xticklabels(("priority", "non-priority"))
    axes.set_yticklabels(("priority", "non-priority"), rotation=90, va="center")
    axes.grid(visible=False)
    axes.spines[["left", "bottom"]].set_visible(False)
    return figure


def roc_curve(evaluations: Mapping[str, Evaluation], source_note: str) -> Figure:
    """Plot true against false positive rate; a dot marks the decision threshold."""
    figure, (axes,) = style.subplots("ROC curve, and the area under it", source_note)
    axes.plot((0, 1), (0, 1), **_CHANCE)
    for line, (name, evaluation) in zip(SERIES_STYLES, evaluations.items(), strict=False):
        axes.plot(*evaluation.roc.values(), **line, linewidth=1.6, label=_label(evaluations, name, "roc_auc"))
        counts = evaluation.confusion
        false_positive_rate = counts.false_positives / max(counts.false_positives + counts.true_negatives, 1)
        true_positive_rate = counts.true_positives / max(counts.true_positives + counts.false_negatives, 1)
        axes.plot(false_positive_rate, true_positive_rate, "o", color=line["color"], markersize=5)
    _add_legend_entries(axes)
    axes.set(xlabel="false positive rate", ylabel="true positive rate (recall)")
    return _finish(figure, axes)


def precision_recall_curve(evaluations: Mapping[str, Evaluation], source_note: str) -> Figure:
    """Plot precision against recall; a dot marks the decision threshold, a line the precision of chance."""
    figure, (axes,) = style.subplots("Precision and recall, and average precision", source_note)
    for line, (name, evaluation) in zip(SERIES_STYLES, evaluations.items(), strict=False):
        axes.axhline(evaluation.prevalence, **_CHANCE)
        label = _label(evaluations, name, "pr_auc")
        axes.plot(*evaluation.precision_recall.values(), **line, linewidth=1.6, label=label)
        if evaluation.precision is not None and evaluation.recall is not None:
            axes.plot(evaluation.recall, evaluation.precision, "o", color=line["color"], markersize=5)
    _add_legend_entries(axes)
    axes.set(xlabel="recall", ylabel="precision")
    return _finish(figure, axes)


def calibration_curve(evaluations: Mapping[str, Evaluation], source_note: str) -> Figure:
    """Plot observed share against predicted probability with 95 % intervals, and the number of accidents below."""
    figure, (axes, below) = style.subplots("Calibration, and expected error", source_note, heights=(4, 1))
    axes.plot((0, 1), (0, 1), color=GRID, linewidth=1.2)
    for line, (name, evaluation) in zip(SERIES_STYLES, evaluations.items(), strict=False):
        bins = evaluation.calibration
        label = _label(evaluations, name, "ece")
        axes.plot(bins["predicted"], bins["observed"], marker="o", markersize=3.5, linewidth=1.2, **line, label=label)
        axes.vlines(bins["predicted"], bins["low"], bins["high"], color=line["color"], linewidth=1, alpha=0.6)
        below.plot(bins["predicted"], bins["n"], **line, linewidth=1.2)
    axes.set(ylabel="observed share of priority")
    below.set(xlabel="predicted probability of priority", ylabel="accidents", ylim=(0, None))
    style.limit_ticks(below.yaxis)
    below.yaxis.set_major_formatter("{x:,.0f}")
    style.unit_axis(below, "x")
    return _finish(figure, axes)


def threshold_curve(evaluation: Evaluation, source_note: str) -> Figure:
    """Plot F1, precision, recall and share predicted priority by decision threshold; a line marks the chosen one."""
    figure, (axes,) = style.subplots("Decision threshold", source_note)
    names = {"f1": "F1", "precision": "precision", "recall": "recall", "predicted": "share predicted priority"}
    for line, (column, name) in zip(SERIES_STYLES, names.items(), strict=False):
        axes.plot(evaluation.thresholds["threshold"], evaluation.thresholds[column], **line, linewidth=1.6, label=name)
    axes.axvline(evaluation.threshold, color=MUTED, linewidth=1)
    axes.text(evaluation.threshold + 0.015, 0.015, f"chosen: {evaluation.threshold:.3f}", fontsize=8, color=INK)
    axes.set(xlabel="decision threshold (probability)", ylabel="value")
    style.unit_axis(axes, "x", "y")
    style.legend_above(axes, columns=4)
    return figure


def model_comparison(evaluations: Mapping[str, Evaluation], source_note: str) -> Figure:
    """Plot the metrics of `COMPARED_METRICS` of models on the same accidents, with their intervals."""
    size = (8.6, 1.5 + 0.36 * len(evaluations))
    figure, panels = style.subplots(
        "Models on the same accidents", source_note, size=size, columns=len(COMPARED_METRICS), share_y=True
    )
    for axes, metric in zip(panels, COMPARED_METRICS, strict=True):
        values = [(evaluation.metrics[metric], evaluation.intervals[metric]) for evaluation in evaluations.values()]
        style.interval_dots(axes, values, markersize=5)
        for row, (value, limits) in enumerate(values):
            if value is not None and limits is not None:
                axes.text(value, row - 0.22, f"{value:.3f}", ha="center", fontsize=7.5, color=INK)
        style.label_rows(axes, list(evaluations), 8)
        axes.set_xlabel(METRIC_NAMES[metric])
        style.limit_ticks(axes.xaxis)
        axes.margins(x=0.15)
    return figure


def _label(evaluations: Mapping[str, Evaluation], name: str, metric: str) -> str:
    """Return the name of a model with a metric, and its interval where there is room for it."""
    value, limits = evaluations[name].metrics[metric], evaluations[name].intervals[metric]
    if value is None or limits is None:
        return f"{name}: not defined"
    return f"{name} {value:.3f}" + (f" ({limits[0]:.3f} to {limits[1]:.3f})" if len(evaluations) < 3 else "")


def _add_legend_entries(axes: Axes) -> None:
    """Add dots and the line of chance, which belong to no one model, to the legend."""
    axes.plot([], [], "o", color=MUTED, markersize=5, label="threshold in use")
    axes.plot([], [], **_CHANCE, label="chance")


def _finish(figure: Figure, axes: Axes) -> Figure:
    style.unit_axis(axes, "x", "y")
    style.legend_above(axes, columns=1 if len(axes.get_legend_handles_labels()[1]) < 3 else 2)
    return figure
