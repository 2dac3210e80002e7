"""Pandera schemas of the typed tables, derived from the column specification.

They check what reading promises at the border to whoever uses a table: columns, order, dtypes, codes, ranges, patterns.
"""

from functools import cache

import numpy as np
import pandas as pd
import pandera.pandas as pa

from accidents.columns import MISSING, TABLES, Column, ColumnKind, Table


@cache
def table_schema(table: Table) -> pa.DataFrameSchema:
    """Schema of a typed table: strict, ordered, one check a column that works on the whole column at once."""
    return pa.DataFrameSchema(
        {name: column_schema(column) for name, column in TABLES[table].items()},
        name=table.value,
        strict=True,
        ordered=True,
    )


def column_schema(column: Column) -> pa.Column:
    """Schema of one column: its dtype, and its values or that they are missing."""
    check = pa.Check(
        lambda values: _allowed(values, column), name=f"allowed: {column.describe_allowed_values()}", ignore_na=False
    )
    dtype = pd.StringDtype(na_value=np.nan) if column.kind is ColumnKind.TEXT else column.kind.dtype
    nullable = column.kind in {ColumnKind.TEXT, ColumnKind.NUMBER}
    return pa.Column(dtype, check, nullable=nullable, description=column.meaning)


def _allowed(values: pd.Series, column: Column) -> pd.Series:
    """Bool, one element a row: the value obeys the specification, or is missing where it may be."""
    if column.kind is ColumnKind.TEXT:
        return values.isna() | values.str.fullmatch(column.pattern or "(?s).+").fillna(value=False).astype(bool)
    if column.codes:
        good = values.isin(list(column.codes))
    else:
        low = -np.inf if column.minimum is None else column.minimum
        high = np.inf if column.maximum is None else column.maximum
        good = values.between(low, high)
    if not column.nullable:
        return good
    return good | (values.isna() if column.kind is ColumnKind.NUMBER else values == MISSING)
