"""Topics of model columns, and display text for their names and values.

One fact, such as the hour, enters a model as several columns, each with a share of the SHAP value. A topic groups the
columns of one fact; it follows from the specification of a feature, not from a list of features.
"""

from functools import cache

from accidents.features.array_columns import ARRAY_COLUMNS, Entity
from accidents.features.catalogue import CATALOGUE
from accidents.features.place_columns import PlaceColumn
from accidents.features.specification import (
    Aggregate,
    Cross,
    Feature,
    FeatureKind,
    Known,
    Lookup,
    OrdinalAggregate,
    Ratio,
)

PLACE = "place"
KNOWLEDGE = "what is known"

_TOPICS = {
    "age": {"age", "band"},
    "safety equipment": {"secu1", "secu2", "secu3"},
    "trip": {"trajet"},
    "pedestrian's place and action": {"locp", "actp", "etatp"},
    "sex": {"sexe"},
    "seat": {"place"},
    "manoeuvre": {"manv"},
    "impact": {"choc"},
    "obstacle": {"obs", "obsm"},
    "engine": {"motor"},
    "occupants": {"occutc"},
}
"""Topics of features of vehicles or people; a feature is of the first topic of which it uses a column."""

_DEFAULT_TOPIC = "parties involved"


@cache
def feature_topic(column: str) -> str:
    """Return the topic of a model column; a column that is not in the catalogue is a topic of its own."""
    feature = CATALOGUE.get(column)
    return column if feature is None else _topic(feature)


def _topic(feature: Feature) -> str:
    match feature:
        case PlaceColumn():
            return PLACE
        case Known():
            return KNOWLEDGE
        case Lookup(of=first) | Cross(first=first) | Ratio(first=first):
            return _topic(first)
        case Aggregate(entity=Entity.ACCIDENT):
            return feature.description
        case Aggregate(columns=columns):
            return next((topic for topic, own in _TOPICS.items() if own.intersection(columns)), _DEFAULT_TOPIC)
    return feature.description


@cache
def display_column(column: str) -> str:
    """Return the column to show in place of `column`: the hour for its sine, else the column itself."""
    feature = CATALOGUE.get(column)
    return feature.of.name if isinstance(feature, Lookup) and feature.kind is FeatureKind.NUMBER else column


def describe_value(column: str, value: float) -> str:
    """Return name and value of a model column for users.

    Examples:
        >>> describe_value("lum", 1.0)
        'light: daylight'
        >>> describe_value("lum", float("nan"))
        'light: not known'
    """
    feature = CATALOGUE.get(column)
    if feature is None:
        return f"{column} = {value:g}"
    if feature.kind is FeatureKind.COUNT and value == 0:
        return f"no {feature.description}"
    if isinstance(feature, OrdinalAggregate) and feature.column is not None and float(value).is_integer():
        words = ARRAY_COLUMNS[feature.entity][feature.column].categories
        return f"{feature.description}: {words.get(int(value), f'{value:g}')}"
    return feature.describe(value)


def feature_name(column: str) -> str:
    """Return the name of a model column for users.

    Examples:
        >>> feature_name("vma")
        'speed limit in km/h'
    """
    feature = CATALOGUE.get(column)
    return column if feature is None else feature.description
