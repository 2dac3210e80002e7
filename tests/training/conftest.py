"""Random accidents as frames: independent features, and a label that depends on a few of them."""

import numpy as np
import pandas as pd
import pytest

from accidents.configuration.training import TrainingSettings
from accidents.features.catalogue import CELLS, FEATURES
from accidents.features.specification import FeatureKind
from tests.hyperparameters import by_type

Frames = tuple[pd.DataFrame, pd.DataFrame]

QUICK = {
    "threads": 1,
    "encoder_folds": 3,
    "cv_folds": 3,
    "model_settings": {
        name: {"parameters": values}
        for name, values in by_type(
            rounds=40, learning_rate=0.2, patience=10, n_estimators=20, knots=0, inverse_penalty=0.001
        ).items()
    },
}
"""Settings of a fast training."""


def quick(**changes: object) -> TrainingSettings:
    """Settings of a fast training, with changes."""
    return TrainingSettings.model_validate(QUICK | changes)


def draw(n: int, seed: int = 0, year: int = 2024) -> Frames:
    """Features and accidents of `n` accidents; two numbers, a category and the department decide the label."""
    random = np.random.default_rng(seed)
    columns = {}
    for feature in FEATURES:
        if feature.kind is FeatureKind.CATEGORY:
            values = random.choice(np.array([*feature.categories], np.float32), n)
        elif feature.kind is FeatureKind.NUMBER:
            values = random.normal(size=n)
        else:
            values = random.poisson(0.7, n).clip(max=1 if feature.kind is FeatureKind.FLAG else 9)
        columns[feature.name] = np.asarray(values, np.float32)
    strict = [feature for feature in FEATURES if feature.level == "strict"]
    first, second = [feature.name for feature in strict if feature.kind is FeatureKind.COUNT][:2]
    department = random.integers(1, 10, n)
    logit = 1.5 * columns[first] - columns[second] + 0.4 * (department - 5) - 1
    for feature in FEATURES:
        if feature.nullable and feature.name not in (first, second):
            columns[feature.name][random.random(n) < 0.05] = np.nan
    keys = {key: np.where(random.random(n) < 0.02, -1, department * 100 + random.integers(0, 5, n)) for key in CELLS}
    features = pd.DataFrame({"Num_Acc": year * 10**8 + 1 + np.arange(n)} | columns | keys)
    days = pd.Timestamp(year, 1, 1) + pd.to_timedelta(np.sort(random.integers(0, 366, n)), unit="D")
    label = (random.random(n) < 1 / (1 + np.exp(-logit))).astype(np.int8)
    accidents = pd.DataFrame(
        {"Num_Acc": features["Num_Acc"], "an": days.year, "mois": days.month, "jour": days.day, "priority": label}
    )
    return features, accidents


@pytest.fixture(scope="session")
def frames() -> Frames:
    return draw(2000)
