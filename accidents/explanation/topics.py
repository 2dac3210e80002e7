"""Which columns of a model speak of the same fact, and what a column says in words.

A fact such as the hour enters a model as several columns, each with a share of its effect. A topic is the set of
columns whose shares belong together; it follows from what a feature is made of, not from a list of features.
"""

from collections.abc import Mapping
from functools import cache

from accidents.features.catalogue import ENCODED, FEATURES
from accidents.features.layout import Over
from accidents.features.specification import Aggregate, Cross, Feature, Lookup, Ratio

PLACE = "place"

_TOPIC_OF_COLUMN = {
    "age": "age",
    "band": "age",
    "secu1": "safety equipment",
    "secu2": "safety equipment",
    "secu3": "safety equipment",
    "trajet": "trip",
    "locp": "pedestrian's place and action",
    "actp": "pedestrian's place and action",
    "etatp": "pedestrian's place and action",
    "sexe": "sex",
    "place": "seat",
    "manv": "manoeuvre",
    "choc": "impact",
    "obs": "obstacle",
    "obsm": "obstacle",
    "motor": "engine",
    "occutc": "occupants",
}
"""Topic of a feature of vehicles or people by the first of these columns that it uses."""

_PARTIES = "who was involved"
_AROUND = {"department": "department", "commune": "commune", "road": "road", "area": "15 km", "spot": "2 km"}
_FEATURES: Mapping[str, Feature] = {feature.name: feature for feature in FEATURES}


@cache
def topic(column: str) -> str:
    """The topic of a model column; a column that the catalogue does not have is a topic of its own."""
    if column in ENCODED:
        return PLACE
    feature = _FEATURES.get(column)
    return column if feature is None else _topic(feature)


def _topic(feature: Feature) -> str:
    match feature:
        case Lookup(of=first) | Cross(first=first) | Ratio(first=first):
            return _topic(first)
        case Aggregate(over=Over.ACCIDENT):
            return feature.phrase
        case Aggregate(columns=columns):
            return next((name for column, name in _TOPIC_OF_COLUMN.items() if column in columns), _PARTIES)
    return feature.name


def say(column: str, value: float) -> str:
    """What a model column says of an accident, such as `light: daylight`."""
    if column in ENCODED:
        around = _AROUND[column.removeprefix("te_")]
        return f"place: {value:.0%} of the accidents recorded in the same {around} were priority"
    feature = _FEATURES.get(column)
    return f"{column} = {value:g}" if feature is None else feature.say(value)


def describe(column: str) -> str:
    """Name of a model column for users."""
    if column in ENCODED:
        return f"place: share of priority in the same {_AROUND[column.removeprefix('te_')]}"
    feature = _FEATURES.get(column)
    return column if feature is None else feature.phrase
