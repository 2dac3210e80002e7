"""The digest of a training: another one after a change of code that the training runs."""

import shutil
from pathlib import Path

import pytest

from accidents.configuration.loading import load_configuration
from pipelines.training import training_digest
from steps import caching
from tests.conftest import PROJECT


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the packages of which the digest is taken."""
    for package in ("accidents", "materializers", "steps", "tracking"):
        shutil.copytree(PROJECT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(caching, "PROJECT_ROOT", tmp_path)
    return tmp_path


def digest() -> str:
    return training_digest(load_configuration(overrides={"training.models": ["xgboost"]}), "0")


@pytest.mark.parametrize(
    ("file", "is_run"),
    [
        ("accidents/models/xgboost.py", True),
        ("accidents/models/base.py", True),
        ("accidents/cleaning/__init__.py", True),
        ("accidents/evaluation/metrics.py", True),
        ("steps/features/build_features.py", True),
        ("accidents/models/lightgbm.py", True),  # of the correction
        ("accidents/models/random_forest.py", False),
    ],
)
def test_changed_code_changes_the_digest_where_the_training_runs_it(copy: Path, file: str, is_run: bool) -> None:
    before = digest()
    with (copy / file).open("a") as source:
        source.write("\n# changed\n")
    assert (digest() != before) == is_run
