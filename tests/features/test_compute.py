"""The kernels compared with plain Python loops."""

import datetime as dt
from typing import Any

import numba
import numpy as np
import pandas as pd
import pytest

from accidents.columns import Availability
from accidents.features import feature_frame, kernels
from accidents.features.array_columns import ARRAY_COLUMNS, Entity
from accidents.features.arrays import to_arrays
from accidents.features.catalogue import FEATURES
from accidents.features.compute import compute
from accidents.features.jit import compiled
from accidents.features.kernel_arguments import kernel_arguments
from accidents.features.specification import Aggregate, Aggregation, Feature, FeatureKind
from tests.features.generated import random_accidents, select_accidents


def rows_of(seed: int, accidents: int) -> dict[Entity, pd.DataFrame]:
    """The arrays as frames, the derived columns filled in."""
    arrays = to_arrays(random_accidents(seed, accidents))
    compute(arrays)
    frames = {}
    for entity, codes, starts in (
        (Entity.ACCIDENT, arrays.accident, np.arange(accidents + 1)),
        (Entity.VEHICLES, arrays.vehicles, arrays.vehicle_starts),
        (Entity.PEOPLE, arrays.people, arrays.person_starts),
    ):
        frame = pd.DataFrame(codes, columns=list(ARRAY_COLUMNS[entity]))
        frames[entity] = frame.assign(accident=np.repeat(np.arange(accidents), np.diff(starts)))
    return frames


def reference_aggregate(feature: Aggregate, rows: pd.DataFrame, accidents: int) -> list[float]:
    """An aggregate, computed row by row in plain Python."""
    values = []
    for accident in range(accidents):
        mine = rows[rows["accident"] == accident].to_dict("records")
        mine = [row for row in mine if all(row[name] in codes for name, codes in feature.where.items())]
        if feature.aggregation is Aggregation.COUNT:
            values.append(float(len(mine)))
            continue
        if feature.aggregation is Aggregation.ANY:
            values.append(float(bool(mine)))
            continue
        pairs = [(row[feature.order_by] if feature.order_by else 0, row[feature.column]) for row in mine]
        pairs = [pair for pair in pairs if min(pair) >= 0]
        if not pairs:
            values.append(np.nan if feature.default is None else feature.default)
        elif feature.aggregation is Aggregation.MEAN:
            values.append(sum(value for _, value in pairs) / len(pairs))
        else:
            values.append(float((min if feature.aggregation is Aggregation.MIN else max)(pairs)[1]))
    return values


@pytest.fixture(scope="module")
def computed() -> tuple[pd.DataFrame, dict[Entity, pd.DataFrame]]:
    return feature_frame(random_accidents(5, 150)), rows_of(5, 150)


@pytest.mark.slow
@pytest.mark.parametrize("feature", [f for f in FEATURES if isinstance(f, Aggregate)], ids=lambda feature: feature.name)
def test_aggregates_equal_a_plain_loop(feature: Aggregate, computed: Any) -> None:
    features, rows = computed
    expected = np.array(reference_aggregate(feature, rows[feature.entity], len(features)), dtype=np.float32)
    np.testing.assert_array_equal(features[feature.name].to_numpy(), expected)


@pytest.mark.parametrize("aggregation", [Aggregation.MIN, Aggregation.MAX])
@pytest.mark.parametrize("order_by", list(ARRAY_COLUMNS[Entity.VEHICLES]))
def test_every_column_can_choose_the_rows(aggregation: Aggregation, order_by: str) -> None:
    feature = Aggregate("some", "some", Entity.VEHICLES, aggregation, "manv", order_by)
    arrays, out = to_arrays(random_accidents(5, 60)), np.empty((60, 1), np.float32)
    compute(arrays)
    kernels.aggregate(
        arrays.vehicles, arrays.vehicle_starts, *kernel_arguments([feature]).aggregates[Entity.VEHICLES], out
    )
    expected = reference_aggregate(feature, rows_of(5, 60)[Entity.VEHICLES], 60)
    np.testing.assert_array_equal(out[:, 0], np.float32(expected))


