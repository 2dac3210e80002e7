"""The version of the ZenML model that a training makes: another one with other code of the models that it trains."""

from collections.abc import Callable

import pytest

from accidents.configuration.loading import load_configuration
from cli.pipeline_commands import model_version
from steps import caching


def version(models: list[str]) -> str:
    return str(model_version(load_configuration(overrides={"training.models": models}), "0").version)


@pytest.fixture
def change(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Changes what a module means."""
    before = caching._meaning

    def apply(module: str) -> None:
        monkeypatch.setattr(caching, "_meaning", lambda name: before(name) + ("changed" if name == module else ""))

    return apply


@pytest.mark.parametrize(
    "module",
    [
        "accidents.models.xgboost",
        "accidents.models._tree_ensemble",
        "steps.features.build_features",
        "accidents.cleaning",
        "accidents.evaluation.metrics",
    ],
)
def test_code_that_a_training_runs_makes_another_version(change: Callable[[str], None], module: str) -> None:
    before = version(["xgboost"])
    change(module)
    assert version(["xgboost"]) != before


def test_code_of_a_model_that_is_not_trained_makes_none(change: Callable[[str], None]) -> None:
    before = version(["xgboost"])
    change("accidents.models.lightgbm")
    assert version(["xgboost"]) == before
