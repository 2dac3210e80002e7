"""Accidents as counts by column, season and hour, the form in which windows and references are compared."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from accidents.bundle.reference import BANDS, MONTHS, VALUES
from accidents.features.array_columns import Entity
from accidents.features.arrays import Arrays
from accidents.monitoring.columns import PROBABILITY, MonitoredColumn, column_of

Counts = npt.NDArray[np.int64]
"""Counts by column, month, band of hours and value, int64 (columns, `MONTHS`, `BANDS`, `VALUES`)."""

_BAND_MINUTES, _PROBABILITY_BINS, _CLUSTERED_ACCIDENTS = 360, 20, 5_000
_BLOCK = 50_000  # accidents that are counted at a time


@dataclass(frozen=True)
class BinnedAccidents:
    """Accidents in the form in which they are counted: `count` of a selection takes milliseconds.

    Attributes:
        columns: names, those of `monitored_columns` and, where probabilities are known, `PROBABILITY`.
        entities: of the columns.
        cells: month and band of hours of each accident as one number.
        bins: by entity the values of its columns, int16 (rows, columns of the entity).
        starts: by entity the offset of the first row of each accident, and the number of rows.
    """

    columns: tuple[str, ...]
    entities: tuple[Entity, ...]
    cells: npt.NDArray[np.int64]
    bins: Mapping[Entity, npt.NDArray[np.int16]]
    starts: Mapping[Entity, npt.NDArray[np.int64]]

    def __len__(self) -> int:
        """Number of accidents."""
        return len(self.cells)

    def count(self, accidents: npt.NDArray[np.intp] | None = None) -> Counts:
        """Counts of the accidents at some positions, which may repeat; of all where None."""
        accidents = np.arange(len(self)) if accidents is None else accidents
        blocks = (accidents[start : start + _BLOCK] for start in range(0, len(accidents), _BLOCK))
        none = np.zeros((len(self.columns), MONTHS, BANDS, VALUES), np.int64)
        return sum((self._count(block) for block in blocks), none)

    def _count(self, accidents: npt.NDArray[np.intp]) -> Counts:
        cell = MONTHS * BANDS * VALUES
        counts = np.zeros(len(self.columns) * cell, np.int64)
        for entity, bins in self.bins.items():
            rows, owner = self.rows(entity, accidents)
            own = np.flatnonzero([one is entity for one in self.entities])
            first = self.cells[accidents][owner] * VALUES
            flat = (bins[rows] + first[:, None] + own * cell).ravel()
            counts += np.bincount(flat, minlength=len(counts))
        return counts.reshape(len(self.columns), MONTHS, BANDS, VALUES)

    def rows(
        self, entity: Entity, accidents: npt.NDArray[np.intp]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Positions of the rows of some accidents, and for each of them the position in `accidents`."""
        starts = self.starts[entity]
        counts = np.diff(starts)[accidents]
        ends = np.cumsum(counts)
        owner = np.repeat(np.arange(len(accidents)), counts)
        return np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts[accidents] - (ends - counts), counts), owner


def bin_accidents(
    arrays: Arrays, columns: tuple[MonitoredColumn, ...], probability: npt.NDArray[np.float64] | None
) -> BinnedAccidents:
    """Bin accidents for counting.

    Args:
        arrays: the accidents.
        columns: those to count.
        probability: of each accident, float64 (n), NaN where it is not to be counted; None: of none.
    """
    month = column_of(arrays, Entity.ACCIDENT, "mois")
    minutes = column_of(arrays, Entity.ACCIDENT, "hrmn")
    month = np.where((month < 1) | (month > 12), MONTHS, month) - 1
    band = np.where(minutes < 0, BANDS - 1, minutes // _BAND_MINUTES)
    names = [column.name for column in columns]
    entities = [column.entity for column in columns]
    values = {
        entity: [one.bins(arrays).astype(np.int16) for one in columns if one.entity is entity] for entity in Entity
    }
    if probability is not None:
        names.append(PROBABILITY)
        entities.append(Entity.ACCIDENT)
        values[Entity.ACCIDENT].append(probability_bins(probability).astype(np.int16))
    bins = {entity: np.column_stack(own) for entity, own in values.items()}
    starts = {
        Entity.ACCIDENT: np.arange(len(month) + 1),
        Entity.VEHICLES: arrays.vehicle_starts,
        Entity.PEOPLE: arrays.person_starts,
    }
    return BinnedAccidents(tuple(names), tuple(entities), month * BANDS + band, bins, starts)


def probability_bins(probability: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Bin of each probability, the marker of unknown values where it is NaN."""
    inside = np.clip(np.nan_to_num(probability) * _PROBABILITY_BINS, 0, _PROBABILITY_BINS - 1).astype(np.int64)
    return np.where(np.isnan(probability), VALUES - 1, inside)


def design_effects(coded: BinnedAccidents) -> npt.NDArray[np.float64]:
    """How much the values of one accident resemble each other, by column, float64 (columns), at least 1.

    The mean generalised design effect of Rao and Scott (1984), from at most 5,000 accidents: by value, the variance of
    its share over accidents as clusters, divided by that of independent rows.
    """
    accidents = np.linspace(0, len(coded) - 1, min(len(coded), _CLUSTERED_ACCIDENTS)).astype(np.intp)
    effects = np.ones(len(coded.columns))
    for entity in (Entity.VEHICLES, Entity.PEOPLE):
        rows, owner = coded.rows(entity, accidents)
        sizes = np.bincount(owner, minlength=len(accidents)).astype(float)
        own = [position for position, one in enumerate(coded.entities) if one is entity]
        for column, values in zip(own, coded.bins[entity][rows].T, strict=True):
            effects[column] = _design_effect(values, owner, sizes)
    return effects


def _design_effect(
    values: npt.NDArray[np.int16], owner: npt.NDArray[np.int64], sizes: npt.NDArray[np.float64]
) -> float:
    present, codes = np.unique(values, return_inverse=True)
    if len(present) < 2:
        return 1.0
    table = np.bincount(owner * len(present) + codes, minlength=len(sizes) * len(present)).reshape(len(sizes), -1)
    shares = table.sum(axis=0) / len(values)
    clustered = ((table - sizes[:, None] * shares) ** 2).sum(axis=0) / len(values) ** 2
    independent = shares * (1 - shares) / len(values)
    return max(float(((1 - shares) * clustered / independent).sum() / (len(present) - 1)), 1.0)
