"""The section `promotion`: what is shipped, what is refused."""

from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from accidents.configuration.loading import load_configuration
from accidents.configuration.promotion import Higher, Lower, PromotionSettings
from accidents.errors import ConfigurationError
from accidents.evaluation.metrics import METRICS


def test_the_shipped_file_holds_the_defaults() -> None:
    assert load_configuration().promotion == PromotionSettings()


def test_nothing_moves_by_itself_unless_asked() -> None:
    shipped = load_configuration().promotion
    assert not shipped.auto_transition_to_staging
    assert not shipped.auto_transition_to_production


def test_the_rule_takes_every_metric_but_prevalence() -> None:
    names = {*get_args(Higher), *get_args(Lower)}
    assert names == set(METRICS) - {"prevalence"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"floors": {"auc": 0.7}},
        {"floors": {"ece": 0.05}},
        {"floors": {"prevalence": 0.3}},
        {"floors": {"f1": 1.2}},
        {"floors": {"f1": float("nan")}},
        {"ceilings": {"f1": 0.7}},
        {"ceilings": {"brier": -0.1}},
        {"improvement": {"metric": "prevalence"}},
        {"improvement": {"at_least": float("nan")}},
        {"improvement": {"over": []}},
        {"improvement": {"over": ["Archived"]}},
        {"guards": {"ece_worse_by_at_most": -0.01}},
        {"guards": {"department_accidents_at_least": 0}},
        {"accidents_at_least": 0},
        {"floor": {}},
    ],
)
def test_invalid_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PromotionSettings.model_validate(wrong)


def test_a_file_with_an_unknown_metric_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("pipeline: promotion\nfloors: {auc: 0.7}\n")
    with pytest.raises(ConfigurationError, match=r"mine.yaml: 'floors.auc"):
        load_configuration([file])


def test_a_file_in_its_place_and_a_value_over_it(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("pipeline: promotion\nfloors: {f1: 0.7}\nimprovement: {over: [Production, Staging]}\n")
    rule = load_configuration([file], {"promotion.improvement.at_least": 0.01}).promotion
    assert rule.floors == {"f1": 0.7}
    assert rule.improvement.over == ("Production", "Staging")
    assert rule.improvement.at_least == 0.01
