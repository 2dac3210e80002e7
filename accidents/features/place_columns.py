"""Columns of the place encoder, with formulas and descriptions."""

import math
from dataclasses import dataclass
from enum import StrEnum

from accidents.columns import Availability
from accidents.features.specification import Feature, FeatureKind


class PlaceStatistic(StrEnum):
    """Statistic of a place that the encoder estimates."""

    SHARE = "share"
    DENSITY = "density"
    POSITION = "position"


@dataclass(frozen=True)
class PlaceColumn(Feature):
    """One column of the place encoder; `cell` is the name of the cell, or the axis of a position."""

    statistic: PlaceStatistic
    cell: str

    kind = FeatureKind.NUMBER
    availability = Availability.STRICT
    nullable = False
    """A cell without training accidents gets the values of its parent cell."""

    @classmethod
    def share(cls, cell: str) -> "PlaceColumn":
        """Target encoding: the share of priority accidents in a cell."""
        place = cell.removeprefix("cell_")
        description = f"share of priority among the accidents recorded in the same {place}"
        return cls(f"te_{place}", description, PlaceStatistic.SHARE, cell)

    @classmethod
    def density(cls, cell: str) -> "PlaceColumn":
        """Frequency of accidents in a cell."""
        place = cell.removeprefix("cell_")
        return cls(f"density_{place}", f"frequency of accidents in the same {place}", PlaceStatistic.DENSITY, cell)

    @classmethod
    def position(cls, axis: str) -> "PlaceColumn":
        """Latitude or longitude, to about 2 km."""
        return cls(axis, axis, PlaceStatistic.POSITION, axis)

    @property
    def formula(self) -> str:
        """Formula in words."""
        match self.statistic:
            case PlaceStatistic.SHARE:
                return f"share of priority accidents by {self.cell}, shrunk towards the place around it"
            case PlaceStatistic.DENSITY:
                return f"ln(1 + accidents of the same {self.cell} in 10,000)"
            case PlaceStatistic.POSITION:
                return f"{self.cell} of the centre of cell_spot; where that is missing, of the accidents around"

    def describe(self, value: float) -> str:
        """The column and its value in words."""
        if math.isnan(value):
            return f"{self.description}: not known"
        match self.statistic:
            case PlaceStatistic.SHARE:
                return f"{self.description}: {value:.0%}"
            case PlaceStatistic.DENSITY:
                return f"{self.description}: {math.expm1(value):.2g} in 10,000"
            case PlaceStatistic.POSITION:
                return f"{self.description}: {value:.2f} degrees"
