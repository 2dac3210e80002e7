"""Datasets of a training, and the record of it in the bundle."""

import re
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from accidents.configuration.training import TrainingSettings
from accidents.errors import ModelError
from accidents.features import feature_frame, feature_names
from accidents.features.arrays import to_arrays
from accidents.features.catalogue import CATALOGUE, CELLS
from accidents.features.place_encoder import PlaceEncoder
from accidents.features.specification import FeatureKind
from accidents.training import train
from accidents.training.split import assign_subsets, join_labels
from accidents.training.training_data import TrainingData
from tests.features.generated import random_accidents
from tests.training.conftest import Frames, draw, quick


@pytest.fixture(scope="module")
def data(frames: Frames) -> TrainingData:
    return TrainingData(join_labels(*frames), "call", True, quick(encoder_folds=4, encoder_strength=2.5, seed=9))


def test_places_of_training_accidents_are_encoded_out_of_fold_as_configured(data: TrainingData) -> None:
    rows = np.arange(5, 900)
    encoder, dataset = data.fit_transform(rows)
    selected = data.frame.iloc[rows]
    expected, encoded, _ = PlaceEncoder(2.5).fit_out_of_fold(selected[[*CELLS]], data.labels(rows), folds=4, seed=9)
    assert encoder is not None
    np.testing.assert_array_equal(dataset.X[:, -encoded.shape[1] :], encoded)
    np.testing.assert_array_equal(dataset.y, selected["priority"])
    others = data.transform(np.arange(900, 1000), encoder)
    of_others = data.frame.iloc[900:1000]
    np.testing.assert_array_equal(others.X[:, -encoded.shape[1] :], expected.transform(of_others))
    np.testing.assert_array_equal(others.X[:, 0], of_others[feature_names("call")[0]])
    np.testing.assert_array_equal(others.y, of_others["priority"])


def test_categorical_features_are_the_columns_of_unordered_codes(data: TrainingData) -> None:
    columns = feature_names("call")
    coded = {columns[position] for position in data.categorical_features}
    assert {"lum", "catr", "season", "parties", "road_built_up"} <= coded
    assert coded == {name for name in columns if CATALOGUE[name].kind is FeatureKind.CATEGORY}


def test_the_bundle_records_the_training(frames: Frames) -> None:
    settings = quick(seed=5, resampling="undersample", threshold={"precision_at_least": 0.4})
    before = datetime.now(UTC)
    bundle = train("logistic_regression", *frames, settings, level="strict", fingerprint="abc").bundle
    assert (bundle.model_type, bundle.level, bundle.geography) == ("logistic_regression", "strict", True)
    assert bundle.columns == tuple(feature_names("strict"))
    assert (bundle.seed, bundle.resampling, bundle.fingerprint) == (5, "undersample", "abc")
    assert (bundle.tuning, bundle.trials, bundle.best_cv_score) == ("none", (), None)
    assert bundle.rule == "precision at least 0.4"
    assert bundle.months == tuple(f"2024-{month:02d}" for month in range(1, 13))
    assert bundle.split == settings.split.model_dump(mode="json")
    assert bundle.parameters.items() >= {"knots": 0, "inverse_penalty": 0.001}.items()
    subsets = assign_subsets(join_labels(*frames), settings.split, 5)
    assert bundle.rows == {
        subset: int((subsets == subset).sum()) for subset in ("training", "validation", "test", "unknown")
    }
    assert bundle.fit_seconds > 0
    assert re.fullmatch(r"[\d-]{10}T[\d:]{8}\+00:00", bundle.trained_at)
    trained_at = datetime.fromisoformat(bundle.trained_at)
    assert before - timedelta(seconds=1) <= trained_at <= datetime.now(UTC)


def test_twenty_accidents_of_each_class_are_enough() -> None:
    features, accidents = draw(1500)
    validation = np.flatnonzero(
        assign_subsets(join_labels(features, accidents), TrainingSettings().split, 0) == "validation"
    )

    def with_priority(count: int) -> Frames:
        """Of the validation set so many are priority."""
        label = accidents["priority"].to_numpy().copy()
        label[validation] = 0
        label[validation[:count]] = 1
        return features, accidents.assign(priority=label)

    assert train("logistic_regression", *with_priority(20), quick(), level="strict").bundle.threshold
    with pytest.raises(ModelError, match=rf"{len(validation)} accidents with a label, 19 of them priority"):
        train("logistic_regression", *with_priority(19), quick(), level="strict")
    many = accidents["priority"].to_numpy().copy()
    many[validation] = 1
    many[validation[:19]] = 0
    with pytest.raises(ModelError, match="needs 20 of each class"):
        train("logistic_regression", features, accidents.assign(priority=many), quick(), level="strict")


def test_masked_accidents_are_sampled_where_they_would_be_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    accidents = random_accidents(3, accidents=400)
    features = feature_frame(accidents)
    data = TrainingData(join_labels(features, accidents.accidents), "call", True, quick(encoder_folds=4))
    rows, arrays = np.arange(20, 320), to_arrays(accidents)
    _, whole, masked = data.fit_transform_masked(rows, arrays, 2)
    assert masked.X.shape == (600, len(data.matrix_columns))
    np.testing.assert_array_equal(masked.rows, np.tile(np.arange(300), 2))
    known = (masked.X[:, [data.matrix_columns.index(name) for name in data.knowledge_columns]] >= 1).all(axis=1)
    positions = [data.matrix_columns.index(name) for name in data.columns]
    np.testing.assert_array_equal(masked.X[known][:, positions], whole.X[masked.rows[known]])
    assert known.any()
    monkeypatch.setattr("accidents.training.training_data._BLOCK", 37)
    np.testing.assert_array_equal(data.fit_transform_masked(rows, arrays, 2)[2].X, masked.X)

    monkeypatch.setattr("accidents.training.training_data.MASKED_AT_MOST", 310)
    assert len(data.fit_transform_masked(rows, arrays, 2)[2].X) == 300
    monkeypatch.setattr("accidents.training.training_data.MASKED_AT_MOST", 90)
    _, again, sampled = data.fit_transform_masked(rows, arrays, 2)
    np.testing.assert_array_equal(again.X, whole.X)
    assert len({*sampled.rows}) == len(sampled.X) == 90
    known = (sampled.X[:, [data.matrix_columns.index(name) for name in data.knowledge_columns]] >= 1).all(axis=1)
    np.testing.assert_array_equal(sampled.X[known][:, positions], whole.X[sampled.rows[known]])
