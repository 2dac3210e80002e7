"""How good the models are: every type on the same splits, means over seeds and their spread.

    python -m benchmarks.modelling [--source FOLDER] [--seeds 0 1 2] [--levels strict call scene]
                                   [--models lightgbm xgboost] [--resampling none smote] [--no-geography] [--temporal]

Metrics are those of the test set, 30 % of the accidents. `±` is the standard deviation over seeds, which is mostly
that of the splits: compare models on the same seeds. Settings are those of configs/training.yaml.
"""

import argparse
import time
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from accidents.bundle import Bundle
from accidents.columns import LEVELS
from accidents.configuration.loading import load_configuration
from accidents.configuration.training import TrainingSettings
from accidents.features import feature_frame
from accidents.ingestion import ingest
from accidents.models import model_types
from accidents.sources.resolve import resolve_editions
from accidents.tables import Accidents
from accidents.training import train

SHOWN = ("roc_auc", "pr_auc", "f1", "accuracy", "brier", "ece")
_SINGLE_ROWS = 200


def main() -> None:
    """Train what is asked for and print one table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_common_options(options)
    options.add_argument("--levels", nargs="+", choices=LEVELS, default=["call"])
    options.add_argument("--resampling", nargs="+", default=["none"])
    options.add_argument("--no-geography", action="store_true")
    options.add_argument("--temporal", action="store_true", help="test on the latest accidents, not on random ones")
    given = options.parse_args()
    accidents = accidents_of(given.source)
    features = feature_frame(accidents)
    print(f"{given.source}: {len(features):,} accidents, seeds {' '.join(map(str, given.seeds))}\n")
    rows = []
    for level in given.levels:
        for resampling in given.resampling:
            for model in given.models:
                changes: dict[str, Any] = {"resampling": resampling}
                if given.temporal:
                    changes["split"] = {"kind": "temporal"}
                bundles = [
                    train(model, features, accidents.accidents, settings(seed, changes), level=level,
                          geography=not given.no_geography).bundle
                    for seed in given.seeds
                ]  # fmt: skip
                rows.append({"level": level, "resampling": resampling, "model": model} | _row(bundles))
                print(f"{level} {resampling} {model}: AUC {rows[-1]['roc_auc']}", flush=True)
    print_table(rows)


def add_common_options(options: argparse.ArgumentParser) -> None:
    """Source, seeds and models, as both benchmarks of models take them."""
    options.add_argument("--source", default="sample", help="sample, or a folder of real files")
    options.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    options.add_argument("--models", nargs="+", choices=model_types(), default=list(model_types()))


def accidents_of(location: str) -> Accidents:
    """Clean accidents of a source."""
    ingestion = load_configuration(overrides={"ingestion.source.location": location}).ingestion
    return ingest(resolve_editions(ingestion.source), ingestion).accidents


def settings(seed: int, changes: dict[str, Any] | None = None) -> TrainingSettings:
    """The configured settings with another seed and other changes."""
    configured = load_configuration().training.model_dump()
    return TrainingSettings.model_validate(configured | {"seed": seed} | (changes or {}))


def print_table(rows: Iterable[dict[str, Any]]) -> None:
    """Print rows as a Markdown table."""
    table = pd.DataFrame(rows)
    lines = [table.columns, ["---"] * len(table.columns), *table.to_numpy()]
    print("\n" + "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines))


def spread(values: list[float]) -> str:
    """Mean and standard deviation over seeds."""
    return f"{np.mean(values):.4f} ± {np.std(values):.4f}"


def _row(bundles: list[Bundle]) -> dict[str, str]:
    measured = {name: spread([bundle.metrics["test"][name] for bundle in bundles]) for name in SHOWN}
    return measured | {
        "fit s": f"{np.mean([bundle.fit_seconds for bundle in bundles]):.1f}",
        "bundle MB": f"{np.mean([len(bundle.to_bytes()) for bundle in bundles]) / 1e6:.2f}",
        "one row ms": f"{_milliseconds(bundles[0]):.3f}",
    }


def _milliseconds(bundle: Bundle) -> float:
    """Median time of one matrix row to a probability."""
    row = np.zeros((1, len(bundle.columns)), np.float32)
    times = []
    for _ in range(_SINGLE_ROWS):
        started = time.perf_counter()
        bundle.predict_proba(row)
        times.append(time.perf_counter() - started)
    return float(np.median(times)) * 1e3


if __name__ == "__main__":
    main()
