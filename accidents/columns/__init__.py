"""The one specification of every BAAC column, 2005 to 2024.

Schemas, readers, feature levels, the data dictionary and request models all follow from `TABLES`; no other place in the
project lists codes, ranges or dtypes of a published column.
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
"""Attribution that the licence asks for; shown wherever data are."""

__all__ = ["ATTRIBUTION", "LEVELS", "MISSING", "TABLES", "Availability", "Column", "ColumnKind", "Table"]
