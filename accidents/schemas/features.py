"""Pandera schema of the feature frame, derived from the catalogue of features."""

from functools import cache

import pandera.pandas as pa

from accidents.features.catalogue import CELLS, FEATURES, Feature
from accidents.features.specification import FeatureKind


@cache
def features_schema() -> pa.DataFrameSchema:
    """Schema of the frame of `accidents.features.build`: `Num_Acc`, every feature, the cells of the place, in order."""
    columns = {"Num_Acc": pa.Column("int64", unique=True)}
    columns |= {feature.name: _column(feature) for feature in FEATURES}
    columns |= {cell: pa.Column("int64", pa.Check.ge(-1)) for cell in CELLS}
    return pa.DataFrameSchema(columns, name="features", strict=True, ordered=True)


def _column(feature: Feature) -> pa.Column:
    checks = {
        FeatureKind.FLAG: [pa.Check.isin((0, 1))],
        FeatureKind.COUNT: [pa.Check.ge(0)],
        FeatureKind.CATEGORY: [pa.Check.isin(tuple(feature.categories))] if feature.categories else [],
    }
    return pa.Column("float32", checks.get(feature.kind, []), nullable=feature.nullable, description=feature.formula)
