from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from accidents.features import feature_frame, feature_matrix, feature_names
from accidents.features.catalogue import PLACE_COLUMN_NAMES
from accidents.features.place_encoder import PlaceEncoder
from accidents.schemas.features import features_schema
from tests.features.generated import random_accidents


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return feature_frame(random_accidents(11, 200))


def test_the_frame_passes_its_schema(frame: pd.DataFrame) -> None:
    features_schema().validate(frame, lazy=True)


def test_the_frame_follows_the_accidents() -> None:
    accidents = random_accidents(12)
    frame = feature_frame(accidents)
    assert frame["Num_Acc"].tolist() == accidents.accidents["Num_Acc"].tolist()
    assert not {"grav", "priority"} & {*frame}


def test_a_matrix_has_the_named_columns_of_the_frame(frame: pd.DataFrame) -> None:
    columns = feature_names("strict", geography=False)
    X = feature_matrix(frame, tuple(columns))
    assert X.dtype == np.float32
    assert X.flags.c_contiguous
    np.testing.assert_array_equal(X[:, columns.index("cars")], frame["cars"])


def test_places_are_encoded_or_given(frame: pd.DataFrame) -> None:
    labels = np.arange(len(frame)) % 2
    encoder, encoded, _ = PlaceEncoder().fit_out_of_fold(frame, labels, folds=4, seed=0)
    columns = tuple(feature_names("call"))
    X = feature_matrix(frame, columns, encoder)
    np.testing.assert_array_equal(X[:, -encoded.shape[1] :], encoder.transform(frame))
    given = feature_matrix(frame, columns, encoded=encoded)
    np.testing.assert_array_equal(given[:, -encoded.shape[1] :], encoded)


def test_the_matrix_of_a_row_does_not_depend_on_other_rows(frame: pd.DataFrame) -> None:
    encoder = PlaceEncoder().fit(frame, np.arange(len(frame)) % 2)
    columns = ("cars", *PLACE_COLUMN_NAMES[1:4])
    X = feature_matrix(frame, columns, encoder)
    np.testing.assert_array_equal(X[:, 1:], encoder.transform(frame)[:, 1:4])
    for rows in range(1, len(columns) + 1):
        np.testing.assert_array_equal(feature_matrix(frame.head(rows), columns, encoder), X[:rows])


def test_geography_without_an_encoder_is_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="need a fitted encoder"):
        feature_matrix(frame, tuple(feature_names("call")))


@pytest.mark.real
@pytest.mark.slow
def test_real_features_pass_the_schema(real_baac: Path) -> None:
    from accidents.configuration.ingestion import IngestionSettings
    from accidents.ingestion import ingest
    from accidents.sources.folder import folder_editions

    accidents = ingest(folder_editions(str(real_baac / "2024"), None), IngestionSettings()).accidents
    frame = features_schema().validate(feature_frame(accidents), lazy=True)
    assert frame["people"].sum() == len(accidents.people)
    assert frame["vehicles"].sum() == len(accidents.vehicles)


@pytest.mark.parametrize(
    ("column", "value"),
    [("cars", -1), ("cars", np.nan), ("weekend", 2), ("lum", 9), ("season", 4), ("cell_spot", -2)],
)
def test_the_schema_refuses_what_no_accident_gives(frame: pd.DataFrame, column: str, value: float) -> None:
    import pandera.errors

    broken = frame.copy()
    broken.loc[3, column] = value
    with pytest.raises(pandera.errors.SchemaErrors):
        features_schema().validate(broken, lazy=True)
