"""A training on a small synthetic year: output files, cached steps, failures."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from zenml.client import Client

from accidents.bundle import Bundle
from accidents.errors import ConfigurationError
from accidents.models import model_types
from cli.exit_codes import DONE, FAILED
from cli.main import main
from cli.output_files import step_output
from pipelines.defaults import resolve_configuration
from pipelines.models import latest_run
from pipelines.training import refuse_small_samples
from tests.pipelines.conftest import configure

pytestmark = pytest.mark.slow

DATA_FILES = {"validation_report.csv", "quarantine.csv", "expectations.html"}
TYPES = {*model_types()}
COLUMNS = [
    "model_type",
    "accuracy",
    "precision",
    "recall",
    "f1_score",
    "roc_auc",
    "validation_log_loss",
    "best_cv_score",
    "best_cv_metric",
    "fit_seconds",
]


@pytest.fixture(scope="module")
def trained(small: list[str]) -> Any:
    """The run of a training."""
    assert main(["--training", *small]) == DONE
    return latest_run("training")


def statuses(run: Any) -> dict[str, str]:
    return {name: str(step.status) for name, step in run.steps.items()}


@pytest.mark.traced
def test_a_training_writes_models_metrics_and_reports(trained: Any, folder: Path) -> None:
    for name in TYPES:
        bundle = Bundle.load(folder / "models" / f"{name}_model.zip")
        metadata = json.loads((folder / "models" / f"{name}_metadata.json").read_text())
        figures = json.loads((folder / "reports" / "metrics" / f"{name}_metrics.json").read_text())
        assert bundle.model_type == metadata["model_type"] == name
        assert metadata["fingerprint"]
        assert 0 < figures["f1"] < 1
        assert figures["intervals"]["roc_auc"][0] < figures["roc_auc"] < figures["intervals"]["roc_auc"][1]
    comparison = pd.read_csv(folder / "reports" / "model_comparison.csv")
    assert comparison.columns.tolist() == COLUMNS
    assert set(comparison["model_type"]) == TYPES
    assert comparison["f1_score"].is_monotonic_decreasing
    assert comparison["best_cv_score"].isna().all()
    assert set(comparison["best_cv_metric"]) == {"roc_auc"}
    for page in ("comparison.html", "best_model.html", "model_card.html"):
        assert "synthetic" in (folder / "reports" / page).read_text().lower()
    assert "place that records it" in (folder / "reports" / "model_card.md").read_text()
    assert {file.name for file in (folder / "reports" / "ingestion").iterdir()} == DATA_FILES


def test_interim_and_processed_data_have_one_row_an_accident(trained: Any, folder: Path) -> None:
    interim = pd.read_parquet(folder / "data" / "interim" / "interim_dataset.parquet")
    features = pd.read_parquet(folder / "data" / "processed" / "features.parquet")
    assert len(interim) == len(features) == 1500
    assert interim["Num_Acc"].is_unique
    assert not {"grav", "priority"} & set(features.columns)
    manifest = json.loads((folder / "data" / "raw" / "manifest.json").read_text())
    assert {entry["table"] for entry in manifest["files"]} == {"caracteristiques", "lieux", "vehicules", "usagers"}


def test_no_temporary_files_are_left(trained: Any, folder: Path) -> None:
    assert not list(folder.rglob("*.tmp"))


def test_configuration_and_digest_are_stored_with_the_run(trained: Any) -> None:
    stored = trained.config.parameters["configuration"]
    assert stored["training"]["seed"] == 0
    assert stored["features"]["level"] == "call"
    assert len(trained.config.extra["training_digest"]) == 64
    assert set(trained.steps["compare_models"].run_metadata["f1"]) == TYPES


def test_local_stacks_are_registered_and_the_active_one_stays(trained: Any) -> None:
    assert {"local", "local-mlflow"} <= {stack.name for stack in Client().list_stacks().items}
    assert trained.stack.name == Client().active_stack_model.name == "default"


def test_artifacts_have_metadata(trained: Any) -> None:
    accidents = step_output(trained, "ingest", "accidents")
    assert accidents.run_metadata["rows"] == 1500
    assert step_output(trained, "train_lightgbm", "lightgbm_model").run_metadata["model_type"] == "lightgbm"
    assert trained.steps["ingest"].run_metadata["accidents"] == 1500


def test_a_training_has_one_step_a_model_and_three_more(trained: Any) -> None:
    assert len(trained.steps) == len(TYPES) + 3


def test_a_second_run_is_cached(trained: Any, small: list[str], folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (folder / "models").glob("*.zip")}
    assert main(["--training", *small]) == DONE
    assert set(statuses(latest_run("training")).values()) == {"cached"}
    assert {path: path.stat().st_mtime_ns for path in (folder / "models").glob("*.zip")} == before


def test_other_pipelines_share_its_steps(trained: Any, small: list[str]) -> None:
    assert main(["--features", *small]) == DONE
    assert set(statuses(latest_run("features")).values()) == {"cached"}


def test_another_level_trains_again_on_the_same_features(trained: Any, small: list[str]) -> None:
    assert main(["--training", *small, "--level", "scene", "--models", "lightgbm"]) == DONE
    run = latest_run("training")
    assert statuses(run) == {
        "ingest": "cached",
        "build_features": "cached",
        "train_lightgbm": "completed",
        "compare_models": "completed",
    }


@pytest.mark.long
def test_other_data_are_not_taken_from_the_cache(trained: Any, small: list[str], tmp_path: Path) -> None:
    other = configure(
        tmp_path,
        ingestion={"source": {"data_folder": str(tmp_path / "raw"), "sample": {"accidents": 1500, "seed": 1}}},
    )
    assert main(["--features", *small, *other]) == DONE
    assert set(statuses(latest_run("features")).values()) == {"completed"}


@pytest.mark.traced
def test_the_evaluation_measures_the_best_model_of_the_latest_training(
    trained: Any, small: list[str], folder: Path
) -> None:
    assert main(["--training", *small]) == DONE
    assert main(["--evaluation", *small]) == DONE
    found = json.loads((folder / "reports" / "evaluation" / "metrics.json").read_text())
    figures = {"roc_auc", "pr_auc", "f1", "precision", "recall", "accuracy", "brier", "ece"}
    assert figures | {"threshold", "n", "prevalence"} <= set(found)
    labels = pd.read_parquet(folder / "data" / "interim" / "interim_dataset.parquet")["priority"]
    assert found["labelled"] == (labels >= 0).sum() > 1400
    assert {file.name for file in (folder / "reports" / "evaluation" / "ingestion").iterdir()} == DATA_FILES
    best = json.loads((folder / "models" / "best_model.json").read_text())["model_type"]
    assert found["threshold"] == pytest.approx(Bundle.load(folder / "models" / f"{best}_model.zip").threshold)
    own = json.loads((folder / "reports" / "metrics" / f"{best}_metrics.json").read_text())
    assert {name: found[name] for name in ("n", *figures)} == pytest.approx(
        {name: own[name] for name in ("n", *figures)}
    )
    assert found["n"] < 0.4 * found["labelled"]


def test_another_year_is_evaluated_on_all_accidents(trained: Any, small: list[str], folder: Path) -> None:
    assert main(["--evaluation", *small, "--years", "2023"]) == DONE
    found = json.loads((folder / "reports" / "evaluation" / "metrics.json").read_text())
    assert found["n"] == found["labelled"] > 1400


def test_an_outdated_csv_is_deleted(trained: Any, small: list[str], folder: Path) -> None:
    tables = [folder / "data" / name for name in ("interim/interim_dataset.csv", "processed/features.csv")]
    assert main(["--features", *small, "--csv"]) == DONE
    assert [len(pd.read_csv(table)) for table in tables] == [1500, 1500]
    assert main(["--features", *small]) == DONE
    assert not any(table.exists() for table in tables)


def test_a_bundle_can_be_evaluated_by_path(trained: Any, small: list[str], folder: Path) -> None:
    path = folder / "models" / "logistic_regression_model.zip"
    assert main(["--evaluation", *small, "--model-path", str(path)]) == DONE
    found = json.loads((folder / "reports" / "evaluation" / "metrics.json").read_text())
    assert found["threshold"] == pytest.approx(Bundle.load(path).threshold)


@pytest.mark.long
def test_without_geography_is_trained_as_well_and_the_card_compares(
    trained: Any, small: list[str], folder: Path
) -> None:
    assert main(["--training", *small, "--models", "lightgbm", "--no-geography"]) == DONE
    blind = Bundle.load(folder / "models" / "without_place" / "lightgbm_model.zip")
    assert not blind.geography
    assert Bundle.load(folder / "models" / "lightgbm_model.zip").geography
    assert "without" in (folder / "reports" / "model_card.md").read_text().lower()


@pytest.mark.long
def test_final_models_answer_and_their_evaluated_twins_are_measured(
    trained: Any, small: list[str], folder: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twin_file = folder / "models" / "evaluated_twin" / "lightgbm_model.zip"
    before = (folder / "models" / "lightgbm_model.zip").read_bytes()
    chosen = [*small, "--models", "lightgbm"]
    assert main(["--training", *chosen, "--final"]) == DONE
    output = capsys.readouterr().out
    assert str(twin_file.parent) in output
    assert statuses(latest_run("training"))["train_lightgbm"] == "cached"
    assert twin_file.read_bytes() == before
    final, twin = Bundle.load(folder / "models" / "lightgbm_model.zip"), Bundle.load(twin_file)
    assert final.evaluated_twin["digest"] == twin.prediction_digest()
    assert f"{final.rows['training']:,} labelled accidents" in output
    assert main(["--predict", str(project / "examples" / "low_risk.json"), *small]) == DONE
    assert "Model: lightgbm, final, " in capsys.readouterr().out
    assert main(["--evaluation", *small]) == DONE
    assert json.loads((folder / "reports" / "evaluation" / "metrics.json").read_text())["n"] == twin.rows["test"]
    assert main(["--evaluation", *small, "--model-path", str(folder / "models" / "lightgbm_model.zip")]) == FAILED
    assert "measure its evaluated twin" in capsys.readouterr().err
    assert main(["--training", *chosen]) == DONE
    assert (folder / "models" / "lightgbm_model.zip").read_bytes() == before
    assert not twin_file.exists()


def test_a_final_model_of_a_tiny_sample_is_refused_before_the_training() -> None:
    tiny = {"ingestion": {"source": {"sample": {"accidents": 300}}}, "training": {"final": True}}
    with pytest.raises(ConfigurationError, match="--final needs a sample of 1,500 accidents or more"):
        refuse_small_samples(resolve_configuration(tiny))
    refuse_small_samples(resolve_configuration(tiny | {"training": {"final": False}}))


@pytest.mark.traced
def test_a_failure_names_step_file_and_reason_and_leaves_what_was_there(
    trained: Any, small: list[str], folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = next((folder / "data" / "raw" / "sample").glob("synthetic-*"))
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in source.glob("*.csv"):
        (broken / file.name).write_bytes(file.read_bytes())
    victim = next(broken.glob("vehicules*.csv"))
    victim.write_text("<!doctype html><title>404</title>")
    before = (folder / "models" / "best_model.json").read_bytes()
    capsys.readouterr()
    assert main(["--training", *small, "--source", str(broken)]) == FAILED
    output = capsys.readouterr().err
    assert "the step ingest failed" in output
    assert victim.name in output
    assert "HTML" in output
    assert "Traceback" not in output
    assert (folder / "models" / "best_model.json").read_bytes() == before


def test_an_unknown_stack_is_refused_with_those_there_are(small: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--features", *small, "--stack", "nowhere"]) == 2
    output = capsys.readouterr().err
    assert "nowhere" in output
    assert "default" in output


@pytest.mark.traced
def test_batch_inference_and_a_single_prediction(
    trained: Any, small: list[str], folder: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = next((folder / "data" / "raw" / "sample").glob("synthetic-*"))
    target = folder / "scores.parquet"
    assert main(["--inference", *small, "--input", str(source), "--output", str(target)]) == DONE
    scores = pd.read_parquet(target)
    assert len(scores) == 1500
    assert set(scores["interpretation"]) == {"Priority", "Non-Priority"}
    capsys.readouterr()
    assert main(["--predict", str(project / "examples" / "low_risk.json"), *small]) == DONE
    output = capsys.readouterr().out
    assert "Prediction: 0\nInterpretation: Non-Priority" in output


def test_a_refused_inference_leaves_its_report_beside_that_of_the_training(
    trained: Any, small: list[str], folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = next((folder / "data" / "raw" / "sample").glob("synthetic-*"))
    for file in source.glob("*.csv"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    victim = next(tmp_path.glob("lieux*.csv"))
    victim.write_text(victim.read_text().replace("catr", "other", 1))
    before = (folder / "reports" / "ingestion" / "validation_report.csv").read_bytes()
    target = str(tmp_path / "scores.csv")
    assert main(["--inference", *small, "--input", str(tmp_path), "--output", target]) == FAILED
    report = folder / "reports" / "inference" / "ingestion" / "validation_report.csv"
    assert f"{report}\n" in capsys.readouterr().err
    assert pd.read_csv(report)["column"].tolist() == ["catr"]
    assert (folder / "reports" / "ingestion" / "validation_report.csv").read_bytes() == before
