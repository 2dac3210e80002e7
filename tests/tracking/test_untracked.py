"""A training whose MLflow does not answer is refused before it begins, or runs untracked."""

from pathlib import Path

import pytest

from cli.main import main
from scripts.team.processes import free_port
from tests.pipelines.conftest import configure

pytestmark = pytest.mark.slow


@pytest.mark.long
def test_an_untracked_training_must_be_allowed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    address = f"http://ann:secret@127.0.0.1:{free_port()}"
    small = configure(
        tmp_path,
        ingestion={"source": {"data_folder": str(tmp_path / "data" / "raw"), "sample": {"accidents": 1500}}},
        training={
            "models_folder": str(tmp_path / "models"),
            "reports_folder": str(tmp_path / "reports"),
            "model_settings": {"lightgbm": {"parameters": {"rounds": 20}}},
        },
        evaluation={"resamples": 20, "group_resamples": 10, "explained_accidents": 50},
        tracking={"mlflow": {"tracking_uri": address}},
    )
    typed = ["--training", *small, "--models", "lightgbm"]
    assert main(typed) == 1
    output = capsys.readouterr()
    assert "does not answer or refuses: Connection refused\n" in output.err
    assert "--allow-untracked" in output.err
    assert len(output.err.strip().split("\n\n")) == 1
    assert "Traceback" not in output.err
    assert not (tmp_path / "models").exists()
    assert main([*typed, "--allow-untracked"]) == 0
    after = capsys.readouterr()
    assert "not tracked: the MLflow" in after.err
    assert "--allow-untracked" not in after.err
    assert (tmp_path / "models" / "lightgbm_model.zip").is_file()
    assert "secret" not in output.err + output.out + after.err + after.out
