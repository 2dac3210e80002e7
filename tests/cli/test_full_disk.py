"""A full disk, wherever it is: one sentence with the place, and exit code 1."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.pipelines.conftest import configure
from tests.serving.service_process import save_small_model

pytestmark = pytest.mark.long
SIZE = 40 * 2**20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("a file system can be mounted by root alone")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, leave: int) -> None:
    """Fill a disk but for some bytes."""
    stats = os.statvfs(disk)
    (disk / "filling").write_bytes(b"0" * max(stats.f_bavail * stats.f_frsize - leave, 0))


def run(folder: Path, stores: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "ZENML_CONFIG_PATH": str(stores / "config"),
        "ZENML_LOCAL_STORES_PATH": str(stores / "stores"),
        "SERVING_DATABASE_URL": f"sqlite:///{folder}/serving.db",
    }
    environment.pop("MLFLOW_TRACKING_URI", None)
    command = [sys.executable, "run.py", *arguments]
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("leave", "place"), [(20_000, "mlflow.db (embedded)"), (600_000, "mlflow.db (embedded)")])
def test_while_a_training_is_tracked(disk: Path, tmp_path: Path, leave: int, place: str) -> None:
    options = configure(
        tmp_path,
        tracking={"folder": str(disk / "mlruns")},
        ingestion={"source": {"data_folder": str(tmp_path / "raw"), "sample": {"accidents": 2000}}},
        training={"models_folder": str(tmp_path / "models"), "reports_folder": str(tmp_path / "reports")},
    )
    assert run(tmp_path, tmp_path, "registry", *options, "list-models").returncode == 0
    fill(disk, leave)
    ended = run(tmp_path, tmp_path, "--training", "--models", "logistic_regression", *options)
    assert_one_sentence(ended, place)


def test_while_an_artifact_is_stored(disk: Path, tmp_path: Path) -> None:
    options = configure(
        tmp_path, ingestion={"source": {"data_folder": str(tmp_path / "raw"), "sample": {"accidents": 2000}}}
    )
    assert run(tmp_path, disk, "--ingestion", *options).returncode == 0
    for leave in (300_000, 0):
        fill(disk, leave)
        assert_one_sentence(run(tmp_path, disk, "--features", "--no-cache", *options), str(disk))
        (disk / "filling").unlink()
    assert run(tmp_path, disk, "--features", *options).returncode == 0


def test_while_accidents_are_scored(disk: Path, tmp_path: Path) -> None:
    model = save_small_model(tmp_path)
    example = PROJECT / "examples" / "low_risk.json"
    source = tmp_path / "accidents.jsonl"
    source.write_text("".join(f"{line}\n" for line in [" ".join(example.read_text().split())] * 1000))
    fill(disk, 0)
    output = disk / "scores.csv"
    arguments = ("--inference", "--model-path", str(model), "--input", str(source), "--output", str(output))
    assert_one_sentence(run(tmp_path, tmp_path, *arguments), str(output))
    assert not output.exists()


def assert_one_sentence(ended: subprocess.CompletedProcess[str], place: str) -> None:
    assert ended.returncode == 1, ended.stdout[-2000:]
    assert "Traceback" not in ended.stdout + ended.stderr
    (error,) = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert "the disk is full; free some space, and run it again" in error
    assert place in error
    assert len(ended.stderr.splitlines()) < 20