def test_derived_columns() -> None:
    accidents = random_accidents(6, 80)
    rows = rows_of(6, 80)
    main, people = accidents.accidents, accidents.people
    dates = main[["an", "mois", "jour"]].to_numpy().tolist()
    weekdays = [-1 if -1 in date else dt.date(*date).weekday() for date in dates]
    assert rows[Entity.ACCIDENT]["weekday"].tolist() == weekdays
    assert rows[Entity.ACCIDENT]["hour"].tolist() == (main["hrmn"] // 60).tolist()  # -1 // 60 is -1
    year = people["Num_Acc"].map(main.set_index("Num_Acc")["an"])
    age = (year - people["an_nais"]).where((year > 0) & (people["an_nais"] > 0))
    age = age.where(age.between(0, 110), -1)
    np.testing.assert_array_equal(rows[Entity.PEOPLE]["age"], age)
    catv = people["id_vehicule"].map(accidents.vehicles.set_index("id_vehicule")["catv"])
    np.testing.assert_array_equal(rows[Entity.PEOPLE]["vehicle"] == 7, catv == 7)
    party = rows[Entity.PEOPLE]["party"]
    np.testing.assert_array_equal(party == 0, people["catu"] == 3)
    np.testing.assert_array_equal(rows[Entity.PEOPLE]["frailty"], (12 - party).where(party >= 0, -1))


def test_combined_features() -> None:
    features = feature_frame(random_accidents(7, 200))
    hour, day = features["hour"], features["weekday"]
    np.testing.assert_allclose(features["hour_sin"], np.sin(2 * np.pi * hour / 24), atol=1e-6)
    np.testing.assert_array_equal(features["weekend"], (day >= 5).where(day.notna()).astype("float32"))
    np.testing.assert_array_equal(features["road_built_up"], features["catr"] * 3 + features["agg"])
    np.testing.assert_array_equal(
        features["people_per_vehicle"], (features["people"] / features["vehicles"]).astype("float32")
    )
    assert set(features["season"][features["month"].isin([12, 1, 2])]) == {0}


def test_one_accident_has_the_row_of_the_frame() -> None:
    accidents = random_accidents(8)
    features = feature_frame(accidents).drop(columns="Num_Acc").iloc[:, : len(FEATURES)]
    one = compute(to_arrays(select_accidents(accidents, np.array([3]))))[0]
    assert one.tobytes() == features.iloc[3].to_numpy(np.float32).tobytes()


def test_an_accident_of_a_thousand_people() -> None:
    accidents = random_accidents(9, 1)
    many = pd.concat([accidents.people.iloc[:1]] * 1000, ignore_index=True)
    features = feature_frame(type(accidents)(accidents.accidents, accidents.vehicles, many))
    assert features["people"].tolist() == [1000]


def test_arrays_may_be_written_to_and_share_nothing_with_the_tables() -> None:
    accidents = random_accidents(10)
    for name, array in vars(to_arrays(accidents)).items():
        assert array.flags.writeable, name
        for table in (accidents.accidents, accidents.vehicles, accidents.people):
            assert not any(
                np.shares_memory(array, column.to_numpy()) for _, column in table.select_dtypes("number").items()
            )


def test_no_accidents() -> None:
    nothing = select_accidents(random_accidents(1), np.array([], dtype=int))
    features = feature_frame(nothing)
    assert len(features) == 0
    assert features["women"].dtype == "float32"


def test_kernels_compile_where_no_cache_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    njit = numba.njit

    def refusing(*arguments: Any, cache: bool = False) -> Any:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return njit(*arguments)

    monkeypatch.setattr(numba, "njit", refusing)

    @compiled("int64[:]")
    def fill(values):  # type: ignore[no-untyped-def]
        values[:] = 7

    values = np.zeros(3, np.int64)
    fill(values)
    assert values.tolist() == [7, 7, 7]


def test_too_many_conditions_and_unknown_feature_classes_are_refused() -> None:
    many = [
        Aggregate(f"f{code}", "f", Entity.PEOPLE, Aggregation.COUNT, where={"age": frozenset({code})})
        for code in range(65)
    ]
    with pytest.raises(ValueError, match="64 are supported"):
        kernel_arguments(many)
    with pytest.raises(TypeError, match="no kernel for a Odd"):
        kernel_arguments([Odd("odd", "odd")])
    with pytest.raises(TypeError, match="abstract"):
        Feature("bare", "bare")  # type: ignore[abstract]


class Odd(Feature):
    """a feature class without a kernel."""

    kind = FeatureKind.NUMBER
    availability = Availability.STRICT
    formula = "none"
