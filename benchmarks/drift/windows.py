"""Windows without a change: synthetic years and resampled real months, each with a model and its reference."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from tempfile import TemporaryDirectory

import numpy as np

from accidents.bundle import Bundle
from accidents.bundle.reference import Reference
from accidents.configuration.loading import load_configuration
from accidents.configuration.training import TrainingSettings
from accidents.features import feature_frame
from accidents.features.arrays import to_arrays
from accidents.ingestion import ingest
from accidents.monitoring.monitor import Window
from accidents.monitoring.reference import build_reference, days_of
from accidents.sources.resolve import resolve_editions
from accidents.tables import LABEL, Accidents
from accidents.training import train, with_wait_policy
from benchmarks.common import load_accidents
from benchmarks.drift.effects import LEVEL

SIZE = 5000
_YEARS = (2021, 2022, 2023, 2025)
_SEASONS = 4
_SPLITS = 5


@dataclass(frozen=True)
class Group:
    """Windows from the same accidents, to be compared with the same reference.

    Attributes:
        reference: of a model.
        accidents: those of all windows, with the predictions of the model.
        rows: of each window.
    """

    reference: Reference
    accidents: Window
    rows: tuple[np.ndarray, ...]


def synthetic_groups(seed: int, windows: int) -> list[Callable[[], Group]]:
    """One synthetic year a group, drawn anew; its four seasons are windows. Five models have a 2024 of their own."""
    fit = cache(lambda model: fit_model(synthetic_year(2024, model), model))

    def group(number: int) -> Group:
        bundle, reference = fit(_SPLITS * seed + number % _SPLITS)
        window = compared(bundle, synthetic_year(_YEARS[number % len(_YEARS)], _groups_seed(seed, number)))
        season = window.days.astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12 // 3
        return Group(reference, window, tuple(np.flatnonzero(season == one) for one in range(_SEASONS)))

    return [partial(group, number) for number in range(windows // _SEASONS)]


def real_groups(source: str, seed: int, windows: int) -> list[Callable[[], Group]]:
    """Half of the accidents of a source for the model, windows of consecutive accidents of the other half."""
    accidents = cache(lambda: load_accidents(source))

    def group(number: int) -> Group:
        rng = np.random.default_rng([seed, number])
        half = rng.random(len(accidents().accidents)) < 0.5
        bundle, reference = fit_model(part(accidents(), half), _groups_seed(seed, number))
        window = compared(bundle, part(accidents(), ~half))
        order = np.argsort(window.days, kind="stable")
        starts = rng.integers(len(order) - SIZE, size=windows // _SPLITS)
        return Group(reference, window, tuple(order[start : start + SIZE] for start in starts))

    return [partial(group, number) for number in range(_SPLITS)]


def fit_model(accidents: Accidents, seed: int) -> tuple[Bundle, Reference]:
    """A LightGBM model and its reference."""
    trained = with_wait_policy(
        train,
        "lightgbm",
        feature_frame(accidents),
        accidents.accidents,
        TrainingSettings(seed=seed, partial_knowledge=False),
        level=LEVEL,
        details=accidents,
    )
    return trained.bundle, build_reference(accidents, trained.predictions, LEVEL)


def compared(bundle: Bundle, accidents: Accidents) -> Window:
    """Accidents that are new to a model, with its predictions."""
    arrays, table = to_arrays(accidents), accidents.accidents
    labels = table[LABEL].to_numpy(float)
    return Window(arrays, bundle.predict(arrays), np.where(labels < 0, np.nan, labels), days_of(table))


def part(accidents: Accidents, chosen: np.ndarray) -> Accidents:
    """The chosen accidents."""
    ids = set(accidents.accidents["Num_Acc"].to_numpy()[chosen].tolist())
    frames = (accidents.accidents, accidents.vehicles, accidents.people)
    return Accidents(*(frame[frame["Num_Acc"].isin(ids)].reset_index(drop=True) for frame in frames))


def _groups_seed(seed: int, number: int) -> int:
    return 1000 * (seed + 1) + number  # of no model


def synthetic_year(year: int, seed: int) -> Accidents:
    """A synthetic year with as many accidents as four windows."""
    with TemporaryDirectory() as folder:
        overrides = {
            "ingestion.source.location": "sample",
            "ingestion.source.data_folder": folder,
            "ingestion.source.sample": {"year": year, "seed": seed, "accidents": _SEASONS * SIZE},
        }
        ingestion = load_configuration(overrides=overrides).ingestion
        return ingest(resolve_editions(ingestion.source), ingestion).accidents
