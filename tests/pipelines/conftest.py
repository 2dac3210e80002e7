"""A small configuration whose output files are in a folder of the tests."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.hyperparameters import by_type

SMALL = by_type(rounds=20, n_estimators=20, iterations=50)
"""Hyperparameters by model type."""


def configure(folder: Path, **sections: dict[str, Any]) -> list[str]:
    """Write the shipped configuration with `sections` merged into it; returns the command-line options."""
    arguments = []
    for name, changes in sections.items():
        shipped = yaml.safe_load((Path("configs") / f"{name}.yaml").read_text())
        path = folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(merged(shipped, changes)))
        arguments += ["--config", str(path)]
    return arguments


def small_tracked_training(folder: Path, accidents: int = 1500) -> list[str]:
    """Options of a small training of one model, tracked."""
    return configure(
        folder,
        ingestion={"source": {"data_folder": str(folder / "data" / "raw"), "sample": {"accidents": accidents}}},
        training={
            "models": ["logistic_regression"],
            "models_folder": str(folder / "models"),
            "reports_folder": str(folder / "reports"),
            "model_settings": {name: {"parameters": values} for name, values in SMALL.items()},
        },
        evaluation={"resamples": 20, "group_resamples": 10, "explained_accidents": 50},
        tracking={"mlflow": {"enabled": True}},
    )


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in changes.items():
        result[key] = merged(base[key], value) if isinstance(value, dict) and isinstance(base.get(key), dict) else value
    return result


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the output files."""
    return tmp_path_factory.mktemp("outputs")


@pytest.fixture(scope="session")
def small(folder: Path) -> list[str]:
    """Arguments for a training on a small synthetic year, with small models."""
    return configure(
        folder,
        tracking={"mlflow": {"enabled": False}},
        ingestion={"source": {"data_folder": str(folder / "data" / "raw"), "sample": {"accidents": 1500}}},
        training={
            "final_difference_at_most": 0.5,
            "models_folder": str(folder / "models"),
            "reports_folder": str(folder / "reports"),
            "model_settings": {name: {"parameters": values} for name, values in SMALL.items()},
        },
        evaluation={"resamples": 20, "group_resamples": 10, "explained_accidents": 50},
    )
