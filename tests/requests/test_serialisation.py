"""Accidents written as requests say what the frames say."""

import json
from pathlib import Path

import numpy as np
import pytest

from accidents.columns import Table
from accidents.configuration.ingestion import IngestionSettings
from accidents.features import feature_frame
from accidents.features.arrays import to_arrays
from accidents.features.catalogue import CELLS, FEATURES
from accidents.features.compute import compute, place_cells
from accidents.ingestion import ingest
from accidents.requests import parse_request
from accidents.requests.serialisation import to_requests
from accidents.sources.folder import folder_editions
from accidents.tables import Accidents
from tests.arrays import concatenate_arrays
from tests.editions import NEW, OLD, Cells, as_text, synthetic_cells, write

pytestmark = pytest.mark.slow


def read_year(folder: Path, cells: Cells, year: int) -> Accidents:
    texts = {table: as_text(frame, OLD if year < 2019 else NEW) for table, frame in cells.items()}
    return ingest([write(folder, texts)], IngestionSettings()).accidents


@pytest.fixture(scope="module")
def accidents(tmp_path_factory: pytest.TempPathFactory) -> Accidents:
    return read_year(tmp_path_factory.mktemp("year"), synthetic_cells(200), 2024)


@pytest.mark.parametrize("year", [2024, 2022, 2019, 2018, 2016, 2009, 2005])
def test_the_features_of_a_written_accident_are_those_of_the_frames(year: int, tmp_path: Path) -> None:
    cells = synthetic_cells(200, year)
    people = cells[Table.USAGERS]
    people.loc[people.index[:5], "an_nais"] = str(year + 3)  # born after the accident
    assert_same_features(read_year(tmp_path, cells, year))


@pytest.mark.real
@pytest.mark.parametrize("year", [2017, 2024])
def test_the_features_of_written_real_accidents(year: int, real_baac: Path) -> None:
    editions = folder_editions(str(real_baac), [year])
    accidents = ingest(editions, IngestionSettings()).accidents
    kept = {*accidents.accidents["Num_Acc"].iloc[::20]}
    frames = (accidents.accidents, accidents.vehicles, accidents.people)
    assert_same_features(Accidents(*(one[one["Num_Acc"].isin(kept)].reset_index(drop=True) for one in frames)))


def assert_same_features(accidents: Accidents) -> None:
    assert_same_values(accidents)
    ids = accidents.accidents["Num_Acc"].tolist()[::-1]
    texts = [json.dumps(request) for request in to_requests(accidents, ids)]
    whole = concatenate_arrays([parse_request(json.loads(text)).arrays for text in texts])
    frame = feature_frame(accidents).iloc[::-1]
    assert compute(whole).tobytes() == frame[[f.name for f in FEATURES]].to_numpy(np.float32).tobytes()
    np.testing.assert_array_equal(place_cells(whole), frame[list(CELLS)].to_numpy())


def assert_same_values(accidents: Accidents) -> None:
    """Every column that features use, minutes of the time included, of which features have the hour alone."""
    texts = [json.dumps(request) for request in to_requests(accidents, accidents.accidents["Num_Acc"].tolist())]
    written = concatenate_arrays([parse_request(json.loads(text)).arrays for text in texts])
    given = to_arrays(accidents)
    for name in ("accident", "vehicles", "people", "vehicle_starts", "person_starts", "coordinates", "places"):
        np.testing.assert_array_equal(getattr(written, name), getattr(given, name), name)


def test_codes_that_are_letters_are_written_as_published(accidents: Accidents) -> None:
    people = accidents.people.assign(actp=np.array([10, 11, 3], np.int16)[np.arange(len(accidents.people)) % 3])
    written = to_requests(
        Accidents(accidents.accidents, accidents.vehicles, people), accidents.accidents["Num_Acc"].tolist()
    )
    assert {person["actp"] for request in written for person in request["people"]} == {"A", "B", 3}


def test_the_outcome_is_left_out(accidents: Accidents) -> None:
    (request,) = to_requests(accidents, [accidents.accidents["Num_Acc"].iloc[0]])
    assert "grav" not in json.dumps(request)
    assert "priority" not in json.dumps(request)


def test_an_accident_that_is_not_there(accidents: Accidents) -> None:
    with pytest.raises(KeyError, match="17"):
        to_requests(accidents, [17])
