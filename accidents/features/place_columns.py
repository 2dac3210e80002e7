"""What a model column is that the encoder of places makes; how it is made stands in `encoders`."""

import math
from dataclasses import dataclass
from enum import StrEnum

from accidents.columns import Availability
from accidents.features.specification import Feature, FeatureKind


class Taught(StrEnum):
    """What training accidents teach of a place."""

    SHARE = "share"
    DENSITY = "density"
    POSITION = "position"


@dataclass(frozen=True)
class PlaceEncoding(Feature):
    """What the accidents that an encoder was fitted on teach of the place that a geography key names."""

    taught: Taught
    rule: str

    @classmethod
    def share(cls, key: str) -> "PlaceEncoding":
        """The share of priority accidents in a place."""
        place = key.removeprefix("key_")
        rule = f"share of priority accidents by {key}, shrunk towards the place around it"
        phrase = f"share of priority among the accidents recorded in the same {place}"
        return cls(f"te_{place}", phrase, Taught.SHARE, rule)

    @classmethod
    def density(cls, key: str) -> "PlaceEncoding":
        """How many accidents happen in a place."""
        place = key.removeprefix("key_")
        rule = f"ln(1 + accidents of the same {key} in 10,000)"
        return cls(f"density_{place}", f"frequency of accidents in the same {place}", Taught.DENSITY, rule)

    @classmethod
    def position(cls, name: str) -> "PlaceEncoding":
        """Latitude or longitude, to about 2 km."""
        rule = f"{name} of the middle of key_spot; where that is not recorded, of the accidents around"
        return cls(name, name, Taught.POSITION, rule)

    @property
    def kind(self) -> FeatureKind:
        """A number."""
        return FeatureKind.NUMBER

    @property
    def known(self) -> Availability:
        """At once."""
        return Availability.STRICT

    @property
    def formula(self) -> str:
        """How the value is made."""
        return self.rule

    @property
    def nullable(self) -> bool:
        """Never: an unknown place takes after the place around it."""
        return False

    def say(self, value: float) -> str:
        """The feature and its value in words."""
        match self.taught:
            case Taught.SHARE:
                return f"{self.phrase}: {value:.0%}"
            case Taught.DENSITY:
                return f"{self.phrase}: {math.expm1(value):.2g} in 10,000"
            case Taught.POSITION:
                return f"{self.phrase}: {value:.2f} degrees"
