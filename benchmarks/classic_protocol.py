"""The classic protocol of tutorials on these data, compared with this project on the same test accidents.

    python -m benchmarks.classic_protocol [--source FOLDER] [--seeds 0 1 2] [--models lightgbm xgboost]

Classic: one row an accident, that of the person with the worst injury (hospitalised above killed), with their vehicle,
place and accident; every column label-encoded on all rows; 70/30 at random; SMOTE; threshold 0.5. The label chooses the
row, in the test set, too. The column "random person" gives the same models a random person of each test accident: their
quality in production, where the outcome cannot choose the row. The last column, "honest", is a model of this project at
level `call`, whose features cover every person and vehicle and no outcome.
"""

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from accidents.evaluation.metrics import METRIC_NAMES
from accidents.features import feature_frame
from accidents.models import display_name
from accidents.plots.style import BLUE, INK, MUTED, ORANGE, legend_above, subplots
from accidents.tables import LABEL, Accidents, Subset
from accidents.training import train
from accidents.training.split import assign_subsets, join_labels
from benchmarks.common import argument_parser, load_accidents, mean_and_deviation, print_markdown
from benchmarks.modelling import add_model_options, settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PERSON = ("place", "catu", "sexe", "secu1", "an_nais", "locp", "actp", "etatp")
VEHICLE = ("catv", "obs", "obsm", "motor")
ACCIDENT = (
    *("an", "mois", "jour", "hrmn", "lum", "dep", "com", "agg", "int", "atm", "col", "lat", "long"),
    *("catr", "circ", "surf", "situ", "vma", "v1", "vosp", "prof", "plan", "larrout", "infra"),
)
PROTOCOLS = {"classic": "classic, as reported", "random person": "classic, random person", "honest": "this project"}
"""Evaluation protocols and their names in the plot."""

_MARKERS: dict[str, tuple[str, Any, str, float]] = {
    "classic": ("o", "none", ORANGE, 7),
    "random person": ("o", "full", ORANGE, -13),
    "honest": ("D", "full", BLUE, 7),
}
"""Marker, fill style and colour by protocol, and the offset of its annotation in points."""

_TITLES = {"roc_auc": "AUC", "f1": "F1"}
_RANK = {1: 0, 4: 1, 2: 2, 3: 3}  # the classic order of injuries, with hospitalised (3) above killed (2)


def main() -> None:
    """Measure both protocols and print one table."""
    parser = argument_parser(__doc__)
    add_model_options(parser)
    options = parser.parse_args()
    accidents = load_accidents(options.source)
    results = measure_protocols(accidents, feature_frame(accidents), options.models, options.seeds)
    rows = []
    for name, model_results in results.groupby("model", sort=False):
        row = {"model": str(name)}
        for protocol, values in model_results.groupby("protocol", sort=False):
            row |= {
                f"{protocol} {title}": mean_and_deviation(values[metric].tolist()) for metric, title in _TITLES.items()
            }
        rows.append(row)
    print_markdown(rows)


def measure_protocols(
    accidents: Accidents, features: pd.DataFrame, names: Sequence[str], seeds: Sequence[int]
) -> pd.DataFrame:
    """Measure both protocols on the same test accidents.

    Args:
        accidents: with labels.
        features: their features, from `accidents.features.feature_frame`.
        names: model types.
        seeds: of the splits, one after the other.

    Returns:
        One row a model, seed and protocol (`classic`, `random person`, `honest`): `roc_auc` and `f1`.
    """
    people = _people(accidents)
    rows: list[dict[str, Any]] = []
    for name, seed in product(names, seeds):
        configured = settings(seed)
        test = assign_subsets(join_labels(features, accidents.accidents), configured.split, seed) == Subset.TEST
        classic, random = _classic(name, people, accidents.accidents, test, seed)
        honest = train(name, features, accidents.accidents, configured, level="call").bundle.metrics["test"]
        for protocol, metrics in (("classic", classic), ("random person", random), ("honest", honest)):
            shown = {metric: metrics[metric] for metric in _TITLES}
            rows.append({"model": display_name(name), "seed": seed, "protocol": protocol, **shown})
    return pd.DataFrame(rows)


def _people(accidents: Accidents) -> pd.DataFrame:
    """One row a person with vehicle and accident, in the classic choice of columns."""
    by_accident = accidents.people.groupby("Num_Acc")
    people = accidents.people[["Num_Acc", "id_vehicule", "grav", *PERSON]].assign(
        nb_victim=by_accident["grav"].transform("size"),
        injury=accidents.people["grav"].map(_RANK).fillna(-1),
    )
    vehicles = accidents.vehicles.drop_duplicates(["Num_Acc", "id_vehicule"])
    counts = accidents.vehicles["Num_Acc"].value_counts().rename("nb_vehicules")
    return (
        people.merge(vehicles[["Num_Acc", "id_vehicule", *VEHICLE]], how="left", on=["Num_Acc", "id_vehicule"])
        .merge(accidents.accidents[["Num_Acc", *ACCIDENT]], on="Num_Acc")
        .merge(counts, how="left", left_on="Num_Acc", right_index=True)
    )


