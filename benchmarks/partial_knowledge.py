"""Quality with partial knowledge: one model whatever is known, beside models trained for just those inputs.

    python -m benchmarks.partial_knowledge [--source FOLDER] [--models lightgbm ...] [--seeds 0 1 2]
                                           [--train-months 1 6] [--test-months 7 9] [--most 10000] [--no-own]
                                           [--keep FOLDER]

Trains on the accidents of some months, draws test accidents from others (without `--test-months`: from the test part of
a random split), and leaves fields out of them as `accidents.knowledge.masks` names it. Each row is the mean over the
seeds, which draw split, masks and models. `own` is a model trained on accidents that lack the same fields. Intervals
are 95 % of a bootstrap over the test accidents of ROC-AUC and, paired, of its difference; mean over the seeds. Level of
information: `call`. Fits use one thread; `fit s` are their wall seconds.

With `--keep` answers stay in a folder, so that a run that was ended continues, and one command prints what several
have measured. The folder does not know of changes of the code: empty it after one.
"""

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
import pandas as pd

from accidents.bundle import Bundle
from accidents.evaluation.metrics import compute_metrics, group_scores
from accidents.features.arrays import Arrays, to_arrays
from accidents.features.frame import arrays_frame
from accidents.knowledge.masks import NAMED_MASKS
from accidents.tables import LABEL, Accidents
from accidents.training import train
from benchmarks.common import argument_parser, load_accidents, print_markdown
from benchmarks.modelling import add_model_options, settings

_BINS, _RESAMPLES = 15, 200
_SHOWN = ("roc_auc", "ece", "f1")


Months = tuple[int, int] | None
Figures = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """What figures depend on."""

    source: str
    train_months: Months
    test_months: Months
    most: int
    model: str
    seed: int


@dataclass(frozen=True)
class Answers:
    """Labels of the test accidents, probabilities of a model for them, its threshold, and wall seconds of its fit."""

    labels: npt.NDArray[np.int8]
    probabilities: npt.NDArray[np.float64]
    threshold: float
    seconds: float


@dataclass(frozen=True)
class Data:
    """Training and test accidents, and both as arrays."""

    training: Accidents
    training_arrays: Arrays
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
    parser.add_argument("--keep", help="folder that keeps answers between runs")
    options = parser.parse_args()
    memory = joblib.Memory(options.keep, verbose=0)
    train_months, test_months = (months and tuple(months) for months in (options.train_months, options.test_months))
    for model in options.models:
        cases = [Case(options.source, train_months, test_months, options.most, model, seed) for seed in options.seeds]
        rows = pd.DataFrame([row for case in cases for row in _rows(case, memory, own=not options.no_own)])
        print(f"\n{model}, seeds {' '.join(map(str, options.seeds))}, {rows['accidents'].max():,} test accidents")
        _print(rows)


def _rows(case: Case, memory: joblib.Memory, *, own: bool) -> list[Figures]:
    """Figures of every named mask, of the model of everything and of the model of just these inputs."""
    whole, one, specialist = (memory.cache(function) for function in (_whole, _one, _own))
    rows = [{"known": "everything, model of whole accidents", **_figures(whole(case))}]
    for name, answers in one(case).items():
        rows.append({"known": name, **_figures(answers)})
        if own:
            theirs = specialist(case, name)
            rows[-1] |= {f"own {key}": value for key, value in _figures(theirs).items()} | _difference(answers, theirs)
        print(f"  {case.model} {case.seed} {name}: {time.strftime('%H:%M')}", flush=True)
    return rows


def _whole(case: Case) -> Answers:
    """Of a model of whole accidents."""
    data = _data(case)
    return _answers(_train(case, data.training_arrays, None), data, data.arrays)


def _one(case: Case) -> dict[str, Answers]:
    """Of one model by mask."""
    data = _data(case)
    bundle = _train(case, data.training_arrays, data.training)
    return {name: _answers(bundle, data, _masked(case, name, data.arrays, 1)) for name in NAMED_MASKS}


def _own(case: Case, name: str) -> Answers:
    """Of the model of just the inputs that a mask leaves."""
    data = _data(case)
    bundle = _train(case, _masked(case, name, data.training_arrays, 0), None)
    return _answers(bundle, data, _masked(case, name, data.arrays, 1))


