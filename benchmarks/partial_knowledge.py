"""Quality with partial knowledge: one model whatever is known, beside models trained for just those inputs.

    python -m benchmarks.partial_knowledge [--source FOLDER] [--models lightgbm ...] [--seeds 0 1 2]
                                           [--train-months 1 6] [--test-months 7 9] [--most 10000] [--no-own]

Trains on the accidents of some months, draws test accidents from others (without `--test-months`: from the test part of
a random split), and leaves fields out of them as `accidents.knowledge.masks` names it. Each row is the mean over the
seeds, which draw split, masks and models. `own` is a model trained on accidents that lack the same fields. Intervals
are 95 % of a bootstrap of ROC-AUC over the test accidents, of the first seed. Level of information: `call`. Fits use
one thread; `fit s` are their wall seconds.
"""

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from accidents.bundle import Bundle
from accidents.configuration.training import TrainingSettings
from accidents.evaluation.metrics import compute_metrics, group_scores
from accidents.features.arrays import Arrays, to_arrays
from accidents.features.frame import arrays_frame
from accidents.knowledge.masks import NAMED_MASKS, Mask
from accidents.tables import LABEL, Accidents
from accidents.training import train
from benchmarks.common import argument_parser, load_accidents, print_markdown
from benchmarks.modelling import add_model_options, settings

_BINS, _RESAMPLES = 15, 200
_SHOWN = ("roc_auc", "ece", "f1")


@dataclass(frozen=True)
class Data:
    """Training and test accidents, and the latter as arrays."""

    training: Accidents
    test: pd.DataFrame
    arrays: Arrays


def main() -> None:
    """Print one table a model type."""
    parser = argument_parser(__doc__)
    add_model_options(parser)
    parser.add_argument("--train-months", nargs=2, type=int, metavar=("FIRST", "LAST"))
    parser.add_argument("--test-months", nargs=2, type=int, metavar=("FIRST", "LAST"))
    parser.add_argument("--most", type=int, default=10_000, help="greatest number of test accidents")
    parser.add_argument("--no-own", action="store_true", help="train no models for just the inputs of a row")
    options = parser.parse_args()
    accidents = load_accidents(options.source)
    for model in options.models:
        rows = []
        for seed in options.seeds:
            data = _data(accidents, seed, options.train_months, options.test_months, options.most)
            rows += _measure(model, data, seed, own=not options.no_own)
        print(f"\n{model}, seeds {' '.join(map(str, options.seeds))}, {len(data.test):,} test accidents")
        _print(pd.DataFrame(rows))


def _data(
    accidents: Accidents, seed: int, train_months: list[int] | None, test_months: list[int] | None, most: int
) -> Data:
    table, rng = accidents.accidents, np.random.default_rng(seed)
    labelled, month = table[LABEL].to_numpy() >= 0, table["mois"].to_numpy()
    in_test = rng.random(len(table)) < 0.3
    if test_months:
        in_test = (month >= test_months[0]) & (month <= test_months[1])
    in_training = ~in_test if not train_months else (month >= train_months[0]) & (month <= train_months[1]) & ~in_test
    test = np.sort(rng.permutation(np.flatnonzero(in_test & labelled))[:most])
    ids = table["Num_Acc"].to_numpy()[in_training & labelled]
    training = Accidents(
        *(frame[frame["Num_Acc"].isin(ids)].reset_index(drop=True) for frame in vars(accidents).values())
    )
    return Data(training, table.iloc[test], to_arrays(accidents).take(test))


def _measure(model: str, data: Data, seed: int, *, own: bool) -> list[dict[str, object]]:
    """Figures of every named mask, of the model of everything and of the model of just these inputs."""
    configured = settings(seed, {"split": {"test_share": 0.02}, "threads": 1})
    arrays = to_arrays(data.training)
    whole = _train(model, data, arrays, configured, None)
    one = _train(model, data, arrays, configured, data.training)
    rows: list[dict[str, object]] = [
        {
            "known": "everything, model of whole accidents",
            "seed": seed,
            "seconds": whole.fit_seconds,
            **_figures(whole, data, None),
        }
    ]
    for number, (name, mask) in enumerate(NAMED_MASKS.items()):
        figures = _figures(one, data, mask(data.arrays, np.random.default_rng((seed, number, 1))))
        row = {"known": name, "seconds": one.fit_seconds, **figures}
        if own:
            masked = mask(arrays, np.random.default_rng((seed, number, 0))).apply(arrays)
            specialist = _train(model, data, masked, configured, None)
            theirs = _figures(specialist, data, mask(data.arrays, np.random.default_rng((seed, number, 1))))
            row |= {f"own {key}": value for key, value in theirs.items()}
        rows.append(row)
        print(f"  {model} {seed} {name}: {time.strftime('%H:%M')}", flush=True)
    return rows


def _train(model: str, data: Data, arrays: Arrays, configured: TrainingSettings, details: Accidents | None) -> Bundle:
    table = data.training.accidents
    features = arrays_frame(table["Num_Acc"], arrays)
    return train(model, features, table, configured, level="call", details=details).bundle


def _figures(bundle: Bundle, data: Data, mask: Mask | None) -> dict[str, object]:
    arrays = data.arrays if mask is None else mask.apply(data.arrays)
    labels, probabilities = data.test[LABEL].to_numpy(np.int8), bundle.predict(arrays)
    metrics = compute_metrics(labels, probabilities, bundle.threshold, _BINS)
    return {name: metrics[name] for name in _SHOWN} | {
        "called": float((probabilities >= bundle.threshold).mean()),
        "bias": float(probabilities.mean() - labels.mean()),
        "interval": _interval(labels, probabilities, bundle.threshold),
    }


def _interval(labels: npt.NDArray[np.int8], probabilities: npt.NDArray[np.float64], threshold: float) -> str:
    """95 % of the bootstrap of ROC-AUC."""
    rows = np.random.default_rng(0).integers(len(labels), size=(_RESAMPLES, len(labels)))
    resampled = group_scores(labels, probabilities).metrics(threshold, _BINS, rows)
    low, high = np.quantile(resampled["roc_auc"], (0.025, 0.975))
    return f"{low:.3f} to {high:.3f}"


def _print(rows: pd.DataFrame) -> None:
    means = rows.groupby("known", sort=False).mean(numeric_only=True)
    if "own roc_auc" in means:
        means["difference"] = means["roc_auc"] - means["own roc_auc"]
    table = pd.DataFrame({"known": means.index, "AUC": means["roc_auc"].map("{:.4f}".format)})
    table["interval"] = rows.groupby("known", sort=False)["interval"].first().to_numpy()
    for column, name, form in (
        ("own roc_auc", "own AUC", "{:.4f}"),
        ("difference", "AUC - own", "{:+.4f}"),
        ("ece", "ECE", "{:.3f}"),
        ("own ece", "own ECE", "{:.3f}"),
        ("bias", "mean - observed", "{:+.3f}"),
        ("own bias", "own mean - observed", "{:+.3f}"),
        ("f1", "F1", "{:.3f}"),
        ("called", "called priority", "{:.2f}"),
        ("seconds", "fit s", "{:.1f}"),
    ):
        if column in means:
            table[name] = means[column].map(form.format).replace("nan", "").to_numpy()
    print_markdown({str(name): value for name, value in row.items()} for row in table.to_dict("records"))


if __name__ == "__main__":
    main()
