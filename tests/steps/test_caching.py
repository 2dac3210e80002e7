import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from steps import caching


@pytest.fixture
def copy(tmp_path: Path, project: Path) -> Path:
    """A copy of the project's code that may be damaged."""
    for package in ("accidents", "steps"):
        shutil.copytree(project / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def digests(root: Path, *modules: str) -> list[str]:
    """Digests as a fresh process sees them."""
    code = f"from steps.caching import code_digest\nfor m in {modules!r}: print(code_digest(m))"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_the_digest_follows_meaning_and_not_layout(copy: Path) -> None:
    before = digests(copy, "steps.ingestion.ingest")
    file = copy / "accidents" / "errors.py"
    original = file.read_text()
    file.write_text("# a comment\n" + original.replace('"""Base of all errors', '"""The base of all errors') + "\n\n")
    assert digests(copy, "steps.ingestion.ingest") == before
    file.write_text(original + "\nANSWER = 42\n")
    assert digests(copy, "steps.ingestion.ingest") != before


def test_only_dependent_steps_notice_a_change(copy: Path) -> None:
    modules = ("steps.ingestion.ingest", "steps.features.build_features")
    ingest, features = digests(copy, *modules)
    with (copy / "accidents" / "features" / "engine.py").open("a") as file:
        file.write("\nANSWER = 42\n")
    assert digests(copy, *modules)[0] == ingest
    assert digests(copy, *modules)[1] != features


def test_imports_inside_functions_and_through_other_modules_are_followed() -> None:
    reached = caching.reached("steps.ingestion.ingest")
    assert {"accidents.errors", "accidents.columns.usagers", "accidents.sources.datagouv"} <= reached
    assert not any(name.startswith(("pipelines", "cli", "tests")) for name in reached)


def test_a_data_file_belongs_to_the_modules_of_its_package(copy: Path) -> None:
    before = digests(copy, "accidents.sample.frequencies")
    (copy / "accidents" / "sample" / "extra.json").write_text("{}")
    assert digests(copy, "accidents.sample.frequencies") != before


def test_the_cache_policy_names_a_function_that_zenml_can_load() -> None:
    policy = caching.cache_policy("steps.ingestion.ingest", "accidents.models.lightgbm")
    name = policy.cache_func.attribute
    assert getattr(caching, name)() == caching.code_digest("steps.ingestion.ingest", "accidents.models.lightgbm")
    with pytest.raises(AttributeError, match="no attribute"):
        _ = caching.no_such_module