def _masked(case: Case, name: str, arrays: Arrays, draw: int) -> Arrays:
    mask = NAMED_MASKS[name](arrays, np.random.default_rng((case.seed, [*NAMED_MASKS].index(name), draw)))
    return mask.apply(arrays)


_accidents = lru_cache(1)(load_accidents)


@lru_cache(1)
def _data_of(source: str, train_months: Months, test_months: Months, most: int, seed: int) -> Data:
    accidents = _accidents(source)
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
    return Data(training, to_arrays(training), table.iloc[test], to_arrays(accidents).take(test))


def _data(case: Case) -> Data:
    return _data_of(case.source, case.train_months, case.test_months, case.most, case.seed)


def _train(case: Case, arrays: Arrays, details: Accidents | None) -> Bundle:
    configured = settings(case.seed, {"split": {"test_share": 0.02}, "threads": 1})
    table = _data(case).training.accidents
    features = arrays_frame(table["Num_Acc"], arrays)
    return train(case.model, features, table, configured, level="call", details=details).bundle


def _answers(bundle: Bundle, data: Data, arrays: Arrays) -> Answers:
    labels = data.test[LABEL].to_numpy(np.int8)
    return Answers(labels, bundle.predict(arrays), bundle.threshold, bundle.fit_seconds)


def _figures(answers: Answers) -> Figures:
    labels, probabilities = answers.labels, answers.probabilities
    metrics = compute_metrics(labels, probabilities, answers.threshold, _BINS)
    low, high = np.quantile(_resampled(answers), (0.025, 0.975))
    return {name: metrics[name] for name in _SHOWN} | {
        "accidents": len(labels),
        "called": float((probabilities >= answers.threshold).mean()),
        "bias": float(probabilities.mean() - labels.mean()),
        "low": low,
        "high": high,
        "seconds": answers.seconds,
    }


def _difference(answers: Answers, own: Answers) -> Figures:
    """ROC-AUC less that of the model of just these inputs, and 95 % of its paired bootstrap."""
    low, high = np.quantile(_resampled(answers) - _resampled(own), (0.025, 0.975))
    return {"difference low": low, "difference high": high}


def _resampled(answers: Answers) -> npt.NDArray[np.float64]:
    """ROC-AUC of resampled test accidents, the same ones whatever the model."""
    rows = np.random.default_rng(0).integers(len(answers.labels), size=(_RESAMPLES, len(answers.labels)))
    scores = group_scores(answers.labels, answers.probabilities)
    return scores.metrics(answers.threshold, _BINS, rows)["roc_auc"]


def _print(rows: pd.DataFrame) -> None:
    means = rows.groupby("known", sort=False).mean(numeric_only=True)
    means["interval"] = means["low"].map("{:.3f}".format) + means["high"].map(" to {:.3f}".format)
    if "own roc_auc" in means:
        difference = (means["roc_auc"] - means["own roc_auc"]).map("{:+.4f}".format)
        low, high = means["difference low"].map("{:+.4f}".format), means["difference high"].map("{:+.4f}".format)
        means["difference"] = difference + " (" + low + " to " + high + ")"
    table = pd.DataFrame({"known": means.index})
    for column, name, form in (
        ("roc_auc", "AUC", "{:.4f}"),
        ("interval", "interval", "{}"),
        ("own roc_auc", "own AUC", "{:.4f}"),
        ("difference", "AUC - own", "{}"),
        ("ece", "ECE", "{:.3f}"),
        ("own ece", "own ECE", "{:.3f}"),
        ("bias", "mean - observed", "{:+.3f}"),
        ("own bias", "own mean - observed", "{:+.3f}"),
        ("f1", "F1", "{:.3f}"),
        ("called", "called priority", "{:.2f}"),
        ("seconds", "fit s", "{:.1f}"),
    ):
        if column in means:
            cells = means[column].map(form.format)
            table[name] = cells.mask(cells.str.contains("nan"), "").to_numpy()
    print_markdown({str(name): value for name, value in row.items()} for row in table.to_dict("records"))


if __name__ == "__main__":
    main()
