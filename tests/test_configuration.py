"""What is wrong with a configuration is said with the place where it stands, or with what was typed."""

from pathlib import Path

import pytest

from accidents.configuration.loading import load_configuration
from accidents.errors import ConfigurationError


def test_the_shipped_files_are_right() -> None:
    assert load_configuration().training.seed == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("seed: 1\nsed: 2", r"own\.yaml: 'sed' is not a key"),
        ("split:\n  kind: magic", r"own\.yaml: 'split\.kind' = 'magic': Input should be 'random' or 'temporal'"),
        ("seed: 1\nsplit: {}\nseed: 2", r"own\.yaml, line 4: duplicate key 'seed'"),
        ("split:\n  kind: random\n  kind: temporal", r"own\.yaml, line 4: duplicate key 'kind'"),
        ("? [a]\n: 1", r"own\.yaml, line 2: found unhashable key"),
        ("models: [xgboost\nseed: 1", r"own\.yaml, line 3: expected"),
        ("model_settings:\n  xgboost:\n    parameters: {max_dept: 3}", "xgboost has no hyperparameter max_dept"),
        ("model_settings:\n  xgboost:\n    parameters: {max_depth: 90}", r"xgboost\.parameters\.max_depth = 90: .* 16"),
        ("model_settings:\n  xgboost:\n    grid: {leaves: [3]}", "xgboost has no hyperparameter leaves"),
    ],
)
def test_a_file_that_is_wrong_says_where(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(f"pipeline: training\n{text}\n")
    with pytest.raises(ConfigurationError, match=told):
        load_configuration([file])


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("ingestion.source.years", "soon", "^--typed = 'soon': 'soon' are no years"),
        ("ingestion.source.location", "datagouv", "^--typed: datagouv needs years"),
        ("training.models", ("magic",), "^--typed = .*: unknown: magic; allowed"),
        ("features.levle", "call", "^--typed is not a key of this configuration"),
    ],
)
def test_what_was_typed_is_not_blamed_on_a_file(path: str, value: object, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        load_configuration(overrides={path: value}, names={path: "--typed"})
