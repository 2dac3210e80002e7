"""Frames passed between the packages of the domain: `Tables` as published and typed, `Accidents` cleaned."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

LABEL = "priority"
"""Column of the label: 1 somebody was killed or hospitalised, 0 nobody was, -1 missing."""

INTERPRETATIONS = {1: "Priority", 0: "Non-Priority"}
"""Names of the predicted classes, as shown to users."""


def classify(probability: float, threshold: float) -> tuple[int, str]:
    """Predicted class, 1 where the probability reaches the threshold, and its name.

    >>> classify(0.5, threshold=0.5), classify(0.3, threshold=0.5)
    ((1, 'Priority'), (0, 'Non-Priority'))
    """
    prediction = int(probability >= threshold)
    return prediction, INTERPRETATIONS[prediction]


class Subset(StrEnum):
    """Set that the split assigns an accident to; `UNKNOWN` where its label is missing, and so it is not used."""

    TRAINING = "training"
    VALIDATION = "validation"
    TEST = "test"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Tables:
    """The four files of one or more editions, typed by the column specification.

    Every frame has a RangeIndex and all specified columns, in specified order and dtype. Missing codes, integers and
    times are -1, missing numbers NaN, missing texts the missing value of the `str` dtype.
    """

    caracteristiques: pd.DataFrame
    lieux: pd.DataFrame
    vehicules: pd.DataFrame
    usagers: pd.DataFrame


@dataclass(frozen=True)
class Accidents:
    """Cleaned accidents; dtypes and missing markers are those of `Tables`.

    Attributes:
        accidents: one row an accident, sorted by `Num_Acc`: the columns of `caracteristiques`, those of the main row of
            `lieux`, and the label.
        vehicles: the columns of `vehicules`, sorted by `Num_Acc`; every row belongs to a row of `accidents`.
        people: the columns of `usagers`, likewise.
    """

    accidents: pd.DataFrame
    vehicles: pd.DataFrame
    people: pd.DataFrame

    def partitions(self, size: int) -> "Iterator[Accidents]":
        """Consecutive accidents with their vehicles and people, at most `size` accidents at a time."""
        ids = self.accidents["Num_Acc"].to_numpy()
        starts = np.arange(0, len(ids), size)

        def parts(frame: pd.DataFrame) -> list[pd.DataFrame]:
            cuts = np.searchsorted(frame["Num_Acc"].to_numpy(), ids[starts[1:]])
            ends = zip([0, *cuts], [*cuts, len(frame)], strict=True)
            return [frame.iloc[start:end].reset_index(drop=True) for start, end in ends]

        tables = (parts(frame) for frame in (self.accidents, self.vehicles, self.people))
        return (Accidents(*part) for part in zip(*tables, strict=True))


def accident_years(ids: np.ndarray) -> np.ndarray:
    """Year of each accident, the first four of the twelve digits of its id.

    >>> accident_years(np.array([202400000017])).tolist()
    [2024]
    """
    return ids // 100_000_000
