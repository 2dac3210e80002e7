"""Which columns of a model speak of the same fact, and what a column says in words.

A fact such as the hour enters a model as several columns, each with a share of its effect. A topic is the set of
columns whose shares belong together; it follows from what a feature is made of, not from a list of features.
"""

from functools import cache

from accidents.features.array_columns import FIELDS, Over
from accidents.features.catalogue import CATALOGUE
from accidents.features.place_columns import PlaceEncoding
from accidents.features.specification import (
    Aggregate,
    Cross,
    Feature,
    FeatureKind,
    Lookup,
    Measure,
    Ratio,
)

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


@cache
def topic(column: str) -> str:
    """The topic of a model column; a column that the catalogue does not have is a topic of its own."""
    feature = CATALOGUE.get(column)
    return column if feature is None else _topic(feature)


def _topic(feature: Feature) -> str:
    match feature:
        case PlaceEncoding():
            return PLACE
        case Lookup(of=first) | Cross(first=first) | Ratio(first=first):
            return _topic(first)
        case Aggregate(over=Over.ACCIDENT):
            return feature.phrase
        case Aggregate(columns=columns):
            return next((name for column, name in _TOPIC_OF_COLUMN.items() if column in columns), _PARTIES)
    return feature.phrase


@cache
def spokesman(column: str) -> str:
    """The column whose value says in words what `column` tells a model: the hour for its sine, else itself."""
    feature = CATALOGUE.get(column)
    return feature.of.name if isinstance(feature, Lookup) and feature.kind is FeatureKind.NUMBER else column


def say(column: str, value: float) -> str:
    """What a model column says of an accident, such as `light: daylight`."""
    feature = CATALOGUE.get(column)
    if feature is None:
        return f"{column} = {value:g}"
    if feature.kind is FeatureKind.COUNT and value == 0:
        return f"no {feature.phrase}"
    if isinstance(feature, Measure) and feature.value is not None and float(value).is_integer():
        words = FIELDS[feature.over][feature.value].words
        return f"{feature.phrase}: {words.get(int(value), f'{value:g}')}"
    return feature.say(value)


def describe(column: str) -> str:
    """Name of a model column for users."""
    feature = CATALOGUE.get(column)
    return column if feature is None else feature.phrase
