"""Effects on a window, fixed beforehand, and which changes count as finding them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from accidents.bundle.reference import MISSING_BIN, Reference
from accidents.columns import MISSING, UNKNOWN
from accidents.features.array_columns import ARRAY_COLUMNS, COLUMN_POSITIONS, PUBLISHED_COLUMNS, Entity
from accidents.monitoring.columns import departments, monitored_columns
from accidents.monitoring.drift import Change
from accidents.monitoring.monitor import MonitoringResult, Window

LEVEL = "call"
_DEPARTMENTS, _FACTOR = 10, 1.5
_CATV = COLUMN_POSITIONS[Entity.VEHICLES]["catv"]

Effect = Callable[[Window, Reference, np.random.Generator], Window]


def changes(result: MonitoringResult) -> set[Change]:
    """What a result finds: alarms, and the volume, which raises none."""
    return {finding.change for finding in result.findings if finding.alarm or finding.change is Change.VOLUME}


def _new_vehicle(window: Window, reference: Reference, rng: np.random.Generator) -> Window:
    met = reference.counts[reference.columns.index("vehicles.catv")].sum(axis=(0, 1))[:MISSING_BIN]
    code = min(sorted(ARRAY_COLUMNS[Entity.VEHICLES]["catv"].categories), key=lambda code: met[code])
    vehicles = window.arrays.vehicles.copy()
    vehicles[rng.random(len(vehicles)) < 0.03, _CATV] = code
    return replace(window, arrays=replace(window.arrays, vehicles=vehicles))


def _columns() -> list[tuple[Entity, str]]:
    names = {column.name for column in monitored_columns(LEVEL)}
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
    return take(window, np.flatnonzero(rng.random(len(window.days)) >= 1 / 3))


def _fewer_departments(window: Window, _: Reference, rng: np.random.Generator) -> Window:
    own = departments(window.arrays)
    gone, counts = np.unique(own, return_counts=True)
    order = rng.permutation(len(gone))
    silent = gone[order][np.cumsum(counts[order]) <= len(own) / 3]
    return take(window, np.flatnonzero(~np.isin(own, silent)))


def _callers(window: Window, _: Reference, rng: np.random.Generator) -> Window:
    def forget(values: np.ndarray) -> np.ndarray:
        return np.where((values >= 0) & (rng.random(values.shape) < 0.5), UNKNOWN, values).astype(values.dtype)

    arrays = window.arrays
    parts = {entity.value: forget(getattr(arrays, entity.value)) for entity in Entity}
    return replace(window, arrays=replace(arrays, **parts))


def take(window: Window, rows: np.ndarray) -> Window:
    """Some of the accidents of a window."""
    return Window(window.arrays.take(rows), window.probability[rows], window.labels[rows], window.days[rows])


_INPUTS = {Change.DISTRIBUTION, Change.NEW_CODES, Change.MISSING, Change.UNKNOWN}
_LABELS = {Change.CALIBRATION, Change.DEPARTMENTS}
EFFECTS: dict[str, tuple[Effect, set[Change]]] = {
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
