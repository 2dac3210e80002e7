"""Training of each model type: metrics, predictions, and what they depend on."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score

import accidents.models
from accidents.bundle import Bundle
from accidents.errors import ModelError
from accidents.models import display_name, model_types
from accidents.training import TrainingResult, train
from tests.training.conftest import Frames, draw, quick
from tracking.names import registered_name

pytestmark = pytest.mark.slow

NEW_TYPE = '''
"""The share of priority, whatever the accident."""

import numpy as np

from accidents.settings import Settings
from accidents.models._npz import pack_arrays, unpack_arrays
from accidents.models.base import Model, log_odds


class Classifier(Model[Settings]):
    PARAMETERS = Settings

    def __init__(self, share, columns):
        self.share, self.n_features_in_ = share, columns

    n_features_in_ = 0

    @classmethod
    def fit(cls, training, validation, *, parameters, categorical_features=(), seed, threads, progress=None):
        return cls(training.y.mean(), training.X.shape[1])

    def predict_margin(self, X, threads=1):
        return np.full(len(X), log_odds(self.share))

    def shap_values(self, X):
        return np.hstack([np.zeros(X.shape), self.predict_margin(X)[:, None]])

    def to_sections(self):
        return {"share.npz": pack_arrays(share=self.share, columns=self.n_features_in_)}

    @classmethod
    def from_sections(cls, sections):
        arrays = unpack_arrays(sections["share.npz"])
        return cls(float(arrays["share"]), int(arrays["columns"]))
'''


def trained(name: str, frames: Frames, level: str = "call", geography: bool = True, **changes: Any) -> TrainingResult:
    return train(name, *frames, quick(**changes), level=level, geography=geography)


@pytest.mark.parametrize("name", model_types())
def test_every_type_learns_and_records_its_metrics(name: str, frames: Frames) -> None:
    result = trained(name, frames)
    test = result.predictions[result.predictions["subset"] == "test"]
    assert result.bundle.metrics["test"]["roc_auc"] == pytest.approx(roc_auc_score(test["label"], test["probability"]))
    assert result.bundle.metrics["test"]["roc_auc"] > 0.7
    decided = test["probability"] >= result.bundle.threshold
    assert result.bundle.metrics["test"]["f1"] == pytest.approx(f1_score(test["label"], decided))
    assert result.bundle.metrics["validation"].keys() == result.bundle.metrics["test"].keys()
    assert result.bundle.metrics["test"]["ece"] < 0.1


def test_predictions_are_of_accidents_the_model_has_not_learned_from(frames: Frames) -> None:
    features, accidents = frames
    result = trained("logistic_regression", frames)
    assert result.predictions["Num_Acc"].is_unique
    assert result.predictions.index.tolist() == list(range(len(result.predictions)))
    assert list(result.bundle.metrics) == ["validation", "test"]
    rows = result.bundle.rows
    assert sum(rows.values()) == len(features)
    assert result.predictions["subset"].value_counts().to_dict() == {
        subset: rows[subset] for subset in ("validation", "test")
    }
    labels = accidents.set_index("Num_Acc")["priority"]
    np.testing.assert_array_equal(result.predictions["label"], labels[result.predictions["Num_Acc"]])
    test = result.predictions[result.predictions["subset"] == "test"]
    of_test = features[features["Num_Acc"].isin(test["Num_Acc"])]
    np.testing.assert_array_equal(result.bundle.predict(of_test), test["probability"])


def test_the_labels_of_the_test_set_teach_nothing(frames: Frames) -> None:
    features, accidents = frames
    result = trained("lightgbm", frames)
    test = accidents["Num_Acc"].isin(result.predictions.loc[result.predictions["subset"] == "test", "Num_Acc"])
    turned = accidents.assign(priority=accidents["priority"].where(~test, 1 - accidents["priority"]))
    again = trained("lightgbm", (features, turned))
    np.testing.assert_array_equal(again.bundle.predict(features), result.bundle.predict(features))
    assert again.bundle.threshold == result.bundle.threshold


def test_accidents_without_a_label_are_counted_and_change_nothing(frames: Frames) -> None:
    features, accidents = frames
    has_label = np.arange(len(features)) % 20 != 0
    partly = accidents.assign(priority=accidents["priority"].where(has_label, -1).astype(np.int8))
    result = trained("logistic_regression", (features, partly))
    without = trained("logistic_regression", (features[has_label], accidents[has_label]))
    assert result.bundle.rows["unknown"] == (~has_label).sum()
    np.testing.assert_array_equal(result.bundle.predict(features), without.bundle.predict(features))


@pytest.mark.parametrize("name", model_types())
def test_the_same_seed_gives_the_same_metrics(name: str, frames: Frames) -> None:
    first, second = (trained(name, frames, seed=3) for _ in range(2))
    assert first.bundle.metrics == second.bundle.metrics
    assert first.bundle.threshold == second.bundle.threshold


def test_the_level_and_geography_choose_the_columns(frames: Frames) -> None:
    with_places = trained("logistic_regression", frames, level="strict").bundle
    without = trained("logistic_regression", frames, level="strict", geography=False).bundle
    assert without.encoder is None
    assert (with_places.geography, without.geography) == (True, False)
    assert {*with_places.columns} > {*without.columns}
    assert with_places.metrics["test"]["roc_auc"] > without.metrics["test"]["roc_auc"]


def test_refitting_learns_from_the_validation_set_too(frames: Frames) -> None:
    once, twice = (trained("logistic_regression", frames, refit=refit) for refit in (False, True))
    assert once.bundle.threshold == twice.bundle.threshold
    assert once.bundle.metrics["validation"] == twice.bundle.metrics["validation"]
    assert once.bundle.metrics["test"] != twice.bundle.metrics["test"]
    validation = once.predictions[once.predictions["subset"] == "validation"]
    features = frames[0][frames[0]["Num_Acc"].isin(validation["Num_Acc"])]
    np.testing.assert_array_equal(once.bundle.predict(features), validation["probability"])


@pytest.mark.parametrize("resampling", ["class_weight", "undersample"])
def test_calibration_mends_what_resampling_shifts(resampling: str, frames: Frames) -> None:
    calibrated = trained("logistic_regression", frames, resampling=resampling)
    raw = trained("logistic_regression", frames, resampling=resampling, calibrate=False)
    assert calibrated.bundle.metrics["test"]["ece"] < raw.bundle.metrics["test"]["ece"]
    assert calibrated.bundle.metrics["test"]["roc_auc"] == pytest.approx(raw.bundle.metrics["test"]["roc_auc"])


def test_a_required_recall_moves_the_threshold(frames: Frames) -> None:
    result = trained("logistic_regression", frames, threshold={"recall_at_least": 0.95})
    assert result.bundle.metrics["validation"]["recall"] >= 0.95
    assert result.bundle.rule == "recall at least 0.95"


def test_too_few_accidents_are_refused() -> None:
    with pytest.raises(ModelError, match=r"validation set has .* it needs 20 of each class"):
        trained("logistic_regression", draw(200))


def test_progress_is_reported(frames: Frames) -> None:
    messages: list[str] = []
    train("logistic_regression", *frames, quick(cross_validate=True), level="call", progress=messages.append)
    assert len(messages) >= 3
    assert "training" in messages[0]


def test_a_new_model_type_is_one_new_file(frames: Frames, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is listed, trained, stored, loaded and compared by its file name; no list of types has to be changed."""
    (tmp_path / "constant.py").write_text(NEW_TYPE)
    monkeypatch.setattr(accidents.models, "__path__", [*accidents.models.__path__, str(tmp_path)])
    assert "constant" in model_types()
    result = train("constant", *frames, quick(models=("constant",)), level="call")
    assert result.bundle.metrics["test"]["roc_auc"] == 0.5
    loaded = Bundle.from_bytes(result.bundle.to_bytes())
    assert (loaded.predict(frames[0]) == result.bundle.predict(frames[0])).all()
    assert display_name("constant") == "Constant"
    assert registered_name("constant") == "Accident_Prediction_Constant"
