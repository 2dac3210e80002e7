"""One accident has one probability: sent as a request, or among others in files."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from accidents.bundle import Bundle
from accidents.columns import Table
from accidents.configuration.ingestion import IngestionSettings
from accidents.features import feature_frame, feature_names
from accidents.inference.prediction import predict_accident
from accidents.ingestion import ingest
from accidents.models import model_types
from accidents.requests import parse_request
from tests.arrays import concatenate_arrays
from tests.editions import Cells, as_text, synthetic_cells, write
from tests.trained import small_models

CONTENT = {"vehicles": [{"catv": 33}], "people": [{"catu": 1, "an_nais": 2000}], "accident": {"an": 2024, "mois": 7}}


def bundle_of(model_type: str) -> Bundle:
    return small_models()[model_type].trained.bundle


def requests_of(cells: Cells) -> dict[int, dict[str, Any]]:
    """The rows of the four files as nested requests, text as it stands there, by accident."""
    rows = {table: frame.to_dict("records") for table, frame in cells.items()}
    roads = {row["Num_Acc"]: row for row in rows[Table.LIEUX]}
    result: dict[int, dict[str, Any]] = {}
    for row in rows[Table.CARACTERISTIQUES]:
        accident = row["Num_Acc"]
        result[int(accident)] = {
            "accident": row,
            "road": _without_id(roads[accident]),
            "vehicles": [_without_id(one) for one in rows[Table.VEHICULES] if one["Num_Acc"] == accident],
            "people": [_without_id(one) for one in rows[Table.USAGERS] if one["Num_Acc"] == accident],
        }
    return result


def _without_id(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in {"Num_Acc", "grav"}}


@pytest.fixture(scope="module")
def cells() -> Cells:
    some = synthetic_cells(60, seed=11)
    some[Table.LIEUX] = some[Table.LIEUX].drop_duplicates("Num_Acc")
    return some


@pytest.fixture(scope="module")
def features(cells: Cells, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    edition = write(tmp_path_factory.mktemp("year"), {table: as_text(frame) for table, frame in cells.items()}, 2024)
    return feature_frame(ingest([edition], IngestionSettings(), labelled=False).accidents)


@pytest.mark.parametrize("model_type", model_types())
def test_a_request_has_the_probability_of_the_files_to_the_last_bit(
    model_type: str, cells: Cells, features: pd.DataFrame
) -> None:
    bundle = bundle_of(model_type)
    requests = {number: parse_request(content) for number, content in requests_of(cells).items()}
    of_files = dict(zip(features["Num_Acc"], bundle.predict(features), strict=True))
    alone = {number: predict_accident(bundle, request, reasons=0).probability for number, request in requests.items()}
    assert alone == of_files
    among_others = bundle.predict_proba(
        bundle.matrix(concatenate_arrays([request.arrays for request in requests.values()]))
    )
    np.testing.assert_array_equal(among_others, list(alone.values()))


@pytest.mark.parametrize("model_type", model_types())
def test_an_answer_has_prediction_reasons_and_threshold(model_type: str) -> None:
    bundle, request = bundle_of(model_type), parse_request(CONTENT | {"road": {}})
    result = predict_accident(bundle, request, reasons=3)
    assert result.prediction == (result.probability >= bundle.threshold)
    assert result.interpretation == {1: "Priority", 0: "Non-Priority"}[result.prediction]
    assert result.threshold == bundle.threshold
    assert result.unit == bundle.model.SHAP_UNIT
    assert len(result.reasons) == 3
    sizes = [abs(reason.contribution) for reason in result.reasons]
    assert sizes == sorted(sizes, reverse=True)
    assert "accident.lum" in result.missing
    assert result.warnings == ()
    assert predict_accident(bundle, request, reasons=0).reasons == ()


@pytest.mark.parametrize("model_type", model_types())
def test_base_value_and_all_reasons_add_up_to_the_output_in_its_unit(model_type: str) -> None:
    bundle, request = bundle_of(model_type), parse_request(CONTENT)
    result = predict_accident(bundle, request, reasons=10_000)
    row = bundle.matrix(request.arrays)
    base_value = bundle.model.shap_values(row)[0, -1]
    total = base_value + sum(reason.contribution for reason in result.reasons)
    margin = float(bundle.predict_margin(row)[0])
    assert total == pytest.approx(1 / (1 + np.exp(-margin)) if result.unit == "probability" else margin, abs=1e-4)


def test_a_threshold_that_is_reached_is_priority() -> None:
    bundle = bundle_of("logistic_regression")
    probability = predict_accident(bundle, parse_request(CONTENT), reasons=0).probability
    at, above = (replace_threshold(bundle, value) for value in (probability, np.nextafter(probability, 1)))
    assert predict_accident(at, parse_request(CONTENT), reasons=0).interpretation == "Priority"
    assert predict_accident(above, parse_request(CONTENT), reasons=0).interpretation == "Non-Priority"


def replace_threshold(bundle: Bundle, threshold: float) -> Bundle:
    return Bundle(**vars(bundle) | {"threshold": threshold})


def test_a_model_without_place_sees_no_place() -> None:
    bundle = bundle_of("lightgbm")
    columns = tuple(feature_names(bundle.level, geography=False))
    blind = Bundle(**vars(bundle) | {"geography": False, "encoder": None, "columns": columns})
    arrays = parse_request(CONTENT).arrays
    np.testing.assert_array_equal(blind.matrix(arrays)[0], bundle.matrix(arrays)[0, : len(columns)])
