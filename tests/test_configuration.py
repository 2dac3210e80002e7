"""What is wrong with a configuration is said with the place where it stands, or with what was typed."""

from pathlib import Path

import pytest

from accidents.configuration.loading import load_configuration
from accidents.configuration.paths import PROJECT_ROOT
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


def test_project_folders_do_not_depend_on_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT_ROOT)
    inside = load_configuration()
    monkeypatch.chdir(tmp_path)
    outside = load_configuration()
    assert inside.training.models_folder == Path("models")
    for one in (outside, type(outside).model_validate(outside.model_dump())):
        assert one.training.models_folder == PROJECT_ROOT / "models"
        assert one.training.reports_folder == PROJECT_ROOT / "reports"
        assert one.training.tuning.storage == PROJECT_ROOT / "models" / "tuning.journal"
        assert one.ingestion.source.data_folder == PROJECT_ROOT / "data" / "raw"
        assert one.tracking.folder == PROJECT_ROOT / "mlruns"
    assert outside.model_dump_json() == inside.model_dump_json()  # cache keys of steps


def test_a_deleted_current_folder_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert load_configuration().training.models_folder == PROJECT_ROOT / "models"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("years/2023", str(PROJECT_ROOT / "years" / "2023")),
        ("/years/2023", "/years/2023"),
        ("s3://bucket/2023", "s3://bucket/2023"),
        ("sample", "sample"),
        ("datagouv:2023", "datagouv:2023"),
    ],
)
def test_a_relative_source_in_a_file_lies_in_the_project_and_a_typed_one_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "own.yaml"
    file.write_text(f"pipeline: ingestion\nsource: {{location: '{written}'}}\n")
    assert load_configuration([file]).ingestion.source.location == expected.partition(":20")[0]
    typed = load_configuration([file], {"ingestion.source.location": "typed/2023"})
    assert typed.ingestion.source.location == "typed/2023"
