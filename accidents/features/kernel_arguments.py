"""The catalogue as arrays: arguments of the functions in `kernels`.

Conditions are bits: every distinct pair of a column and a set of codes is one bit of a 64-bit word, a table has the
bits that a code of a column sets, and a row counts for an aggregate if it has all of its bits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from accidents.features import kernels
from accidents.features.array_columns import ARRAY_COLUMNS, COLUMN_POSITIONS, Entity
from accidents.features.catalogue import FEATURES
from accidents.features.specification import Aggregate, Aggregation, Cross, Feature, Known, Lookup, Ratio

_AGGREGATIONS = {aggregation: getattr(kernels, aggregation.name) for aggregation in Aggregation}

Arguments = tuple[npt.NDArray[Any], ...]


@dataclass(frozen=True)
class KernelArguments:
    """Arguments of the kernels, in the order of their parameters."""

    aggregates: dict[Entity, Arguments]
    known: dict[Entity, Arguments]
    combinations: Arguments


def kernel_arguments(features: Sequence[Feature] = FEATURES) -> KernelArguments:
    """Convert features to arrays; a feature may be computed from features before it."""
    target = {feature.name: position for position, feature in enumerate(features)}
    return KernelArguments(
        aggregates={
            entity: _aggregates(
                [f for f in features if isinstance(f, Aggregate) and f.entity is entity], entity, target
            )
            for entity in Entity
        },
        known={
            entity: _known([f for f in features if isinstance(f, Known) and f.entity is entity], entity, target)
            for entity in Entity
        },
        combinations=_combinations([f for f in features if not isinstance(f, Aggregate | Known)], target),
    )


def _aggregates(features: list[Aggregate], entity: Entity, target: dict[str, int]) -> Arguments:
    conditions = list(dict.fromkeys(condition for feature in features for condition in feature.where.items()))
    if len(conditions) > 64:
        raise ValueError(f"features of {entity} use {len(conditions)} distinct conditions; 64 are supported")
    position = COLUMN_POSITIONS[entity]
    bits = np.zeros((len(ARRAY_COLUMNS[entity]), kernels.WIDTH), dtype=np.uint64)
    for bit, (name, codes) in enumerate(conditions):
        bits[position[name], [code + 1 for code in codes]] |= np.uint64(1 << bit)
    required = [sum(1 << conditions.index(condition) for condition in feature.where.items()) for feature in features]
    return (
        bits,
        np.array(sorted({position[name] for name, _ in conditions}), dtype=np.int64),
        np.array(required, dtype=np.uint64),
        np.array([_AGGREGATIONS[feature.aggregation] for feature in features], dtype=np.int64),
        np.array([position.get(feature.column or "", -1) for feature in features], dtype=np.int64),
        np.array([position.get(feature.order_by or "", -1) for feature in features], dtype=np.int64),
        np.array([np.nan if feature.default is None else feature.default for feature in features], dtype=np.float32),
        np.array([target[feature.name] for feature in features], dtype=np.int64),
    )


def _known(features: list[Known], entity: Entity, target: dict[str, int]) -> Arguments:
    columns = np.full((len(features), max((len(f.columns) for f in features), default=0)), -1, dtype=np.int64)
    for row, feature in zip(columns, features, strict=True):
        row[: len(feature.columns)] = [COLUMN_POSITIONS[entity][name] for name in feature.columns]
    return columns, np.array([target[feature.name] for feature in features], dtype=np.int64)


def _combinations(features: list[Feature], target: dict[str, int]) -> Arguments:
    lookups = [feature for feature in features if isinstance(feature, Lookup)]
    tables = np.full((len(lookups), kernels.WIDTH), np.nan, dtype=np.float32)
    for row, lookup in zip(tables, lookups, strict=True):
        for code, value in lookup.table.items():
            row[code + 1] = value
    steps = []
    for feature in features:
        match feature:
            case Lookup(of=of):
                step = (kernels.LOOKUP, target[of.name], lookups.index(feature), 0)
            case Cross(first=first, second=second):
                step = (kernels.CROSS, target[first.name], target[second.name], feature.size)
            case Ratio(first=first, second=second):
                step = (kernels.RATIO, target[first.name], target[second.name], 0)
            case _:
                raise TypeError(f"feature {feature.name}: no kernel for a {type(feature).__name__}")
        steps.append((*step, target[feature.name]))
    return (*np.array(steps, dtype=np.int64).reshape(-1, 5).T.copy(), tables)
