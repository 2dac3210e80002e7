"""Pandera schemas of clean accidents, their vehicles and their people, derived from the column specification."""

from collections.abc import Mapping
from functools import cache

import pandas as pd
import pandera.pandas as pa

from accidents.columns import MISSING, TABLES, Table
from accidents.schemas.raw import column_schema, table_schema
from accidents.tables import LABEL, Accidents

_KEY = "Num_Acc"
_SORTED = pa.Check(lambda frame: frame[_KEY].is_monotonic_increasing, name=f"sorted by {_KEY}")


@cache
def accidents_schema() -> pa.DataFrameSchema:
    """Schema of `Accidents.accidents`: one row an accident, its circumstances, its road and its label."""
    road = {name: column for name, column in TABLES[Table.LIEUX].items() if name != _KEY}
    columns = {name: column_schema(column) for name, column in [*TABLES[Table.CARACTERISTIQUES].items(), *road.items()]}
    label = pa.Column("int8", pa.Check.isin((1, 0, MISSING)), description="1 priority, 0 not, -1 not known")
    return _schema("accidents", {**columns, LABEL: label}, unique=[_KEY])


@cache
def vehicles_schema() -> pa.DataFrameSchema:
    """Schema of `Accidents.vehicles`; an id stands for one vehicle of an accident, and may recur in another year."""
    return _schema("vehicles", table_schema(Table.VEHICULES).columns, unique=[_KEY, "id_vehicule"])


@cache
def people_schema() -> pa.DataFrameSchema:
    """Schema of `Accidents.people`."""
    return _schema("people", table_schema(Table.USAGERS).columns)


def _schema(name: str, columns: Mapping[str, pa.Column], unique: list[str] | None = None) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(dict(columns), _SORTED, name=name, strict=True, ordered=True, unique=unique)


def validate_accidents(accidents: Accidents) -> Accidents:
    """Check all three frames at once, and that vehicles and people belong to accidents.

    Raises:
        pandera.errors.SchemaErrors: everything that is wrong with a frame.
        ValueError: a vehicle or person belongs to no accident.
    """
    keys = accidents.accidents[_KEY]
    for schema, frame in (
        (accidents_schema(), accidents.accidents),
        (vehicles_schema(), accidents.vehicles),
        (people_schema(), accidents.people),
    ):
        schema.validate(frame, lazy=True)
        _refuse_strangers(frame[_KEY], keys, str(schema.name))
    return accidents


def _refuse_strangers(of: pd.Series, accidents: pd.Series, name: str) -> None:
    strangers = of[~of.isin(accidents)]
    if len(strangers):
        raise ValueError(f"{name}: {len(strangers)} rows belong to no accident, the first to {strangers.iloc[0]}")
