"""The specification of every BAAC column, 2005 to 2024, as the single source of codes, ranges and dtypes.

Schemas, readers, feature levels, the data dictionary and the validation of requests are derived from `TABLES`.
"""

from collections.abc import Mapping

from accidents.columns import caracteristiques, lieux, usagers, vehicules
from accidents.columns.specification import LEVELS, MISSING, Availability, Column, ColumnKind, Table

TABLES: Mapping[Table, Mapping[str, Column]] = {
    Table.CARACTERISTIQUES: {column.name: column for column in caracteristiques.COLUMNS},
    Table.LIEUX: {column.name: column for column in lieux.COLUMNS},
    Table.VEHICULES: {column.name: column for column in vehicules.COLUMNS},
    Table.USAGERS: {column.name: column for column in usagers.COLUMNS},
}

ATTRIBUTION = (
    "ONISR, Bases de données annuelles des accidents corporels de la circulation routière, data.gouv.fr, "
    "Licence Ouverte / Open Licence 2.0"
)
"""Attribution that the licence requires wherever data are shown."""

ACCIDENT_ID = "Num_Acc"
"""Column of the accident id, in all four tables."""

__all__ = ["ACCIDENT_ID", "ATTRIBUTION", "LEVELS", "MISSING", "TABLES", "Availability", "Column", "ColumnKind", "Table"]
