"""The two shapes in which accidents travel between the parts of the domain.

`Tables` are the four files as published, typed; `Accidents` are the same facts cleaned, one row an accident and its
vehicles and people beside it. Nothing here reads or changes data.
"""

from dataclasses import dataclass
from enum import StrEnum

import pandas as pd

LABEL = "priority"
"""Column of the label: 1 somebody was killed or hospitalised, 0 nobody was, -1 not known."""

INTERPRETATIONS = {1: "Priority", 0: "Non-Priority"}
"""Words of a prediction, as users read them."""


class Subset(StrEnum):
    """What an accident is used for by a training; unknown is its label, and so it is used for nothing."""

    TRAINING = "training"
    VALIDATION = "validation"
    TEST = "test"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Tables:
    """The four files of one or more editions, typed by the column specification.

    Every frame has a RangeIndex and all specified columns, in specified order and dtype. Codes, integers and times that
    are not recorded are -1, numbers are NaN, texts are missing values of the `str` dtype.
    """

    caracteristiques: pd.DataFrame
    lieux: pd.DataFrame
    vehicules: pd.DataFrame
    usagers: pd.DataFrame


@dataclass(frozen=True)
class Accidents:
    """Cleaned accidents.

    `accidents` has one row an accident, sorted by `Num_Acc`: the columns of `caracteristiques`, those of the chosen
    `lieux` row, and the label. `vehicles` and `people` have the columns of `vehicules` and `usagers`, sorted by
    `Num_Acc`; every row belongs to a row of `accidents`. Dtypes and missing markers are those of `Tables`.
    """

    accidents: pd.DataFrame
    vehicles: pd.DataFrame
    people: pd.DataFrame
