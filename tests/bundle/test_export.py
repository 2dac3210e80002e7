"""Exported models answer like the model file: the scikit-learn estimator exactly, ONNX to float32."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier
from sklearn.utils.validation import check_is_fitted

from accidents.bundle import Bundle
from accidents.bundle.export import export_model, to_onnx
from accidents.errors import ModelError
from accidents.inference.prediction import predict_accident
from accidents.models import model_types
from accidents.models.base import Model
from accidents.requests import InvalidRequestError, parse_request
from accidents.training import train
from tests.conftest import PROJECT
from tests.training.conftest import Frames, draw, quick

pytestmark = [pytest.mark.slow, pytest.mark.traced]

FLAT = json.loads((PROJECT / "examples" / "classic_flat.json").read_text())


@pytest.fixture(scope="session", params=model_types())
def bundle(request: pytest.FixtureRequest, frames: Frames) -> Bundle:
    return train(request.param, *frames, quick(), level="call").bundle


def test_the_estimator_is_a_fitted_classifier(bundle: Bundle, tmp_path: Path) -> None:
    export_model(bundle, "joblib", tmp_path / "model.joblib")
    estimator = joblib.load(tmp_path / "model.joblib")
    check_is_fitted(estimator)
    assert is_classifier(estimator)
    assert estimator.classes_.tolist() == [0, 1]
    assert {*FLAT} <= {*estimator.feature_names_in_}
    assert clone(estimator).predict_proba(pd.DataFrame([FLAT])).shape == (1, 2)


def test_the_estimator_answers_like_the_model(bundle: Bundle, tmp_path: Path) -> None:
    export_model(bundle, "joblib", tmp_path / "model.joblib")
    estimator = joblib.load(tmp_path / "model.joblib")
    gaps = {name: value for name, value in FLAT.items() if name not in ("lum", "lat", "long")}
    rows = [FLAT, FLAT | {"catv": 33, "agg_": 1}, gaps]
    expected = [predict_accident(bundle, parse_request(row), reasons=0) for row in rows]
    frame = pd.DataFrame(rows)
    probability = estimator.predict_proba(frame)
    np.testing.assert_array_equal(probability[:, 1], [one.probability for one in expected])
    np.testing.assert_allclose(probability.sum(axis=1), 1)
    assert estimator.predict(frame).tolist() == [one.prediction for one in expected]


def test_the_estimator_rejects_what_the_service_rejects(bundle: Bundle, tmp_path: Path) -> None:
    export_model(bundle, "joblib", tmp_path / "model.joblib")
    estimator = joblib.load(tmp_path / "model.joblib")
    with pytest.raises(InvalidRequestError, match="lum"):
        estimator.predict_proba(pd.DataFrame([FLAT | {"lum": 77}]))


def test_onnx_gives_the_same_probabilities(bundle: Bundle, tmp_path: Path) -> None:
    import onnxruntime

    export_model(bundle, "onnx", tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"))
    features, _ = draw(2000, seed=11)
    X = bundle.matrix(features)
    X[::7] = np.nan
    random = np.random.default_rng(0)
    X[random.random(X.shape) < 0.2] = np.nan
    (probability,) = session.run(None, {"X": X})
    np.testing.assert_allclose(probability[:, 0], bundle.predict_proba(X), atol=2e-6)
    facts = session.get_modelmeta().custom_metadata_map
    assert facts["columns"].split(",") == list(bundle.columns)
    assert float(facts["threshold"]) == bundle.threshold


def test_a_model_without_onnx_form_is_refused_by_name(bundle: Bundle) -> None:
    class Other(type(bundle.model)):  # type: ignore[misc]
        tree_ensemble = None

    other = replace(bundle, model_type="other", model=object.__new__(Other))
    if bundle.model_type != "logistic_regression":
        with pytest.raises(ModelError, match="a other model has no ONNX form; --format joblib holds every model"):
            to_onnx(other)


def test_the_estimator_loads_in_another_process(bundle: Bundle, tmp_path: Path) -> None:
    assert isinstance(bundle.model, Model)
    if bundle.model_type != "logistic_regression":
        pytest.skip("one type is enough")
    export_model(bundle, "joblib", tmp_path / "model.joblib")
    code = f"""
import joblib, json, pandas as pd
print(joblib.load({str(tmp_path / "model.joblib")!r}).predict_proba(pd.DataFrame([{FLAT!r}]))[0, 1])
"""
    printed = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True).stdout
    assert float(printed) == predict_accident(bundle, parse_request(FLAT), reasons=0).probability
