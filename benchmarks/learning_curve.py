"""Learning curve: ROC-AUC by the number of training accidents, on the same test set."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from accidents.configuration.training import TrainingSettings
from accidents.evaluation.metrics import compute_metrics
from accidents.plots.style import INK, SERIES_STYLES, legend_above, subplots
from accidents.tables import LABEL, Subset
from accidents.training import train
from accidents.training.split import assign_subsets, hash_uniform, join_labels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHARES = (0.05, 0.1, 0.25, 0.5, 1.0)
_MAX_ROWS = 20_000  # of the training and validation set, to measure ROC-AUC on


def learning_curve(
    model_type: str,
    features: pd.DataFrame,
    accidents: pd.DataFrame,
    settings: TrainingSettings,
    *,
    level: str,
    shares: Sequence[float] = SHARES,
) -> pd.DataFrame:
    """Train on growing shares of the accidents outside the test set.

    Args:
        model_type: one of `accidents.models.model_types()`.
        features: a feature frame (`accidents.features.feature_frame`).
        accidents: `Accidents.accidents` of the same accidents in the same order.
        settings: how to train.
        level: level of information, one of `accidents.columns.LEVELS`.
        shares: of the accidents outside the test set.

    Returns:
        One row a share: `accidents` in training and validation set, ROC-AUC on them (`training`), and on the test set
        (`test`).

    Raises:
        ModelError: a share has too few accidents of a class.
    """
    frame = join_labels(features, accidents)
    test = assign_subsets(frame, settings.split, settings.seed) == Subset.TEST
    random = hash_uniform(frame["Num_Acc"].to_numpy(), int(np.random.default_rng(settings.seed + 1).integers(2**63)))
    rows = []
    for share in shares:
        kept = test | (random < share)
        inputs = features[kept].reset_index(drop=True), accidents[kept].reset_index(drop=True)
        bundle = train(model_type, *inputs, settings, level=level).bundle
        known = join_labels(*inputs)[~test[kept]].query(f"{LABEL} >= 0").head(_MAX_ROWS)
        metrics = compute_metrics(
            known[LABEL].to_numpy(), bundle.predict(known), bundle.threshold, settings.calibration_bins
        )
        number = bundle.rows[Subset.TRAINING] + bundle.rows[Subset.VALIDATION]
        rows.append((number, metrics["roc_auc"], bundle.metrics[Subset.TEST]["roc_auc"]))
    return pd.DataFrame(rows, columns=["accidents", "training", "test"])


def plot_learning_curve(curves: pd.DataFrame, name: str, source_note: str) -> "Figure":
    """Plot ROC-AUC on the training set and on the test set by the number of training accidents.

    Args:
        curves: from `learning_curve`.
        name: of the model.
        source_note: from `style.source_note`.
    """
    figure, (axes,) = subplots(f"{name}: would more accidents help?", source_note)
    for line, column, label in zip(SERIES_STYLES, ("training", "test"), ("training set", "test set"), strict=False):
        axes.plot(curves["accidents"], curves[column], **line, marker="o", markersize=4, linewidth=1.6, label=label)
    last = curves.iloc[-1]
    axes.annotate(
        f"{last['test']:.3f}", (last["accidents"], last["test"]), (0, -13), textcoords="offset points", ha="center",
        fontsize=8, color=INK,
    )  # fmt: skip
    axes.set_xscale("log")
    axes.set(xticks=curves["accidents"], xlabel="training accidents (logarithmic)", ylabel="ROC-AUC")
    axes.set_xticklabels([f"{number:,}" for number in curves["accidents"]])
    axes.minorticks_off()
    axes.margins(x=0.08, y=0.12)
    legend_above(axes, columns=2)
    return figure
