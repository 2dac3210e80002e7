"""A published model, and a database with an API key, in a folder that containers read and write."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from accidents.bundle.publication import publish_model
from tests.serving.service_process import create_admin_key, small_bundle
from tests.tracking.helpers import NAME

USER = 10001


@dataclass(frozen=True)
class Deployed:
    """Folder with `published/` and `serving.db`, and the headers of a caller."""

    folder: Path
    headers: dict[str, str]

    def publish(self, version: int) -> None:
        """Publish a model whose probabilities depend on the version."""
        bundle = small_bundle("lightgbm")
        calibration = replace(bundle.calibration, intercept=bundle.calibration.intercept + version / 10)
        file = self.folder / f"{version}.zip"
        replace(bundle, calibration=calibration).save(file)
        publish_model(str(self.folder / "published"), NAME, str(version), file, None)


@pytest.fixture
def deployed(tmp_path: Path) -> Deployed:
    """Version 1 is published."""
    folder = tmp_path / "deployed"
    folder.mkdir()
    found = Deployed(folder, {"X-API-Key": create_admin_key(folder)})
    found.publish(1)
    for path in (tmp_path, *tmp_path.parents):  # pytest's folders are for their owner alone
        if path.owner() == "root" and path.name.startswith("pytest"):
            path.chmod(0o755)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    return found
