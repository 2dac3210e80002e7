"""Files of registered versions that were changed in the artifact store: nothing reads or runs them."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import mlflow
import pytest

from accidents.configuration.deployment import DeploymentSettings
from accidents.configuration.stages import PRODUCTION
from accidents.configuration.tracking import TrackingSettings
from tests.tracking.helpers import NAME, delete_all_models, register_version, single_model_training, transition_to
from tests.trained import small_models
from tracking import reconcile, zenml_sync
from tracking.connection import Connection, connect
from tracking.deployment import deploy_version
from tracking.errors import RegistryError
from tracking.lookup import download_model
from tracking.model_files import FILES_SHA256, MODEL_FILE_SHA256, digests, model_file, sha256
from tracking.names import registered_name
from tracking.registration import record_and_register
from tracking.registry import RegisteredVersion, Registry, download_files
from tracking.smoke_test import run_smoke_test
from tracking.tracking_uri import TrackingTarget

pytestmark = [pytest.mark.slow, pytest.mark.traced]


@pytest.fixture(scope="module")
def connection(embedded_store: TrackingTarget) -> Iterator[Connection]:
    """One registered model with its files, in Production."""
    with connect(TrackingSettings(), embedded_store) as connected:
        delete_all_models(connected)
        record_and_register(connected, single_model_training("lightgbm"), TrackingSettings())
        registry = Registry(connected)
        transition_to(registry, registry.version(NAME, "1"), PRODUCTION)
        yield connected


@pytest.fixture
def version(registry: Registry, tmp_path: Path) -> Iterator[RegisteredVersion]:
    """The version; whatever a test does to its files is undone."""
    found = registry.version(NAME, "1")
    folder, kept = stored_folder(found), tmp_path / "kept"
    shutil.copytree(folder, kept)
    yield found
    shutil.rmtree(folder)
    kept.rename(folder)


def stored_folder(version: RegisteredVersion) -> Path:
    """Where the artifact store keeps the files of a version."""
    folder = mlflow.MlflowClient().get_logged_model(version.model_uri.rpartition("/")[2]).artifact_location
    return Path(folder.removeprefix("file://"))


def other_model(folder: Path) -> None:
    small_models()["xgboost"].trained.bundle.save(model_file("", folder))


def other_code(folder: Path) -> None:
    (folder / "pyfunc_model.py").write_text("raise SystemExit('other code ran')\n")


def other_archive(folder: Path) -> None:
    shutil.copy(model_file("", folder), folder / "artifacts" / "accidents.zip")


def other_entry_point(folder: Path) -> None:
    (folder / "evil.py").write_text("raise SystemExit('other code ran')\n")
    described = (folder / "MLmodel").read_text().replace("pyfunc_model.py", "evil.py")
    (folder / "MLmodel").write_text(described)


def other_accidents(folder: Path) -> None:
    rows = json.loads((folder / "artifacts" / "stored_accidents.json").read_text())
    (folder / "artifacts" / "stored_accidents.json").write_text(json.dumps(rows[1:]))


def added_file(folder: Path) -> None:
    (folder / "artifacts" / "sitecustomize.py").write_text("raise SystemExit('other code ran')\n")


def removed_file(folder: Path) -> None:
    (folder / "artifacts" / "stored_accidents.json").unlink()


CHANGES = [other_model, other_code, other_archive, other_entry_point, other_accidents, added_file, removed_file]


@pytest.mark.parametrize("change", CHANGES)
def test_changed_files_are_neither_read_nor_run(
    version: RegisteredVersion, registry: Registry, change: Callable[[Path], None], tmp_path: Path
) -> None:
    folder = stored_folder(version)
    change(folder)
    what = "its model file is not" if change is other_model else "its files are not all"
    message = f"{version.title}: {what} what was registered"
    for use in (
        lambda: registry.load_bundle(version),
        lambda: download_model(registry, version, tmp_path),
        lambda: run_smoke_test(version, DeploymentSettings()),
        lambda: deploy_version(version, DeploymentSettings()),
    ):
        with pytest.raises(RegistryError, match=message):
            use()
    (found,) = reconcile.find_changed_files(registry)
    assert found.startswith(message)


def test_unchanged_files_are_read(version: RegisteredVersion, registry: Registry, tmp_path: Path) -> None:
    assert reconcile.find_changed_files(registry) == []
    files = download_files(version, tmp_path / "files")
    assert digests("", files) == {name: version.tags[name] for name in (MODEL_FILE_SHA256, FILES_SHA256)}
    (metadata,) = [dict(one.run_metadata) for one in zenml_sync._model_versions(NAME).values()]
    assert metadata[MODEL_FILE_SHA256] == version.tags[MODEL_FILE_SHA256] == sha256(model_file("", files))


def test_a_changed_copy_on_this_machine_is_downloaded_again(
    version: RegisteredVersion, registry: Registry, tmp_path: Path
) -> None:
    copy = download_model(registry, version, tmp_path)
    content = copy.read_bytes()
    small_models()["xgboost"].trained.bundle.save(copy)
    assert download_model(registry, version, tmp_path) == copy
    assert copy.read_bytes() == content


def test_a_version_without_digests_is_refused_until_they_are_recorded(
    version: RegisteredVersion, registry: Registry
) -> None:
    for tag in (MODEL_FILE_SHA256, FILES_SHA256):
        registry.connection.client.delete_model_version_tag(NAME, "1", tag)
    with pytest.raises(RegistryError, match=r"python run\.py registry check"):
        registry.load_bundle(registry.version(NAME, "1"))
    assert [one.description for one in reconcile.repair_inconsistencies(registry)] == [
        "version 1 has no SHA-256 of its files"
    ]
    assert registry.version(NAME, "1").tags == version.tags
    assert registry.load_bundle(registry.version(NAME, "1")).model_type == "lightgbm"


def test_files_that_are_gone_are_one_sentence(connection: Connection) -> None:
    empty = register_version(connection, registered_name("xgboost"))
    with pytest.raises(RegistryError, match=f"{empty.title}: has no model file"):
        Registry(connection).load_bundle(empty)
