"""Quality of the models: every type on the same splits, with mean and standard deviation over seeds.

    python -m benchmarks.modelling [--source FOLDER] [--seeds 0 1 2] [--levels strict call scene]
                                   [--models lightgbm xgboost] [--resampling none smote] [--no-geography] [--temporal]

Metrics are those of the test set, 30 % of the accidents. `±` is the standard deviation over seeds, mostly due to the
splits: compare models on the same seeds. Settings are those of configs/training.yaml.
"""

import argparse
import time
from typing import Any

import numpy as np

from accidents.bundle import Bundle
from accidents.columns import LEVELS
from accidents.configuration.loading import load_configuration
from accidents.configuration.training import TrainingSettings
from accidents.features import feature_frame
from accidents.models import model_types
from accidents.training import train
from benchmarks.common import argument_parser, load_accidents, mean_and_deviation, print_markdown

SHOWN = ("roc_auc", "pr_auc", "f1", "accuracy", "brier", "ece")
_SINGLE_ROWS = 200


def main() -> None:
    """Train the models of all combinations of options and print one table."""
    parser = argument_parser(__doc__)
    add_model_options(parser)
    parser.add_argument("--levels", nargs="+", choices=LEVELS, default=["call"])
    parser.add_argument("--resampling", nargs="+", default=["none"])
    parser.add_argument("--no-geography", action="store_true")
    parser.add_argument("--temporal", action="store_true", help="test on the latest accidents, not on random ones")
    options = parser.parse_args()
    accidents = load_accidents(options.source)
    features = feature_frame(accidents)
    print(f"{options.source}: {len(features):,} accidents, seeds {' '.join(map(str, options.seeds))}\n")
    rows = []
    for level in options.levels:
        for resampling in options.resampling:
            for model in options.models:
                changes: dict[str, Any] = {"resampling": resampling}
                if options.temporal:
                    changes["split"] = {"kind": "temporal"}
                bundles = [
                    train(model, features, accidents.accidents, settings(seed, changes), level=level,
                          geography=not options.no_geography, details=accidents).bundle
                    for seed in options.seeds
                ]  # fmt: skip
                rows.append({"level": level, "resampling": resampling, "model": model} | _row(bundles))
                print(f"{level} {resampling} {model}: AUC {rows[-1]['roc_auc']}", flush=True)
    print_markdown(rows)


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Add `--source`, `--seeds` and `--models`."""
    parser.add_argument("--source", default="sample", help="sample, or a folder of real files")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--models", nargs="+", choices=model_types(), default=list(model_types()))


def settings(seed: int, changes: dict[str, Any] | None = None) -> TrainingSettings:
    """The configuration of the training with another seed and other changes."""
    configured = load_configuration().training.model_dump()
    return TrainingSettings.model_validate(configured | {"seed": seed} | (changes or {}))


def _row(bundles: list[Bundle]) -> dict[str, str]:
    measured = {name: mean_and_deviation([bundle.metrics["test"][name] for bundle in bundles]) for name in SHOWN}
    return measured | {
        "fit s": f"{np.mean([bundle.fit_seconds for bundle in bundles]):.1f}",
        "bundle MB": f"{np.mean([len(bundle.to_bytes()) for bundle in bundles]) / 1e6:.2f}",
        "one row ms": f"{_milliseconds(bundles[0]):.3f}",
    }


def _milliseconds(bundle: Bundle) -> float:
    """Median time of one matrix row to a probability."""
    row = np.ones((1, len(bundle.matrix_columns)), np.float32)
    times = []
    for _ in range(_SINGLE_ROWS):
        started = time.perf_counter()
        bundle.predict_proba(row)
        times.append(time.perf_counter() - started)
    return float(np.median(times)) * 1e3


if __name__ == "__main__":
    main()
