"""The ZenML model version of a training: a new one after a change of code that the training runs."""

import shutil
from pathlib import Path

import pytest

from accidents.configuration.loading import load_configuration
from cli.pipeline_commands import model_version
from steps import caching
from tests.conftest import PROJECT


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the packages of which the digest is taken."""
    for package in ("accidents", "materializers", "steps", "tracking"):
        shutil.copytree(PROJECT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(caching, "PROJECT_ROOT", tmp_path)
    return tmp_path


def version_name() -> str:
    return str(model_version(load_configuration(overrides={"training.models": ["xgboost"]}), "0").version)


@pytest.mark.parametrize(
    ("file", "is_run"),
    [
        ("accidents/models/xgboost.py", True),
        ("accidents/models/base.py", True),
        ("accidents/cleaning/__init__.py", True),
        ("accidents/evaluation/metrics.py", True),
        ("steps/features/build_features.py", True),
        ("accidents/models/lightgbm.py", False),
    ],
)
def test_changed_code_makes_a_new_version_where_the_training_runs_it(copy: Path, file: str, is_run: bool) -> None:
    before = version_name()
    with (copy / file).open("a") as source:
        source.write("\n# changed\n")
    assert (version_name() != before) == is_run
