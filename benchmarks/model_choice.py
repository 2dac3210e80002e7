"""Rules to choose the proposed model: how often the chosen one is as good on the test set as the best one.

    python -m benchmarks.model_choice [--source FOLDER] [--seeds 20] [--threads 2] [--keep FOLDER]

Every seed is another split, on which a model of every type is trained with the settings of configs/training.yaml. A
rule sees the validation set, 15 % of the accidents that are not for the test. A model is as good as the best one if
its ROC-AUC on the test set is at most .002 lower. `--keep` stores the predictions, from which an interrupted run goes
on.
"""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from accidents.evaluation.metrics import compute_metrics
from accidents.features import feature_frame
from accidents.models import display_name, model_types
from accidents.tables import Subset
from accidents.training import train
from accidents.training.selection import choose_model
from benchmarks.common import argument_parser, load_accidents, mean_and_deviation, print_markdown
from benchmarks.modelling import settings

TOLERANCE = 0.002
"""Difference of ROC-AUC on the test set up to which a model counts as good as the best one."""

Predictions = Mapping[str, pd.DataFrame]
"""`TrainingResult.predictions` by model type, with the decision threshold as `threshold`."""


def main() -> None:
    """Train models on the splits of all seeds; print their metrics, and what each rule chooses."""
    parser = argument_parser(__doc__)
    parser.add_argument("--source", default="sample", help="sample, or a folder of real files")
    parser.add_argument("--seeds", type=int, default=20, help="number of seeds")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="folder of predictions")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        trainings = predictions_by_seed(options.source, range(options.seeds), options.threads, folder)
    aucs = pd.DataFrame([{name: _metric(frame, Subset.TEST, "roc_auc") for name, frame in by_type.items()}
                         for by_type in trainings])  # fmt: skip
    print_markdown(
        {
            "model": display_name(name),
            "ROC-AUC": mean_and_deviation(aucs[name].tolist()),
            "below the best": f"{(aucs.max(axis=1) - aucs[name]).mean():.4f}",
            "as good as the best": f"{_share(aucs, [name] * len(aucs)):.0%}",
        }
        for name in model_types()
    )
    print_markdown(_row(rule, [choose(by_type) for by_type in trainings], aucs) for rule, choose in rules().items())


def predictions_by_seed(source: str, seeds: range, threads: int, folder: Path) -> list[Predictions]:
    """Predictions of models of every type for every seed, from files of `folder` where they exist."""
    files = {(seed, name): folder / f"{name}-{seed}.parquet" for seed in seeds for name in model_types()}
    if missing := {key: file for key, file in files.items() if not file.exists()}:
        accidents = load_accidents(source)
        features = feature_frame(accidents)
        for (seed, name), file in missing.items():
            configured = settings(seed, {"threads": threads})
            trained = train(name, features, accidents.accidents, configured, level="call")
            trained.predictions.assign(threshold=trained.bundle.threshold).to_parquet(file)
            print(f"seed {seed}, {name}: AUC {trained.bundle.metrics['test']['roc_auc']:.4f}", flush=True)
    return [{name: pd.read_parquet(files[seed, name]) for name in model_types()} for seed in seeds]


def rules() -> dict[str, Callable[[Predictions], str]]:
    """What chooses a model type from predictions, by name."""

    def best(name: str, sign: int = 1) -> Callable[[Predictions], str]:
        return lambda models: max(models, key=lambda model: sign * _metric(models[model], Subset.VALIDATION, name))

    def lowest_log_loss(models: Predictions) -> str:
        log_losses = choose_model(models).log_losses
        return min(log_losses, key=log_losses.__getitem__)

    return {
        "F1": best("f1"),
        "ROC-AUC": best("roc_auc"),
        "Brier score": best("brier", -1),
        "log loss": lowest_log_loss,
        "log loss, ties by preference": lambda models: choose_model(models).best,
    }


def _metric(predictions: pd.DataFrame, subset: Literal[Subset.VALIDATION, Subset.TEST], name: str) -> float:
    frame = predictions[predictions["subset"] == subset]
    threshold = float(frame["threshold"].iloc[0])
    return compute_metrics(frame["label"].to_numpy(), frame["probability"].to_numpy(), threshold, bins=15)[name]


def _row(rule: str, chosen: list[str], aucs: pd.DataFrame) -> dict[str, str]:
    behind = _behind(aucs, chosen)
    counts = pd.Series(chosen).map(display_name).value_counts()
    return {
        "validation set": rule,
        "as good as the best": f"{_share(aucs, chosen):.0%}",
        "below the best": f"{behind.mean():.4f}",
        "at most": f"{behind.max():.4f}",
        "chosen": ", ".join(f"{name} {count}" for name, count in counts.items()),
    }


def _behind(aucs: pd.DataFrame, chosen: list[str]) -> np.ndarray:
    """ROC-AUC of the best model of every seed minus that of the chosen one."""
    return np.array([row.max() - row[name] for (_, row), name in zip(aucs.iterrows(), chosen, strict=True)])


def _share(aucs: pd.DataFrame, chosen: list[str]) -> float:
    """Share of seeds whose chosen model is as good as the best one."""
    return float((_behind(aucs, chosen) <= TOLERANCE).mean())


if __name__ == "__main__":
    main()
