"""Every model type gives an accident one probability: in Python, files, MLflow and every endpoint."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from accidents.bundle import Bundle
from accidents.configuration.data_quality import DataQualityLimits
from accidents.configuration.inference import InferenceSettings
from accidents.configuration.ingestion import IngestionSettings
from accidents.configuration.tracking import TrackingSettings
from accidents.configuration.training import ModelSettings, TrainingSettings
from accidents.features import feature_frame
from accidents.inference.batch_scoring import score_accidents
from accidents.inference.json_scoring import FLAT_COLUMN, NESTED_COLUMN, predict_json
from accidents.inference.prediction import predict_accident
from accidents.inference.smoke_test import TOLERANCE
from accidents.ingestion import ingest
from accidents.models import model_types
from accidents.requests import parse_request
from accidents.requests.serialisation import to_requests
from accidents.sources.folder import folder_editions
from accidents.training import train
from tests.serving.in_process import EXAMPLES, NDJSON_HEADERS, ApiClient, in_process_service, synthetic_accidents
from tests.serving.service_process import save_small_model
from tests.trained import SMALL

Contents = Sequence[dict[str, Any]]
Probabilities = npt.NDArray[np.float64]
BATCH = 1000


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ApiClient]]:
    """A service of each type."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(in_process_service(folder, save_small_model(folder, name)))
            for name in model_types()
            for folder in [tmp_path_factory.mktemp(name)]
        }


@pytest.fixture(scope="module")
def contents() -> Contents:
    """Some synthetic accidents in the nested form and, with doubts and gaps, the examples in either form."""
    some = synthetic_accidents(200)
    gaps = [{"vehicles": one["vehicles"], "people": one["people"]} for one in some[:20]]
    as_text = [{**one, "accident": {name: str(value) for name, value in one["accident"].items()}} for one in some[:20]]
    return [*some, *gaps, *as_text, *EXAMPLES.values()]


def by_command_line(bundle: Bundle, contents: Contents) -> Probabilities:
    return np.array([predict_accident(bundle, parse_request(one), reasons=0).probability for one in contents])


def by_file(model: Path, contents: Contents, folder: Path) -> Probabilities:
    lines, output = folder / "accidents.jsonl", folder / "predictions.parquet"
    lines.write_text("".join(json.dumps(one) + "\n" for one in contents))
    score_accidents(
        str(lines),
        str(output),
        Bundle.load(model),
        InferenceSettings(),
        limits=DataQualityLimits(),
        progress=lambda _: None,
    )
    return pd.read_parquet(output)["probability"].to_numpy()


def as_frame(contents: Contents) -> pd.DataFrame:
    texts = [json.dumps(one) for one in contents]
    nested = ["vehicles" in one for one in contents]
    return pd.DataFrame(
        {
            NESTED_COLUMN: [text if yes else None for text, yes in zip(texts, nested, strict=True)],
            FLAT_COLUMN: [None if yes else text for text, yes in zip(texts, nested, strict=True)],
        }
    )


def by_endpoint(api: ApiClient, contents: Contents, path: str = "/v1/predict") -> Probabilities:
    return np.array([api.post(path, one).json()["probability"] for one in contents])


def by_batch(api: ApiClient, contents: Contents) -> Probabilities:
    parts = [contents[start : start + BATCH] for start in range(0, len(contents), BATCH)]
    answers = [api.post("/v1/predict/batch", {"accidents": part}).json()["results"] for part in parts]
    return np.array([one["probability"] for part in answers for one in part])


def by_lines(api: ApiClient, contents: Contents) -> Probabilities:
    body = "".join(json.dumps(one) + "\n" for one in contents).encode()
    response = api.request("POST", "/v1/predict/batch", data=body, headers=NDJSON_HEADERS)
    return np.array([json.loads(line)["probability"] for line in response.iter_lines()])


def check(api: ApiClient, contents: Contents, folder: Path) -> Probabilities:
    """Compare every path except MLflow; returns the probabilities."""
    model = Path(api.state.require_model().pointer.file)
    bundle = Bundle.load(model)
    expected = by_command_line(bundle, contents)
    assert len(set(expected.tolist())) > len(contents) / 4
    by_path = {
        "file": by_file(model, contents, folder),
        "texts": predict_json(bundle, as_frame(contents))["probability"].to_numpy(),
        "predict": by_endpoint(api, contents),
        "explain": by_endpoint(api, contents[:20], "/v1/explain"),
        "batch": by_batch(api, contents),
        "lines": by_lines(api, contents),
    }
    for path, probabilities in by_path.items():
        gap = np.abs(probabilities - expected[: len(probabilities)]).max()
        assert gap <= TOLERANCE, (bundle.model_type, path, gap)
        assert len(probabilities) == (20 if path == "explain" else len(contents)), path
    return expected


@pytest.mark.slow
@pytest.mark.parametrize("name", model_types())
def test_synthetic_accidents_have_one_probability_everywhere(
    services: dict[str, ApiClient], contents: Contents, name: str, tmp_path: Path
) -> None:
    check(services[name], contents, tmp_path)


@pytest.mark.long
def test_mlflow_pyfunc_has_the_same_probability(
    services: dict[str, ApiClient], contents: Contents, tmp_path: Path
) -> None:
    import mlflow

    from tracking.connection import connect
    from tracking.mlflow_model import log_model
    from tracking.tracking_uri import embedded_target

    settings = TrackingSettings(folder=tmp_path / "mlruns")
    example = pd.DataFrame({NESTED_COLUMN: [json.dumps(contents[0])], "label": [1], "probability": [0.5]})
    with connect(settings, embedded_target(settings)) as connection:
        for name, api in services.items():
            with mlflow.start_run(experiment_id=connection.experiment_id):
                uri, _ = log_model(Bundle.load(api.state.require_model().pointer.file), example)
            model = mlflow.pyfunc.load_model(uri)
            probabilities = model.predict(as_frame(contents))["probability"].to_numpy()
            assert np.abs(probabilities - by_endpoint(api, contents)).max() <= TOLERANCE, name


@pytest.mark.real
@pytest.mark.long
def test_ten_thousand_real_accidents_have_one_probability_everywhere(real_baac: Path, tmp_path: Path) -> None:
    """Models of the year 2024, asked about its accidents; also scored as the files that they were published in."""
    (edition,) = folder_editions(str(real_baac / "2024"), None)
    year = ingest([edition], IngestionSettings()).accidents
    features = feature_frame(year)
    every = len(year.accidents) // 10_000
    ids = year.accidents["Num_Acc"].tolist()[::every][:10_000]
    contents = to_requests(year, ids)
    assert len(contents) == 10_000
    fast = {name: ModelSettings(parameters=SMALL[name]) for name in model_types()}
    configured = TrainingSettings(threads=2, model_settings=fast)
    for name in model_types():
        folder = tmp_path / name
        folder.mkdir()
        trained = train(name, features, year.accidents, configured, level="call", fingerprint="0123456789abcdef")
        trained.bundle.save(folder / f"{name}_model.zip")
        with in_process_service(folder, folder / f"{name}_model.zip") as api:
            expected = check(api, contents, folder)
        output = folder / "edition.parquet"
        score_accidents(
            str(real_baac / "2024"),
            str(output),
            trained.bundle,
            InferenceSettings(),
            limits=DataQualityLimits(),
            progress=lambda _: None,
        )
        published = pd.read_parquet(output).set_index("Num_Acc")["probability"].loc[ids].to_numpy()
        assert np.abs(published - expected).max() <= TOLERANCE, name
