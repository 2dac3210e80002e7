"""Accidents written as requests say what the frames say."""

import json

import numpy as np
import pytest

from accidents.configuration.ingestion import IngestionSettings
from accidents.features import feature_frame
from accidents.features.catalogue import CELLS, FEATURES
from accidents.features.compute import compute, place_cells
from accidents.ingestion import ingest
from accidents.requests import parse_request
from accidents.requests.serialisation import to_requests
from accidents.tables import Accidents
from tests.arrays import concatenate_arrays
from tests.editions import as_text, synthetic_cells, write


@pytest.fixture(scope="module")
def accidents(tmp_path_factory: pytest.TempPathFactory) -> Accidents:
    cells = {table: as_text(frame) for table, frame in synthetic_cells(200).items()}
    return ingest([write(tmp_path_factory.mktemp("year"), cells)], IngestionSettings()).accidents


def test_the_features_of_a_written_accident_are_those_of_the_frames(accidents: Accidents) -> None:
    ids = accidents.accidents["Num_Acc"].tolist()[::-1]
    texts = [json.dumps(request) for request in to_requests(accidents, ids)]
    whole = concatenate_arrays([parse_request(json.loads(text)).arrays for text in texts])
    frame = feature_frame(accidents).iloc[::-1]
    assert compute(whole).tobytes() == frame[[f.name for f in FEATURES]].to_numpy(np.float32).tobytes()
    np.testing.assert_array_equal(place_cells(whole), frame[list(CELLS)].to_numpy())


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
