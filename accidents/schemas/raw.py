"""Pandera schemas of the typed tables: columns, order, dtypes, codes, ranges and patterns."""

from functools import cache

import numpy as np
import pandas as pd
import pandera.pandas as pa

from accidents.columns import MISSING, TABLES, Column, ColumnKind, Table


@cache
def table_schema(table: Table) -> pa.DataFrameSchema:
    """Schema of a typed table: strict, ordered, one vectorised check a column."""
    columns = {name: column_schema(column) for name, column in TABLES[table].items()}
    return pa.DataFrameSchema(columns, name=table.value, strict=True, ordered=True)


def column_schema(column: Column) -> pa.Column:
    """Schema of one column: its dtype, and its allowed or missing values."""
    check = pa.Check(
        lambda values: _allowed(values, column), name=f"allowed: {column.describe_allowed_values()}", ignore_na=False
    )
    dtype = pd.StringDtype(na_value=np.nan) if column.kind is ColumnKind.TEXT else column.kind.dtype
    nullable = column.kind in {ColumnKind.TEXT, ColumnKind.NUMBER}
    return pa.Column(dtype, check, nullable=nullable, description=column.meaning)


def _allowed(values: pd.Series, column: Column) -> pd.Series:
    """Bool, one element a row: whether the specification allows the value."""
    if column.kind is ColumnKind.TEXT:
        return values.isna() | values.str.fullmatch(column.pattern or "(?s).+").fillna(value=False).astype(bool)
    if column.codes:
        valid = values.isin(list(column.codes))
    else:
        low = -np.inf if column.minimum is None else column.minimum
        high = np.inf if column.maximum is None else column.maximum
        valid = values.between(low, high)
    if not column.nullable:
        return valid
    return valid | (values.isna() if column.kind is ColumnKind.NUMBER else values == MISSING)
