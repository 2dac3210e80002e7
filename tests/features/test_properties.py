"""Properties of the features of all accidents: generated, synthetic and real."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accidents.configuration.ingestion import IngestionSettings
from accidents.features import feature_frame, feature_names
from accidents.features.arrays import to_arrays
from accidents.features.catalogue import CELLS
from accidents.features.compute import compute, place_cells
from accidents.features.place_encoder import PlaceEncoder
from accidents.ingestion import ingest
from accidents.sources.folder import folder_editions
from accidents.tables import Accidents
from tests.arrays import concatenate_arrays
from tests.editions import as_text, synthetic_cells, write
from tests.features.generated import random_accidents, select_accidents

pytestmark = pytest.mark.slow

seeds = st.integers(0, 10_000)
few = settings(deadline=None, max_examples=8)


def identical(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether two feature frames are the same bit for bit."""
    return list(one) == list(other) and all(
        np.ascontiguousarray(one[name]).tobytes() == np.ascontiguousarray(other[name]).tobytes() for name in one
    )


def shuffled_rows(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Rows in another order inside each accident, the accidents in theirs."""
    return frame.sample(frac=1, random_state=rng).sort_values("Num_Acc", kind="stable").reset_index(drop=True)


def shuffled(accidents: Accidents, seed: int) -> Accidents:
    rng = np.random.default_rng(seed)
    return replace(
        accidents,
        vehicles=shuffled_rows(accidents.vehicles, rng),
        people=shuffled_rows(accidents.people, rng),
    )


def relabelled(accidents: Accidents, seed: int) -> Accidents:
    rng = np.random.default_rng(seed)
    table, people = accidents.accidents, accidents.people
    return replace(
        accidents,
        accidents=table.assign(priority=rng.permutation(table["priority"])),
        people=people.assign(grav=rng.permutation(people["grav"])),
    )


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Accidents:
    cells = synthetic_cells(400)
    edition = write(tmp_path_factory.mktemp("year"), {table: as_text(frame) for table, frame in cells.items()})
    return ingest([edition], IngestionSettings()).accidents


@pytest.fixture(scope="module")
def real(real_baac: Path) -> Accidents:
    accidents = ingest(folder_editions(str(real_baac / "2024"), None), IngestionSettings()).accidents
    return select_accidents(accidents, np.arange(0, len(accidents.accidents), 20))


@given(seeds)
@few
def test_the_order_of_vehicles_and_people_changes_no_feature(seed: int) -> None:
    accidents = random_accidents(seed)
    assert identical(feature_frame(accidents), feature_frame(shuffled(accidents, seed)))


@given(seeds)
@few
def test_the_order_of_accidents_changes_no_feature(seed: int) -> None:
    accidents = random_accidents(seed, accidents=12)
    order = np.random.default_rng(seed).permutation(len(accidents.accidents))
    one_by_one = pd.concat(
        [feature_frame(select_accidents(accidents, np.array([row]))) for row in order], ignore_index=True
    )
    assert identical(one_by_one, feature_frame(accidents).iloc[order].reset_index(drop=True))


@given(seeds)
@few
def test_labels_change_no_feature(seed: int) -> None:
    accidents = random_accidents(seed)
    assert identical(feature_frame(accidents), feature_frame(relabelled(accidents, seed)))


@given(seeds)
@few
def test_features_do_not_depend_on_the_batch(seed: int) -> None:
    accidents = random_accidents(seed)
    some = np.flatnonzero(np.random.default_rng(seed).random(len(accidents.accidents)) < 0.5)
    if len(some):
        assert identical(
            feature_frame(select_accidents(accidents, some)), feature_frame(accidents).iloc[some].reset_index(drop=True)
        )


@given(seeds)
@few
def test_concatenated_accidents_keep_their_features(seed: int) -> None:
    batches = [to_arrays(random_accidents(seed + number, accidents=7)) for number in range(3)]
    whole = concatenate_arrays(batches)
    assert compute(whole).tobytes() == np.concatenate([compute(batch) for batch in batches]).tobytes()
    assert (place_cells(whole) == np.concatenate([place_cells(batch) for batch in batches])).all()


def test_synthetic_accidents_have_these_properties(synthetic: Accidents) -> None:
    features = feature_frame(synthetic)
    assert identical(features, feature_frame(shuffled(synthetic, 1)))
    assert identical(features, feature_frame(relabelled(synthetic, 1)))
    assert identical(
        features.iloc[7:8].reset_index(drop=True), feature_frame(select_accidents(synthetic, np.array([7])))
    )


@pytest.mark.real
def test_real_accidents_have_these_properties(real: Accidents) -> None:
    features = feature_frame(real)
    assert identical(features, feature_frame(shuffled(real, 1)))
    assert identical(features, feature_frame(relabelled(real, 1)))
    for row in range(0, len(features), 200):
        assert identical(
            features.iloc[row : row + 1].reset_index(drop=True), feature_frame(select_accidents(real, np.array([row])))
        )


def test_labels_enter_through_a_fitted_encoder_alone(synthetic: Accidents) -> None:
    features, labels = feature_frame(synthetic), synthetic.accidents["priority"]
    encoder = PlaceEncoder().fit(features[list(CELLS)], labels)
    after = feature_frame(relabelled(synthetic, 3))
    assert (encoder.transform(features) == encoder.transform(after)).all()


@given(seeds)
@few
def test_missing_values_of_people_are_no_signal(seed: int) -> None:
    accidents = random_accidents(seed)
    people = accidents.people
    year = people["Num_Acc"].map(accidents.accidents.set_index("Num_Acc")["an"])
    ordinary = people.assign(
        an_nais=people["an_nais"].mask((people["an_nais"] == -1) & (year > 0), year - 30).astype("int32"),
        sexe=people["sexe"].replace(-1, 1),
        secu1=people["secu1"].replace(-1, 8),
        secu2=people["secu2"].replace(-1, 0),
        trajet=people["trajet"].replace(-1, 9),
        locp=people["locp"].replace(-1, 9),
        actp=people["actp"].replace(-1, 11),
        etatp=people["etatp"].replace(-1, 1),
    )
    columns = [name for name in feature_names("scene", geography=False) if not name.startswith("age_")]
    assert identical(feature_frame(accidents)[columns], feature_frame(replace(accidents, people=ordinary))[columns])
