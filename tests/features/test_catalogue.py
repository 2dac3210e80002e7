import re

import pytest

from accidents.columns import LEVELS, TABLES, Availability
from accidents.features import feature_names
from accidents.features.array_columns import ARRAY_COLUMNS, Entity
from accidents.features.catalogue import CATALOGUE, FEATURES, PLACE_COLUMN_NAMES
from accidents.features.specification import Aggregate, FeatureKind

NEVER = {"grav", "Num_Acc", "id_usager", "id_vehicule", "num_veh", "pr", "pr1", "adr", "larrout", "lartpc"}
FROM_CALL_ON = {"manv", "choc", "obs", "obsm", "sexe", "place", "band"}
SCENE_ALONE = {"secu1", "secu2", "trajet", "locp", "actp", "etatp", "motor", "age"}


def used(level: str) -> set[str]:
    """Columns of the aggregates that a model of `level` sees."""
    features = [CATALOGUE[name] for name in feature_names(level, geography=False)]
    return {column for feature in features if isinstance(feature, Aggregate) for column in feature.columns}


def test_names_are_distinct_and_features_explained() -> None:
    assert len({feature.name for feature in FEATURES}) == len(FEATURES)
    for feature in CATALOGUE.values():
        assert feature.description, feature.name
        assert feature.formula, feature.name
        assert re.fullmatch("[a-z_0-9]+", feature.name)


def test_levels_are_nested_and_of_the_promised_size() -> None:
    strict, call, scene = ({*feature_names(level)} for level in LEVELS)
    assert strict < call < scene
    assert 90 <= len(call) <= 130


def test_what_each_level_may_know() -> None:
    assert not used("strict") & (FROM_CALL_ON | SCENE_ALONE)
    assert used("call") >= FROM_CALL_ON
    assert not used("call") & SCENE_ALONE
    assert used("scene") >= SCENE_ALONE


def test_the_outcome_and_the_traces_of_the_form_are_no_features() -> None:
    assert not {column for fields in ARRAY_COLUMNS.values() for column in fields} & NEVER
    outcomes = {
        name
        for columns in TABLES.values()
        for name, column in columns.items()
        if column.availability is Availability.AFTER
    }
    assert outcomes == {"grav"}


def test_no_person_column_has_all_of_its_codes_counted() -> None:
    """Else the number of people less these counts would tell where nothing is recorded."""
    for column in ("sexe", "trajet", "secu1", "secu2", "locp", "actp", "etatp", "band"):
        counted = [f.where[column] for f in FEATURES if isinstance(f, Aggregate) and column in f.where]
        codes = {*ARRAY_COLUMNS[Entity.PEOPLE][column].categories}
        assert codes - {*()}.union(*counted), column


def test_a_model_without_geography_sees_no_place() -> None:
    assert not {*feature_names("scene", geography=False)} & {*PLACE_COLUMN_NAMES}
    assert feature_names("call") == (*feature_names("call", geography=False), *PLACE_COLUMN_NAMES)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("lum", 1, "light: daylight"),
        ("lum", float("nan"), "light: not known"),
        ("any_pedestrian", 1, "a pedestrian is involved: yes"),
        ("women", 2, "women: 2"),
        ("season", 0, "season: winter"),
        ("te_commune", 0.25, "share of priority among the accidents recorded in the same commune: 25%"),
    ],
)
def test_a_value_in_words(name: str, value: float, text: str) -> None:
    assert CATALOGUE[name].describe(value) == text


def test_a_slip_in_the_catalogue_shows_at_once() -> None:
    women = CATALOGUE["women"]
    assert isinstance(women, Aggregate)
    with pytest.raises(ValueError, match="no column colour"):
        Aggregate("red", "red cars", women.entity, women.aggregation, where={"colour": frozenset({1})})


def test_kinds_follow_from_the_rows() -> None:
    expected = {
        "lum": FeatureKind.CATEGORY,
        "weekend": FeatureKind.FLAG,
        "women": FeatureKind.COUNT,
        "hour": FeatureKind.NUMBER,
        "parties": FeatureKind.CATEGORY,
        "people_per_vehicle": FeatureKind.NUMBER,
    }
    assert {name: CATALOGUE[name].kind for name in expected} == expected