def _classic(
    name: str, people: pd.DataFrame, accidents: pd.DataFrame, test: npt.NDArray[np.bool_], seed: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Metrics on the worst-injured and on a random person of each test accident."""
    from imblearn.over_sampling import SMOTE
    from sklearn.preprocessing import OrdinalEncoder

    labels = accidents[accidents[LABEL] >= 0].set_index("Num_Acc")[LABEL]
    labelled_people = people[people["Num_Acc"].isin(labels.index)]
    worst = labelled_people.sort_values("injury", kind="stable").groupby("Num_Acc").tail(1).set_index("Num_Acc")
    random = labelled_people.sample(frac=1, random_state=seed).groupby("Num_Acc").head(1).set_index("Num_Acc")
    columns = [column for column in worst if column not in {"id_vehicule", "grav", "injury"}]
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1)
    encoder.fit(worst[columns])
    tested = accidents.loc[test, "Num_Acc"]
    train_ids, test_ids = worst.index[~worst.index.isin(tested)], worst.index[worst.index.isin(tested)]
    balanced = SMOTE(random_state=seed).fit_resample(
        encoder.transform(worst.loc[train_ids, columns]), labels[train_ids]
    )
    model = _model(name, seed).fit(*balanced)

    def score(rows: pd.DataFrame) -> dict[str, float]:
        probability = model.predict_proba(encoder.transform(rows.loc[test_ids, columns]))[:, 1]
        return _metrics(labels[test_ids].to_numpy(), probability)

    return score(worst), score(random)


def _model(name: str, seed: int) -> Any:
    """An estimator with the defaults of its library, as in tutorials."""
    from lightgbm import LGBMClassifier
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from xgboost import XGBClassifier

    return {
        "lightgbm": lambda: LGBMClassifier(random_state=seed, n_jobs=2, verbose=-1),
        "xgboost": lambda: XGBClassifier(random_state=seed, n_jobs=2),
        "random_forest": lambda: RandomForestClassifier(random_state=seed, n_jobs=2),
        "logistic_regression": lambda: LogisticRegression(max_iter=1000, random_state=seed),
    }[name]()


def _metrics(labels: npt.NDArray[np.int8], probability: npt.NDArray[np.float64]) -> dict[str, float]:
    from sklearn.metrics import f1_score, roc_auc_score

    return {"roc_auc": roc_auc_score(labels, probability), "f1": f1_score(labels, probability >= 0.5)}


def plot_protocols(metrics: pd.DataFrame, source_note: str) -> "Figure":
    """Plot ROC-AUC and F1 of models by evaluation protocol, on the same test accidents.

    Args:
        metrics: `model`, `protocol` (a key of `PROTOCOLS`), `roc_auc`, `f1`.
        source_note: from `style.source_note`.
    """
    models = list(dict.fromkeys(metrics["model"]))
    figure, panels = subplots(
        "Classic and honest protocol", source_note, size=(8.2, 2.2 + 0.5 * len(models)), columns=2, share_y=True
    )
    for axes, metric in zip(panels, _TITLES, strict=True):
        values = metrics.set_index(["model", "protocol"])[metric].unstack().loc[models]  # noqa: PD010  # nothing to aggregate
        axes.hlines(range(len(models)), values.min(axis=1), values.max(axis=1), color=MUTED, linewidth=0.8)
        for protocol, (marker, fill, colour, above) in _MARKERS.items():
            style: dict[str, Any] = {"fillstyle": fill, "color": colour, "markersize": 7, "label": PROTOCOLS[protocol]}
            axes.plot(values[protocol], range(len(models)), marker, **style)
            for row, value in enumerate(values[protocol]):
                place: dict[str, Any] = {"xytext": (0, above), "textcoords": "offset points", "ha": "center"}
                axes.annotate(f"{value:.3f}".lstrip("0"), (value, row), **place, fontsize=7, color=INK)
        axes.set(
            xlabel=METRIC_NAMES[metric], yticks=range(len(models)), yticklabels=models, ylim=(len(models) - 0.5, -0.7)
        )
        axes.margins(x=0.15)
        axes.grid(axis="y", visible=False)
    legend_above(panels[0], columns=1)
    return figure


if __name__ == "__main__":
    main()
