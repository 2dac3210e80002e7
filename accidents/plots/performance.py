"""How well models do: confusion matrix, ROC, precision-recall, calibration, thresholds, models side by side.

Functions that take `evaluations` draw one series a model, under its name, in the order of the mapping.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from accidents.evaluation.results import Evaluation
from accidents.plots.style import BLUE, GRID, INK, MUTED, SERIES, canvas, few_ticks, legend_above, unit_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COMPARED = {"f1": "F1", "roc_auc": "ROC-AUC", "pr_auc": "PR-AUC", "ece": "calibration error (ECE)"}
"""Metrics that `models` shows, with their names."""

_GUESSING: dict[str, Any] = {"color": MUTED, "linewidth": 0.8}


def confusion(evaluation: Evaluation, source: str) -> Figure:
    """Accidents by what was recorded and what was predicted, with shares of each row."""
    from matplotlib.patches import Rectangle

    counts = evaluation.confusion
    rows = {
        "priority": (counts.true_positives, counts.false_negatives),
        "non-priority": (counts.false_positives, counts.true_negatives),
    }
    figure, (axes,) = canvas("Recorded and predicted", source)
    for row, (name, cells) in enumerate(rows.items()):
        for column, cell in enumerate(cells):
            share = cell / max(sum(cells), 1)
            axes.add_patch(Rectangle((column, row), 0.98, 0.96, color=BLUE, alpha=0.08 + 0.5 * share, linewidth=0))
            axes.text(column + 0.49, row + 0.42, f"{cell:,}", ha="center", va="center", fontsize=17, color=INK)
            axes.text(
                column + 0.49,
                row + 0.68,
                f"{share:.0%} of recorded {name}",
                ha="center",
                va="center",
                fontsize=8,
                color=INK,
            )
    axes.set(xlim=(0, 2), ylim=(2, 0), xticks=(0.49, 1.49), yticks=(0.48, 1.48), xlabel="predicted", ylabel="recorded")
    axes.set_xticklabels(("priority", "non-priority"))
    axes.set_yticklabels(("priority", "non-priority"), rotation=90, va="center")
    axes.grid(visible=False)
    axes.spines[["left", "bottom"]].set_visible(False)
    return figure


def roc(evaluations: Mapping[str, Evaluation], source: str) -> Figure:
    """True against false positive rate; a dot marks the decision threshold."""
    figure, (axes,) = canvas("ROC curve, and the area under it", source)
    axes.plot((0, 1), (0, 1), **_GUESSING)
    for line, (name, evaluation) in zip(SERIES, evaluations.items(), strict=False):
        axes.plot(*evaluation.roc.values(), **line, linewidth=1.6, label=_label(evaluations, name, "roc_auc"))
        counts = evaluation.confusion
        alarms = counts.false_positives / max(counts.false_positives + counts.true_negatives, 1)
        hits = counts.true_positives / max(counts.true_positives + counts.false_negatives, 1)
        axes.plot(alarms, hits, "o", color=line["color"], markersize=5)
    _name_marks(axes)
    axes.set(xlabel="false positive rate", ylabel="true positive rate (recall)")
    return _finish(figure, axes)


def precision_recall(evaluations: Mapping[str, Evaluation], source: str) -> Figure:
    """Precision against recall; a dot marks the decision threshold, a line the precision of guessing."""
    figure, (axes,) = canvas("Precision and recall, and average precision", source)
    for line, (name, evaluation) in zip(SERIES, evaluations.items(), strict=False):
        axes.axhline(evaluation.prevalence, **_GUESSING)
        label = _label(evaluations, name, "pr_auc")
        axes.plot(*evaluation.precision_recall.values(), **line, linewidth=1.6, label=label)
        if evaluation.precision is not None and evaluation.recall is not None:
            axes.plot(evaluation.recall, evaluation.precision, "o", color=line["color"], markersize=5)
    _name_marks(axes)
    axes.set(xlabel="recall", ylabel="precision")
    return _finish(figure, axes)


def calibration(evaluations: Mapping[str, Evaluation], source: str) -> Figure:
    """Observed share against predicted probability with 95 % intervals, and below how many accidents there are."""
    figure, (axes, below) = canvas("Calibration, and expected error", source, heights=(4, 1))
    axes.plot((0, 1), (0, 1), color=GRID, linewidth=1.2)
    for line, (name, evaluation) in zip(SERIES, evaluations.items(), strict=False):
        bins = evaluation.calibration
        label = _label(evaluations, name, "ece")
        axes.plot(bins["predicted"], bins["observed"], marker="o", markersize=3.5, linewidth=1.2, **line, label=label)
        axes.vlines(bins["predicted"], bins["low"], bins["high"], color=line["color"], linewidth=1, alpha=0.6)
        below.plot(bins["predicted"], bins["n"], **line, linewidth=1.2)
    axes.set(ylabel="observed share of priority")
    below.set(xlabel="predicted probability of priority", ylabel="accidents", ylim=(0, None))
    few_ticks(below, "y")
    below.yaxis.set_major_formatter("{x:,.0f}")
    unit_axis(below, "x")
    return _finish(figure, axes)


def thresholds(evaluation: Evaluation, source: str) -> Figure:
    """What each decision threshold would give; a line marks the chosen one."""
    figure, (axes,) = canvas("Decision threshold", source)
    names = {"f1": "F1", "precision": "precision", "recall": "recall", "predicted": "share predicted priority"}
    for line, (column, name) in zip(SERIES, names.items(), strict=False):
        axes.plot(evaluation.thresholds["threshold"], evaluation.thresholds[column], **line, linewidth=1.6, label=name)
    axes.axvline(evaluation.threshold, color=MUTED, linewidth=1)
    axes.text(evaluation.threshold + 0.015, 0.015, f"chosen: {evaluation.threshold:.3f}", fontsize=8, color=INK)
    axes.set(xlabel="decision threshold (probability)", ylabel="value")
    unit_axis(axes, "x", "y")
    legend_above(axes, columns=4)
    return figure


def models(evaluations: Mapping[str, Evaluation], source: str) -> Figure:
    """Models side by side: the metrics of `COMPARED` with their intervals, on the same accidents."""
    size = (8.6, 1.5 + 0.36 * len(evaluations))
    figure, panels = canvas("Models on the same accidents", source, size=size, columns=len(COMPARED), share_y=True)
    for axes, (metric, name) in zip(panels, COMPARED.items(), strict=True):
        for row, evaluation in enumerate(evaluations.values()):
            value, limits = getattr(evaluation, metric), evaluation.intervals[metric]
            if value is not None and limits is not None:
                axes.hlines(row, *limits, color=BLUE, linewidth=2, alpha=0.35)
                axes.plot(value, row, "o", color=BLUE, markersize=5)
                axes.text(value, row - 0.22, f"{value:.3f}", ha="center", fontsize=7.5, color=INK)
        axes.set(
            xlabel=name, yticks=range(len(evaluations)), yticklabels=evaluations, ylim=(len(evaluations) - 0.5, -0.6)
        )
        few_ticks(axes, "x")
        axes.margins(x=0.15)
        axes.grid(axis="y", visible=False)
    return figure


def _label(evaluations: Mapping[str, Evaluation], name: str, metric: str) -> str:
    """Name of a model with a metric, and with its interval where there is room for it."""
    value, limits = getattr(evaluations[name], metric), evaluations[name].intervals[metric]
    if value is None or limits is None:
        return f"{name}: not defined"
    return f"{name} {value:.3f}" + (f" ({limits[0]:.3f} to {limits[1]:.3f})" if len(evaluations) < 3 else "")


def _name_marks(axes: Axes) -> None:
    """Let the legend say what dots and the line without a name are, whichever model they belong to."""
    axes.plot([], [], "o", color=MUTED, markersize=5, label="threshold in use")
    axes.plot([], [], **_GUESSING, label="guessing")


def _finish(figure: Figure, axes: Axes) -> Figure:
    unit_axis(axes, "x", "y")
    legend_above(axes, columns=1 if len(axes.get_legend_handles_labels()[1]) < 3 else 2)
    return figure
