"""Which files the cache policy of a step names. Cache keys are tested in `tests/pipelines/test_cache_keys.py`."""

import subprocess
import sys
from pathlib import Path

import pytest

from steps.caching import cache_policy, code_digest, file_dependencies

INGEST = "steps.ingestion.ingest"


@pytest.mark.parametrize(
    "file",
    [
        "steps/ingestion/ingest.py",
        "steps/ingestion/__init__.py",
        "accidents/__init__.py",
        "accidents/columns/usagers.toml",
        "accidents/sources/datagouv.py",  # imported inside a function
        "accidents/cleaning/department_boxes.json",
        "accidents/expectations/templates/expectations.html.j2",
    ],
)
def test_imported_modules_their_packages_and_data_files_are_dependencies(file: str) -> None:
    assert file in file_dependencies(INGEST)


def test_modules_that_are_not_imported_are_none() -> None:
    files = file_dependencies(INGEST)
    assert not any(file.startswith(("pipelines", "cli", "tests", "accidents/models/", "tracking")) for file in files)
    assert not any("__pycache__" in file for file in files)


def test_imports_for_type_checkers_are_none() -> None:
    assert "accidents/models/base.py" not in file_dependencies("accidents.models")


def test_a_module_that_is_imported_by_name_is_added() -> None:
    added = set(file_dependencies(INGEST, "accidents.models.lightgbm")) - set(file_dependencies(INGEST))
    assert "accidents/models/lightgbm.py" in added
    assert "accidents/models/xgboost.py" not in added


def test_the_cache_policy_is_zenml_s_own() -> None:
    policy = cache_policy(INGEST)
    assert policy.file_dependencies == file_dependencies(INGEST)
    assert policy.cache_func is None
    with pytest.raises(ModuleNotFoundError, match=r"steps\.no_such_step"):
        cache_policy("steps.no_such_step")


def test_the_digest_differs_between_modules() -> None:
    assert code_digest(INGEST) == code_digest(INGEST)
    assert code_digest(INGEST) != code_digest("steps.features.build_features")


@pytest.mark.slow
def test_zenml_finds_the_files_from_any_working_directory(tmp_path: Path, project: Path) -> None:
    code = f"""
import sys; sys.path.insert(0, {str(project)!r})
from cli.zenml_session import prepare_zenml
prepare_zenml(None, debug=False)
from pathlib import Path
from zenml.utils.source_utils import get_source_root
from steps.caching import file_dependencies
print(all((Path(get_source_root()) / file).is_file() for file in file_dependencies({INGEST!r})))
"""
    process = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert process.stdout.split()[-1] == "True"
    assert not any(tmp_path.iterdir())
