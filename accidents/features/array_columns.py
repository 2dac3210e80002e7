"""Columns of the arrays that features are computed from: columns of the cleaned tables, then derived ones.

All are int16; -1 where a file does not record the value, -2 where a caller does not know it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from accidents.columns import TABLES, Availability, ColumnKind, Table
from accidents.features import code_groups
from accidents.features.code_groups import Party


class Entity(StrEnum):
    """Entity whose rows a feature aggregates: the accident itself, its vehicles or its people."""

    ACCIDENT = "accident"
    VEHICLES = "vehicles"
    PEOPLE = "people"


@dataclass(frozen=True)
class ArrayColumn:
    """One int16 column of an array: name, availability, formula, and meanings of its codes if it has any."""

    name: str
    availability: Availability
    formula: str
    categories: Mapping[int, str]


_PUBLISHED_BY_TABLE = {
    Entity.ACCIDENT: (
        (Table.CARACTERISTIQUES, ("jour", "mois", "an", "hrmn", "lum", "agg", "int", "atm", "col")),
        (Table.LIEUX, ("catr", "circ", "nbv", "vosp", "prof", "plan", "surf", "infra", "situ", "vma")),
    ),
    Entity.VEHICLES: ((Table.VEHICULES, ("catv", "obs", "obsm", "choc", "manv", "motor")),),
    Entity.PEOPLE: (
        (Table.USAGERS, ("place", "catu", "sexe", "an_nais", "trajet", "secu1", "secu2", "locp", "actp", "etatp")),
    ),
}

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PARTIES = {int(party): party.words for party in Party}
_BANDS = {band: code_groups.band_words(band) for band in range(len(code_groups.AGE_BANDS))}

_DERIVED = {
    Entity.ACCIDENT: (
        ArrayColumn("hour", Availability.STRICT, "full hours of hrmn", {}),
        ArrayColumn("weekday", Availability.STRICT, "day of the week of jour, mois, an", dict(enumerate(_WEEKDAYS))),
        *(
            ArrayColumn(name, Availability.STRICT, f"1, or -2 if a caller does not know {fields}", {})
            for name, fields in (("given_dep", "dep"), ("given_com", "com"), ("given_position", "lat and long"))
        ),
    ),
    Entity.VEHICLES: (ArrayColumn("kind", Availability.STRICT, "kind of party by catv", _PARTIES),),
    Entity.PEOPLE: (
        ArrayColumn(
            "vehicle",
            Availability.STRICT,
            "kind of the person's vehicle; of a pedestrian, the one that hit them",
            _PARTIES,
        ),
        ArrayColumn(
            "party", Availability.STRICT, "pedestrian if catu is 3, else the kind of the person's vehicle", _PARTIES
        ),
        ArrayColumn("frailty", Availability.STRICT, "12 - party: highest for pedestrians, lowest in rail vehicles", {}),
        ArrayColumn("age", Availability.SCENE, f"an - an_nais if 0 to {code_groups.OLDEST}", {}),
        ArrayColumn(
            "band", Availability.CALL, "age band of an - an_nais; 25 to 44 years where that is not recorded", _BANDS
        ),
    ),
}

PUBLISHED_COLUMNS: Mapping[Entity, tuple[str, ...]] = {
    entity: tuple(name for _, names in tables for name in names) for entity, tables in _PUBLISHED_BY_TABLE.items()
}
"""Names of the published columns of each array, in order."""


def _published(table: Table, name: str) -> ArrayColumn:
    column = TABLES[table][name]
    return ArrayColumn(name, column.availability, name, column.codes if column.kind is ColumnKind.CODE else {})


ARRAY_COLUMNS: Mapping[Entity, Mapping[str, ArrayColumn]] = {
    entity: {
        column.name: column
        for column in (
            *(_published(table, name) for table, names in _PUBLISHED_BY_TABLE[entity] for name in names),
            *_DERIVED[entity],
        )
    }
    for entity in Entity
}
"""All columns of each array, in order."""

COLUMN_POSITIONS: Mapping[Entity, Mapping[str, int]] = {
    entity: {name: position for position, name in enumerate(columns)} for entity, columns in ARRAY_COLUMNS.items()
}
"""Position of each column in its array."""
