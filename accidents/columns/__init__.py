"""The specification of every BAAC column, 2005 to 2024, as the single source of codes, ranges and dtypes.

It stands as data in one TOML file a table: a heading is the published name of a column, the keys below it are the
attributes of `Column`; `codes_of` takes over the code list of another column. Schemas, readers, feature levels, the
data dictionary and the validation of requests are derived from `TABLES`.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from accidents.columns.specification import (
    LEVELS,
    MISSING,
    MISSING_CODES,
    UNKNOWN,
    Availability,
    Column,
    ColumnKind,
    RetiredCode,
    Table,
)

ATTRIBUTION = (
    "ONISR, Bases de données annuelles des accidents corporels de la circulation routière, data.gouv.fr, "
    "Licence Ouverte / Open Licence 2.0"
)
"""Attribution that the licence requires wherever data are shown."""

ACCIDENT_ID = "Num_Acc"
"""Column of the accident id, in all four tables."""

__all__ = [
    "ACCIDENT_ID",
    "ATTRIBUTION",
    "LEVELS",
    "MISSING",
    "MISSING_CODES",
    "TABLES",
    "UNKNOWN",
    "Availability",
    "Column",
    "ColumnKind",
    "Table",
]


def _read_columns(table: Table) -> dict[str, Column]:
    content = tomllib.loads(Path(__file__).with_name(f"{table}.toml").read_text(encoding="utf-8"))
    return {name: _column(table, name, declared, content) for name, declared in content.items()}


def _column(table: Table, name: str, declared: Mapping[str, Any], content: Mapping[str, Any]) -> Column:
    attributes = dict(declared)
    codes = content[attributes.pop("codes_of", name)].get("codes", {})
    return Column(
        table,
        name,
        **attributes
        | {
            "kind": ColumnKind[attributes["kind"].upper()],
            "availability": Availability[attributes["availability"].upper()],
            "codes": {int(code): meaning for code, meaning in codes.items()},
            "retired": {int(code): RetiredCode(**retired) for code, retired in attributes.get("retired", {}).items()},
            "aliases": tuple(attributes.get("aliases", ())),
        },
    )


TABLES: Mapping[Table, Mapping[str, Column]] = {table: _read_columns(table) for table in Table}
