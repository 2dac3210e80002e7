"""Pandera schemas of clean accidents, their vehicles and their people, derived from the column specification."""

from collections.abc import Mapping
from functools import cache

import pandas as pd
import pandera.pandas as pa

from accidents.columns import ACCIDENT_ID, MISSING, TABLES, Table
from accidents.schemas.raw import column_schema, table_schema
from accidents.tables import LABEL, Accidents

_SORTED = pa.Check(lambda frame: frame[ACCIDENT_ID].is_monotonic_increasing, name=f"sorted by {ACCIDENT_ID}")


@cache
def accidents_schema() -> pa.DataFrameSchema:
    """Schema of `Accidents.accidents`: one row an accident, its circumstances, its road and its label."""
    road = {name: column for name, column in TABLES[Table.LIEUX].items() if name != ACCIDENT_ID}
    columns = {name: column_schema(column) for name, column in [*TABLES[Table.CARACTERISTIQUES].items(), *road.items()]}
    label = pa.Column("int8", pa.Check.isin((1, 0, MISSING)), description="1 priority, 0 not, -1 missing")
    return _schema("accidents", {**columns, LABEL: label}, unique=[ACCIDENT_ID])


@cache
def vehicles_schema() -> pa.DataFrameSchema:
    """Schema of `Accidents.vehicles`; ids are unique inside an accident, and may recur in another year."""
    return _schema("vehicles", table_schema(Table.VEHICULES).columns, unique=[ACCIDENT_ID, "id_vehicule"])


@cache
def people_schema() -> pa.DataFrameSchema:
    """Schema of `Accidents.people`."""
    return _schema("people", table_schema(Table.USAGERS).columns)


def _schema(name: str, columns: Mapping[str, pa.Column], unique: list[str] | None = None) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(dict(columns), _SORTED, name=name, strict=True, ordered=True, unique=unique)


def validate_accidents(accidents: Accidents) -> Accidents:
    """Validate all three frames, and the references of vehicles and people to accidents.

    Returns:
        The accidents, unchanged.

    Raises:
        pandera.errors.SchemaErrors: a frame breaks its schema; lists all failure cases.
        ValueError: a vehicle or person belongs to no accident.
    """
    ids = accidents.accidents[ACCIDENT_ID]
    for schema, frame in (
        (accidents_schema(), accidents.accidents),
        (vehicles_schema(), accidents.vehicles),
        (people_schema(), accidents.people),
    ):
        schema.validate(frame, lazy=True, inplace=True)
        _check_references(frame[ACCIDENT_ID], ids, str(schema.name))
    return accidents


def _check_references(references: pd.Series, ids: pd.Series, name: str) -> None:
    orphans = references[~references.isin(ids)]
    if len(orphans):
        raise ValueError(f"{name}: {len(orphans)} rows belong to no accident, the first to {orphans.iloc[0]}")
