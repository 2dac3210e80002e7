"""What the rest of the project makes of the synthetic year: it is ingested without alarm, and models learn from it."""

from pathlib import Path

import pytest

from accidents.configuration.ingestion import IngestionSettings
from accidents.configuration.training import TrainingSettings
from accidents.features import feature_frame
from accidents.ingestion import ingest
from accidents.sample.writer import write_sample
from accidents.sources.folder import folder_editions
from accidents.training.train import train

REAL_AUC = 0.85
"""Of gradient boosting at the level `call`, on a random 70/30 split of January to September 2024."""


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_ten_seeds_are_ingested_without_alarm(seed: int, tmp_path: Path) -> None:
    write_sample(tmp_path, accidents=5_000, seed=seed)
    ingested = ingest(folder_editions(str(tmp_path), None), IngestionSettings())
    assert len(ingested.accidents.accidents) == 5_000
    assert ingested.quarantine.empty
    assert set(ingested.report["action"]) <= {"set to missing", "corrected", "ignored"}
    assert ingested.report.loc[ingested.report["action"] == "set to missing", "share"].max() < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("year", range(2005, 2025))
def test_every_edition_is_ingested(year: int, tmp_path: Path) -> None:
    write_sample(tmp_path, accidents=1_000, year=year, seed=1)
    ingested = ingest(folder_editions(str(tmp_path), None), IngestionSettings())
    assert len(ingested.accidents.accidents) == 1_000
    assert ingested.quarantine.empty


def auc(folder: Path, *models: str, seed: int = 0) -> list[float]:
    """ROC-AUC on the test set, at the level `call`, of models trained on the default sample."""
    write_sample(folder, seed=seed)
    accidents = ingest(folder_editions(str(folder), None), IngestionSettings()).accidents
    features = feature_frame(accidents)
    settings = TrainingSettings(threads=1)
    trained = [train(model, features, accidents.accidents, settings, level="call") for model in models]
    return [model.bundle.metrics["test"]["roc_auc"] for model in trained]


@pytest.mark.slow
def test_boosting_is_as_good_as_on_real_accidents_and_better_than_regression(tmp_path: Path) -> None:
    boosting, regression = auc(tmp_path, "lightgbm", "logistic_regression", seed=1)
    assert abs(boosting - REAL_AUC) < 0.03
    assert boosting > regression + 0.003


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_models_rank_as_on_real_accidents(seed: int, tmp_path: Path) -> None:
    *boosters, forest, regression = auc(
        tmp_path, "lightgbm", "xgboost", "random_forest", "logistic_regression", seed=seed
    )
    assert min(boosters) > max(forest, regression)
    assert all(abs(booster - REAL_AUC) < 0.03 for booster in boosters)
