"""Models trained on a small synthetic year with different seeds and splits, and the frames they were trained on."""

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from accidents.bundle import Bundle
from accidents.configuration.evaluation import EvaluationSettings
from accidents.configuration.ingestion import IngestionSettings
from accidents.configuration.promotion import PromotionSettings
from accidents.configuration.source import SampleSettings, SourceSettings
from accidents.features import feature_frame
from accidents.ingestion import ingest
from accidents.sources.resolve import resolve_editions
from accidents.training import TrainingResult, train
from tests.training.conftest import quick

Frames = tuple[pd.DataFrame, pd.DataFrame]
Train = Callable[..., TrainingResult]

SETTINGS = EvaluationSettings(resamples=40, group_resamples=10)
RULE = PromotionSettings.model_validate({"accidents_at_least": 50, "guards": {"department_accidents_at_least": 10}})


def year(number: int, size: int = 2000) -> Frames:
    """Features and accidents of a synthetic year."""
    with tempfile.TemporaryDirectory() as folder:
        source = SourceSettings(data_folder=Path(folder), sample=SampleSettings(accidents=size, year=number))
        accidents = ingest(resolve_editions(source), IngestionSettings(source=source)).accidents
    return feature_frame(accidents), accidents.accidents


@pytest.fixture(scope="session")
def sample() -> Frames:
    return year(2024)


@pytest.fixture(scope="session")
def trained(sample: Frames) -> Train:
    """Train a model on the sample: type and seed, and a split as JSON-like pairs. Once for the same arguments."""

    @cache
    def once(model_type: str = "lightgbm", seed: int = 0, **split: object) -> TrainingResult:
        settings = quick(seed=seed, split=split)
        return train(model_type, *sample, settings, level="call", fingerprint="0123456789abcdef")

    return once


def bundles(*models: TrainingResult) -> dict[str, Bundle]:
    """Bundles under the names `m0`, `m1` and so on."""
    return {f"m{number}": model.bundle for number, model in enumerate(models)}
