"""A stored model answers as long as every column that it uses is defined as it was: by name and by digest."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from accidents.bundle import Bundle
from accidents.errors import ModelError
from accidents.features import catalogue, code_groups, compute, digests, kernel_arguments
from accidents.features.array_columns import Entity
from accidents.features.catalogue import CATALOGUE, FEATURES
from accidents.features.digests import column_digests
from accidents.features.specification import Aggregate, Aggregation, Lookup
from accidents.training import train
from tests.training.conftest import Frames, draw, quick

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def content(frames: Frames) -> bytes:
    return train("logistic_regression", *frames, quick(), level="call").bundle.to_bytes()


@pytest.fixture
def catalogue_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., dict[str, str]]]:
    """Digests under another catalogue, which holds until the test ends."""

    def changed(features: tuple[Any, ...]) -> dict[str, str]:
        table = {feature.name: feature for feature in (*features, *catalogue.PLACE_COLUMNS)}
        for module in (catalogue, digests, compute, kernel_arguments):
            monkeypatch.setattr(module, "FEATURES", features, raising=False)
            monkeypatch.setattr(module, "CATALOGUE", table, raising=False)
        monkeypatch.setattr(compute, "_kernel_arguments", lambda: kernel_arguments.kernel_arguments(features))
        column_digests.cache_clear()
        return dict(column_digests())

    yield changed
    column_digests.cache_clear()


def only_changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def test_every_column_has_a_digest_of_its_own() -> None:
    found = column_digests()
    assert found.keys() == CATALOGUE.keys()
    assert len({*found.values()}) == len(found)


def test_digests_are_those_that_stored_models_have() -> None:
    """Where this fails on purpose, every model in use is refused: give a new definition a new name instead."""
    import json
    from pathlib import Path

    from accidents import bundle

    stored = json.loads((Path(bundle.__file__).parent / "format3_digests.json").read_text())
    assert {name: digest for name, digest in column_digests().items() if name in stored} == stored


def test_a_new_feature_changes_no_other(content: bytes, catalogue_of: Callable[..., dict[str, str]]) -> None:
    before = dict(column_digests())
    new = Aggregate("animals", "animals hit", Entity.VEHICLES, Aggregation.COUNT, where={"obsm": frozenset({6})})
    after = catalogue_of((new, *FEATURES))
    assert only_changed(before, after) == {"animals"}
    assert Bundle.from_bytes(content).columns


def test_descriptions_and_order_do_not_count(content: bytes, catalogue_of: Callable[..., dict[str, str]]) -> None:
    before = dict(column_digests())
    independent = [feature for feature in FEATURES if isinstance(feature, Aggregate)]
    others = [feature for feature in FEATURES if not isinstance(feature, Aggregate)]
    reworded = tuple(replace(feature, description="another name for people") for feature in independent[::-1])
    assert catalogue_of((*reworded, *others)) == before
    assert Bundle.from_bytes(content).columns


def test_a_feature_that_is_gone_is_named(content: bytes, catalogue_of: Callable[..., dict[str, str]]) -> None:
    catalogue_of(tuple(feature for feature in FEATURES if feature.name != "senior_pedestrians"))
    with pytest.raises(ModelError, match=r"senior_pedestrians no longer exist\. Train the model again, or keep"):
        Bundle.from_bytes(content, "file")


def redefinitions() -> Iterator[tuple[str, Any]]:
    """Every feature with one of its parts changed."""
    for feature in FEATURES:
        match feature:
            case Aggregate(where=where) if where:
                column, codes = next(iter(where.items()))
                yield feature.name, replace(feature, where={**where, column: codes ^ {max(codes) + 1}})
            case Aggregate(aggregation=Aggregation.MIN):
                yield feature.name, replace(feature, aggregation=Aggregation.MAX)
            case Aggregate(aggregation=Aggregation.MAX | Aggregation.MEAN) if feature.entity is not Entity.ACCIDENT:
                yield feature.name, replace(feature, aggregation=Aggregation.MIN)
            case Lookup(table=table):
                yield feature.name, replace(feature, table={code: value + 0.01 for code, value in table.items()})


@pytest.mark.parametrize(("name", "other"), redefinitions(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_redefined_feature_has_another_digest(
    name: str, other: Any, catalogue_of: Callable[..., dict[str, str]]
) -> None:
    before = dict(column_digests())
    after = catalogue_of(tuple(other if feature.name == name else feature for feature in FEATURES))
    assert name in only_changed(before, after)


def test_a_redefined_feature_is_refused_by_name(content: bytes, catalogue_of: Callable[..., dict[str, str]]) -> None:
    other = dict(redefinitions())["senior_pedestrians"]
    catalogue_of(tuple(other if feature.name == "senior_pedestrians" else feature for feature in FEATURES))
    with pytest.raises(ModelError, match=r"file: columns .*: senior_pedestrians changed"):
        Bundle.from_bytes(content, "file")


@pytest.mark.parametrize(
    ("table", "position", "columns"),
    [("_PARTY", 8, {"cars", "lightest_party"}), ("_BAND", 70, {"seniors"}), ("_FRAILTY", 3, {"age_most_vulnerable"})],
)
def test_a_changed_group_of_codes_shows(
    table: str, position: int, columns: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tables behind derived columns are code, not catalogue: the values on probe accidents tell."""
    before = dict(column_digests())
    changed = getattr(compute, table).copy()
    changed[position] = 1 if changed[position] != 1 else 2
    monkeypatch.setattr(compute, table, changed)
    column_digests.cache_clear()
    try:
        assert columns <= only_changed(before, dict(column_digests()))
    finally:
        column_digests.cache_clear()


def test_changed_cells_show_in_the_columns_of_their_places(monkeypatch: pytest.MonkeyPatch) -> None:
    from accidents.features import cells

    before = dict(column_digests())
    monkeypatch.setattr(cells, "_GRIDS", cells._GRIDS * 2)
    column_digests.cache_clear()
    try:
        assert only_changed(before, dict(column_digests())) >= {"te_spot", "density_spot", "te_area"}
        assert "te_department" not in only_changed(before, dict(column_digests()))
    finally:
        column_digests.cache_clear()


def test_oldest_age_is_part_of_the_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    before = dict(column_digests())
    monkeypatch.setattr(code_groups, "OLDEST", code_groups.OLDEST - 1)
    column_digests.cache_clear()
    try:
        assert "age_max" in only_changed(before, dict(column_digests()))
    finally:
        column_digests.cache_clear()


def test_models_of_both_catalogues_answer_side_by_side(
    content: bytes, catalogue_of: Callable[..., dict[str, str]]
) -> None:
    features, _ = draw(50, seed=3)
    before = Bundle.from_bytes(content).predict(features)
    new = Aggregate("animals", "animals hit", Entity.VEHICLES, Aggregation.COUNT, where={"obsm": frozenset({6})})
    catalogue_of((*FEATURES, new))
    np.testing.assert_array_equal(Bundle.from_bytes(content).predict(features.assign(animals=0.0)), before)
