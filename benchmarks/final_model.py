"""Gain of a final model: trained on January to June with and without the test set, measured on July to September.

    python -m benchmarks.final_model --source FOLDER [--seeds 0 1 2] [--models lightgbm xgboost]

The evaluated model learns from 70 % of the accidents of the first months, its final model (`--final`) from all. Both
are measured on the later months, which neither has seen. A gain is the metric of the final model minus that of the
evaluated one, the mean over seeds, with a paired bootstrap interval of 95 % over the later accidents. `difference` is
the mean absolute difference of their probabilities on the test set, which `training.final_difference_at_most` bounds,
and on the later months. Settings are those of configs/training.yaml.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from accidents.bundle import Bundle
from accidents.evaluation.bootstrap import bootstrap_metrics, confidence_interval
from accidents.evaluation.metrics import group_scores
from accidents.features import feature_frame
from accidents.models import display_name
from accidents.tables import LABEL
from accidents.training import train
from accidents.training.final_model import fit_final_model, mean_difference
from benchmarks.common import argument_parser, load_accidents, print_markdown
from benchmarks.modelling import add_model_options, settings

SHOWN = ("roc_auc", "f1", "brier", "ece")
_BINS, _RESAMPLES, _LAST_MONTH = 15, 1000, 6


def main() -> None:
    """Train the models of all seeds and print one row a model type."""
    parser = argument_parser(__doc__)
    add_model_options(parser)
    options = parser.parse_args()
    loaded = load_accidents(options.source)
    features, accidents = feature_frame(loaded), loaded.accidents
    first = (accidents["mois"] <= _LAST_MONTH).to_numpy()
    later = ~first & (accidents[LABEL] >= 0).to_numpy()
    inputs = features[first].reset_index(drop=True), accidents[first].reset_index(drop=True)
    print(f"{options.source}: {first.sum():,} accidents until June, measured on {later.sum():,} later ones")
    rows = []
    for model_type in options.models:
        pairs = []
        for seed in options.seeds:
            configured = settings(seed).for_model_type(model_type)
            twin = train(model_type, *inputs, configured, level="call").bundle
            pairs.append((twin, fit_final_model(twin, *inputs, configured, difference_at_most=1 - 1e-9)))
            print(f"{model_type}, seed {seed}: {pairs[-1][1].evaluated_twin['mean_difference']:.4f}", flush=True)
        rows.append({"model": display_name(model_type)} | _row(pairs, features[later], accidents[LABEL][later]))
    print_markdown(rows)


def _row(pairs: Sequence[tuple[Bundle, Bundle]], features: pd.DataFrame, labels: pd.Series) -> dict[str, str]:
    measured = [[_metrics(bundle, features, labels) for bundle in pair] for pair in pairs]
    row = {}
    for name in SHOWN:
        resampled = np.mean([final[name] - twin[name] for twin, final in measured], axis=0)
        low, high = confidence_interval(resampled[0], resampled[1:], 0.95, lowest=-1.0) or (np.nan, np.nan)
        row[name] = f"{np.mean([twin[name][0] for twin, _ in measured]):.4f}"
        row[f"gain in {name}"] = f"{resampled[0]:+.4f} ({low:+.4f} to {high:+.4f})"
    on_test = np.mean([final.evaluated_twin["mean_difference"] for _, final in pairs])
    on_later = np.mean([mean_difference(final, twin, features) for twin, final in pairs])
    return row | {"difference on test set, later": f"{on_test:.3f}, {on_later:.3f}"}


def _metrics(bundle: Bundle, features: pd.DataFrame, labels: pd.Series) -> dict[str, np.ndarray]:
    """Every metric on the accidents, followed by its values on resamples, which are the same for all models."""
    scores = group_scores(labels.to_numpy(), bundle.predict(features))
    resampled = bootstrap_metrics(scores, bundle.threshold, bins=_BINS, resamples=_RESAMPLES, seed=0)
    measured = scores.metrics(bundle.threshold, _BINS)
    return {name: np.concatenate([measured[name][:1], resampled[name]]) for name in SHOWN}


if __name__ == "__main__":
    main()
