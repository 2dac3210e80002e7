"""Groups of BAAC codes for features: parties to an accident, age bands, weather, surfaces, roads, time.

The codes and their meanings are in `accidents.columns`. A code without a group counts as missing.
"""

from collections.abc import Mapping
from enum import IntEnum


class Party(IntEnum):
    """Kinds of parties to an accident, from the lightest to the heaviest; all but the first are kinds of vehicles."""

    PEDESTRIAN = 0
    BICYCLE = 1
    PERSONAL_DEVICE = 2
    MOPED = 3
    LIGHT_MOTORCYCLE = 4
    MOTORCYCLE = 5
    QUAD = 6
    CAR = 7
    VAN = 8
    SPECIAL_VEHICLE = 9
    BUS = 10
    LORRY = 11
    RAIL_VEHICLE = 12

    @property
    def words(self) -> str:
        """Name of the kind for users."""
        return self.name.lower().replace("_", " ")


PARTY_OF_CATV: Mapping[int, Party] = {
    code: party
    for party, codes in {
        Party.BICYCLE: (1, 80),
        Party.PERSONAL_DEVICE: (50, 60),
        Party.MOPED: (2, 30, 41),
        Party.LIGHT_MOTORCYCLE: (31, 32, 42),
        Party.MOTORCYCLE: (33, 34, 43),
        Party.QUAD: (3, 35, 36),
        Party.CAR: (7,),
        Party.VAN: (10,),
        Party.SPECIAL_VEHICLE: (20, 21),
        Party.BUS: (37, 38),
        Party.LORRY: (13, 14, 15, 16, 17),
        Party.RAIL_VEHICLE: (39, 40),
    }.items()
    for code in codes
}
"""Kind of party by vehicle category `catv`; unused, unknown and other categories are missing."""

CYCLES = frozenset({Party.BICYCLE, Party.PERSONAL_DEVICE})
POWERED_TWO_WHEELERS = frozenset({Party.MOPED, Party.LIGHT_MOTORCYCLE, Party.MOTORCYCLE})
HEAVY_VEHICLES = frozenset({Party.SPECIAL_VEHICLE, Party.BUS, Party.LORRY, Party.RAIL_VEHICLE})

AGE_BANDS = (0, 8, 14, 18, 25, 45, 55, 65, 75)
"""First age of each band, in years; the last band is open."""

REFERENCE_BAND = 4
"""Band of people without a year of birth (25 to 44 years), which no feature counts."""

REFERENCE_AGE = 38
"""Age, in years, for accidents without any year of birth: about the median of all people."""

OLDEST = 110
"""Greatest age in years; greater ones are errors and count as missing."""

CHILDREN = frozenset({0, 1})
YOUTHS = frozenset({2})
YOUNG_ADULTS = frozenset({3})
MIDDLE_AGED = frozenset({5, 6})
SENIORS = frozenset({7, 8})
AGED = frozenset({8})


def band_words(band: int) -> str:
    """The ages of a band in words, such as `18 to 24 years`."""
    first = AGE_BANDS[band]
    return f"{first} to {AGE_BANDS[band + 1] - 1} years" if band + 1 < len(AGE_BANDS) else f"{first} years and over"


WEATHER = {"clear": (1,), "overcast": (8,), "rain": (2, 3), "snow, fog or wind": (4, 5, 6), "dazzling sun": (7,)}
"""Groups of `atm`."""

SURFACE = {"dry": (1,), "wet": (2, 3, 4), "slippery": (5, 6, 7, 8)}
"""Groups of `surf`."""

ROAD = {"motorway": (1,), "main road": (2, 3), "street": (4, 7), "off the road network": (5, 6, 9)}
"""Groups of `catr`."""

DAYTIME = {
    "night": (0, 1, 2, 3, 4, 5),
    "morning peak": (6, 7, 8, 9),
    "midday": (10, 11, 12, 13, 14, 15),
    "evening peak": (16, 17, 18, 19),
    "evening": (20, 21, 22, 23),
}
"""Groups of the hour."""

SEASON = {"winter": (12, 1, 2), "spring": (3, 4, 5), "summer": (6, 7, 8), "autumn": (9, 10, 11)}
"""Groups of the month."""
