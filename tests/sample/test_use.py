"""What the rest of the project makes of the synthetic year: it is ingested without alarm, and models learn from it."""

from pathlib import Path

import pytest

from accidents.configuration.ingestion import IngestionSettings
from accidents.configuration.training import TrainingSettings
from accidents.features.frame import build
from accidents.ingestion import ingest
from accidents.sample import write_sample
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
    assert set(ingested.report["action"]) <= {"set to missing", "mended", "ignored"}
    assert ingested.report.loc[ingested.report["action"] == "set to missing", "share"].max() < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("year", range(2005, 2025))
def test_every_edition_is_ingested(year: int, tmp_path: Path) -> None:
    write_sample(tmp_path, accidents=1_000, year=year, seed=1)
    ingested = ingest(folder_editions(str(tmp_path), None), IngestionSettings())
    assert len(ingested.accidents.accidents) == 1_000
    assert ingested.quarantine.empty


@pytest.mark.long
def test_models_behave_as_on_real_accidents(tmp_path: Path) -> None:
    write_sample(tmp_path)
    accidents = ingest(folder_editions(str(tmp_path), None), IngestionSettings()).accidents
    features = build(accidents)
    auc = {
        model: train(model, features, accidents.accidents, TrainingSettings(threads=1), level="call").summary[
            "metrics"
        ]["test"]["roc_auc"]
        for model in ("lightgbm", "xgboost", "random_forest", "logistic_regression")
    }
    boosters = [auc["lightgbm"], auc["xgboost"]]
    assert min(boosters) > max(auc["random_forest"], auc["logistic_regression"])
    assert all(abs(value - REAL_AUC) < 0.03 for value in boosters)


@pytest.mark.slow
def test_boosting_behaves_as_on_real_accidents(tmp_path: Path) -> None:
    write_sample(tmp_path, seed=1)
    accidents = ingest(folder_editions(str(tmp_path), None), IngestionSettings()).accidents
    features = build(accidents)
    auc = {
        model: train(model, features, accidents.accidents, TrainingSettings(threads=1), level="call").summary[
            "metrics"
        ]["test"]["roc_auc"]
        for model in ("lightgbm", "logistic_regression")
    }
    assert abs(auc["lightgbm"] - REAL_AUC) < 0.03
    assert auc["lightgbm"] > auc["logistic_regression"] + 0.003
