"""Power and false alarms of monitoring: windows with effects fixed beforehand, and windows without any.

    python -m benchmarks.drift --windows 200
    python -m benchmarks.drift --windows 200 --source path/to/baac/2024
    python -m benchmarks.drift --source path/to/baac/2024 --other path/to/baac/2017

Synthetic: a LightGBM of 2024 (20,000 accidents) against windows, each a random quarter of the accidents of a season of
a synthetic year of 2021 to 2026 that is four times as large. Real: half of the accidents of a source for the model, and
windows of consecutive accidents of the other half, over several splits. Smaller windows are drawn from the same
accidents. What is predicted is that of the unchanged accidents.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from tempfile import TemporaryDirectory

import numpy as np

from accidents.bundle.reference import MISSING_BIN, Reference
from accidents.columns import MISSING, UNKNOWN
from accidents.configuration.loading import load_configuration
from accidents.configuration.monitoring import MonitoringSettings
from accidents.configuration.training import TrainingSettings
from accidents.features import feature_frame
from accidents.features.array_columns import ARRAY_COLUMNS, COLUMN_POSITIONS, PUBLISHED_COLUMNS, Entity
from accidents.features.arrays import to_arrays
from accidents.ingestion import ingest
from accidents.monitoring.columns import departments, monitored_columns
from accidents.monitoring.drift import Change
from accidents.monitoring.monitor import MonitoringResult, Window, monitor
from accidents.monitoring.reference import build_reference, days_of, season_profile
from accidents.sources.resolve import resolve_editions
from accidents.tables import LABEL, Accidents
from accidents.training import train, with_wait_policy
from benchmarks.common import argument_parser, load_accidents, print_markdown

_LEVEL = "call"
_YEARS = (2021, 2022, 2023, 2025, 2026)
_TIMES, _QUARTERS, _SPLITS = 4, 4, 5
_SIZES = (5000, 1000, 200)
_DEPARTMENTS, _FACTOR = 10, 1.5
_CATV = COLUMN_POSITIONS[Entity.VEHICLES]["catv"]


@dataclass(frozen=True)
class Pool:
    """Accidents from which windows are taken, with what the model and its reference say."""

    reference: Reference
    window: Window
    profile: Callable[[], Reference] | None = None

    def take(self, rows: np.ndarray) -> Window:
        """Some of the accidents."""
        return _taken(self.window, rows)


Effect = Callable[[Window, Reference, np.random.Generator], Window]
Found = Callable[[MonitoringResult], bool]


def _changes(result: MonitoringResult) -> set[Change]:
    return {finding.change for finding in result.findings if finding.alarm or finding.change is Change.VOLUME}


def _new_vehicle(window: Window, reference: Reference, rng: np.random.Generator) -> Window:
    met = reference.counts[reference.columns.index("vehicles.catv")].sum(axis=(0, 1))[:MISSING_BIN]
    code = next(code for code in ARRAY_COLUMNS[Entity.VEHICLES]["catv"].categories if not met[code])
    vehicles = window.arrays.vehicles.copy()
    vehicles[rng.random(len(vehicles)) < 0.03, _CATV] = code
    return replace(window, arrays=replace(window.arrays, vehicles=vehicles))


def _columns() -> list[tuple[Entity, str]]:
    names = {column.name for column in monitored_columns(_LEVEL)}
    return [
        (entity, name)
        for entity in Entity
        for name in PUBLISHED_COLUMNS[entity]
        if ARRAY_COLUMNS[entity][name].categories and f"{entity.value}.{name}" in names
    ]


def _with_column(window: Window, column: tuple[Entity, str], change: Callable[[np.ndarray], np.ndarray]) -> Window:
    entity, name = column
    values = getattr(window.arrays, entity.value).copy()
    position = COLUMN_POSITIONS[entity][name]
    values[:, position] = change(values[:, position])
    return replace(window, arrays=replace(window.arrays, **{entity.value: values}))


def _code_list(window: Window, _: Reference, rng: np.random.Generator) -> Window:
    entity, name = column = _columns()[rng.integers(len(_columns()))]
    codes = np.array(sorted(ARRAY_COLUMNS[entity][name].categories))

    def shift(values: np.ndarray) -> np.ndarray:
        known = np.isin(values, codes)
        following = np.roll(codes, -1)[np.searchsorted(codes, np.where(known, values, codes[0]))]
        return np.where(known, following, values)

    return _with_column(window, column, shift)


def _missing_column(window: Window, _: Reference, rng: np.random.Generator) -> Window:
    recorded = [
        column
        for column in _columns()
        if (getattr(window.arrays, column[0].value)[:, COLUMN_POSITIONS[column[0]][column[1]]] != MISSING).mean() > 0.5
    ]
    return _with_column(window, recorded[rng.integers(len(recorded))], lambda values: np.full_like(values, MISSING))


def _labels(chosen: Callable[[np.ndarray, np.random.Generator], np.ndarray]) -> Effect:
    def change(window: Window, _: Reference, rng: np.random.Generator) -> Window:
        own, labels = departments(window.arrays), window.labels.copy()
        numbers, counts = np.unique(own[own >= 0], return_counts=True)
        for department in chosen(numbers[np.argsort(-counts)], rng):
            rows = (own == department) & np.isfinite(labels)
            rate = labels[rows].mean() if rows.any() else 0
            chance = (min(_FACTOR * rate, 1) - rate) / max(1 - rate, 1e-9)
            labels[rows & (labels == 0) & (rng.random(len(labels)) < chance)] = 1
        return replace(window, labels=labels)

    return change


def _less_traffic(window: Window, _: Reference, rng: np.random.Generator) -> Window:
    return _taken(window, np.flatnonzero(rng.random(len(window.days)) >= 1 / 3))


def _fewer_departments(window: Window, _: Reference, rng: np.random.Generator) -> Window:
    own = departments(window.arrays)
    gone, counts = np.unique(own, return_counts=True)
    order = rng.permutation(len(gone))
    silent = gone[order][np.cumsum(counts[order]) <= len(own) / 3]
    return _taken(window, np.flatnonzero(~np.isin(own, silent)))


def _callers(window: Window, _: Reference, rng: np.random.Generator) -> Window:
    def forget(values: np.ndarray) -> np.ndarray:
        return np.where((values >= 0) & (rng.random(values.shape) < 0.5), UNKNOWN, values).astype(values.dtype)

    arrays = window.arrays
    parts = {entity.value: forget(getattr(arrays, entity.value)) for entity in Entity}
    return replace(window, arrays=replace(arrays, **parts))


def _taken(window: Window, rows: np.ndarray) -> Window:
    return Window(window.arrays.take(rows), window.probability[rows], window.labels[rows], window.days[rows])


_INPUTS = {Change.DISTRIBUTION, Change.NEW_CODES, Change.MISSING, Change.UNKNOWN}
_LABELS = {Change.CALIBRATION, Change.DEPARTMENTS}
_EFFECTS: dict[str, tuple[Effect, set[Change]]] = {
    "nothing (false alarms)": (lambda window, *_: window, _INPUTS | _LABELS | {Change.PREDICTIONS, Change.ROC_AUC}),
    "nothing (volume reported)": (lambda window, *_: window, {Change.VOLUME}),
    "3 % of the vehicles of a new kind": (_new_vehicle, _INPUTS),
    "a changed code list": (_code_list, _INPUTS),
    "a column never recorded": (_missing_column, {Change.MISSING}),
    "priority x 1.5 in the ten largest departments": (_labels(lambda own, _: own[:_DEPARTMENTS]), _LABELS),
    "the same in ten departments of the fifty largest": (
        _labels(lambda own, rng: rng.choice(own[:50], _DEPARTMENTS, replace=False)),
        _LABELS,
    ),
    "a third of the traffic gone": (_less_traffic, {Change.VOLUME}),
    "a third of the traffic gone, by department": (_fewer_departments, _INPUTS),
    "callers know half as much": (_callers, {Change.UNKNOWN}),
}


def _fit(accidents: Accidents, seed: int) -> tuple[object, Reference]:
    trained = with_wait_policy(
        train,
        "lightgbm",
        feature_frame(accidents),
        accidents.accidents,
        TrainingSettings(seed=seed, partial_knowledge=False),
        level=_LEVEL,
        details=accidents,
    )
    return trained.bundle, build_reference(accidents, trained.predictions, _LEVEL)


def _pool(bundle: object, reference: Reference, accidents: Accidents) -> Pool:
    arrays, table = to_arrays(accidents), accidents.accidents
    labels = table[LABEL].to_numpy(float)
    probability = bundle.predict(arrays)  # type: ignore[attr-defined]
    return Pool(reference, Window(arrays, probability, np.where(labels < 0, np.nan, labels), days_of(table)))


def _synthetic_year(year: int, accidents: int) -> Accidents:
    with TemporaryDirectory() as folder:
        overrides = {
            "ingestion.source.location": "sample",
            "ingestion.source.data_folder": folder,
            "ingestion.source.sample.year": year,
            "ingestion.source.sample.accidents": accidents,
        }
        ingestion = load_configuration(overrides=overrides).ingestion
        return ingest(resolve_editions(ingestion.source), ingestion).accidents


def _synthetic_windows(count: int, size: int) -> Iterator[tuple[Pool, np.ndarray]]:
    bundle, reference = _fit(_synthetic_year(2024, 4 * size), 0)
    rng = np.random.default_rng(0)
    for year in _YEARS:
        pool = _pool(bundle, reference, _synthetic_year(year, 4 * size * _TIMES))
        month = pool.window.days.astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12
        for number in range(count // len(_YEARS)):
            season = month // 3 == number % _QUARTERS
            yield pool, np.flatnonzero(season & (rng.random(len(month)) < 1 / _TIMES))


def _real_windows(source: str, count: int, size: int) -> Iterator[tuple[Pool, np.ndarray]]:
    accidents = load_accidents(source)
    for split in range(_SPLITS):
        rng = np.random.default_rng(split)
        half = rng.random(len(accidents.accidents)) < 0.5
        pool = _pool(*_fit(_part(accidents, half), split), _part(accidents, ~half))
        order = np.argsort(pool.window.days, kind="stable")
        for start in rng.integers(len(order) - size, size=count // _SPLITS):
            yield pool, order[start : start + size]


def _part(accidents: Accidents, chosen: np.ndarray) -> Accidents:
    ids = set(accidents.accidents["Num_Acc"].to_numpy()[chosen].tolist())
    frames = (accidents.accidents, accidents.vehicles, accidents.people)
    return Accidents(*(frame[frame["Num_Acc"].isin(ids)].reset_index(drop=True) for frame in frames))


def _smaller(window: Window, size: int, rng: np.random.Generator) -> Window:
    """Some of the accidents; of fewer a day nothing can be said, so the volume is that of as many."""
    if size >= max(_SIZES):
        return window
    return _taken(window, np.sort(rng.permutation(len(window.days))[:size]))


def _table(windows: Iterator[tuple[Pool, np.ndarray]], settings: MonitoringSettings) -> None:
    found = {(name, size): [] for name in _EFFECTS for size in _SIZES}
    rng = np.random.default_rng(1)
    for pool, rows in windows:
        for size in _SIZES:
            window = _smaller(pool.take(rows), size, rng)
            share = len(window.days) / len(rows)
            volume = pool.reference.volume * [share, 1, 1]
            for name, (effect, sought) in _EFFECTS.items():
                changed = replace(effect(window, pool.reference, rng), volume=volume)
                result = monitor(changed, pool.reference, _LEVEL, settings)
                found[name, size].append(bool(_changes(result) & sought))
    print_markdown(
        {"effect": name}
        | {f"{size:,} accidents": f"{np.mean(found[name, size]):.1%}" for size in _SIZES}
        | {"windows": len(found[name, max(_SIZES)])}
        for name in _EFFECTS
    )


def _other_season_and_year(source: str, other: str, settings: MonitoringSettings) -> None:
    """July to September against January to June of a source, with the seasons of another year; and that year itself."""
    own, year = load_accidents(source), load_accidents(other)
    month = own.accidents["mois"].to_numpy()
    bundle, reference = _fit(_part(own, month <= 6), 0)
    summer = _pool(bundle, reference, _part(own, (month >= 7) & (month <= 9))).window
    profile = season_profile(year, _LEVEL)
    _describe(f"July to September of {source}", monitor(summer, reference, _LEVEL, settings, lambda: profile))
    bundle, reference = _fit(own, 0)
    _describe(other, monitor(_pool(bundle, reference, year).window, reference, _LEVEL, settings, lambda: profile))


def _describe(name: str, result: MonitoringResult) -> None:
    print(f"\n{name}: {result.verdict} Share of drifted columns {result.inputs.drift_share:.2f}")
    for finding in result.findings:
        print(f"  {'alarm' if finding.alarm else 'note '} {finding.change} {finding.subject}: {finding.text}")
    if outcomes := result.outcomes:
        print(f"  by inputs {outcomes.by_inputs:+.3f}, by label {outcomes.by_label.value:+.3f}, ", end="")
        print(f"ROC-AUC {outcomes.roc_auc}, ECE {outcomes.expected_calibration_error:.3f}")


def main() -> None:
    """Print the table."""
    parser = argument_parser(__doc__)
    parser.add_argument("--windows", type=int, default=200)
    parser.add_argument("--source", help="folder of real files; synthetic years without it")
    parser.add_argument("--other", help="folder of another year, to look at in place of windows of --source")
    options = parser.parse_args()
    settings = load_configuration().monitoring.model_copy(update={"accidents_at_least": 50})  # a third of 200 is gone
    if options.other:
        _other_season_and_year(options.source, options.other, settings)
        return
    size = max(_SIZES)
    windows = (
        _real_windows(options.source, options.windows, size)
        if options.source
        else _synthetic_windows(options.windows, size)
    )
    _table(windows, settings)


if __name__ == "__main__":
    main()
