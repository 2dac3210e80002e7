"""Conversion of registered versions: model files of an older format are registered again in the current format."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from accidents.bundle import Bundle
from accidents.bundle.archive import is_pickle
from accidents.bundle.legacy import convert
from accidents.temporary_files import temporary_folder
from tracking.ledger import LedgerEntry
from tracking.mlflow_model import log_model
from tracking.model_files import model_file
from tracking.registry import STAGE_TAG, RegisteredVersion, Registry, download_unverified
from tracking.stages import transition, versions_in_use

CONVERTED_FROM = "converted_from"
"""Tag of a converted version: number of the original version."""


def convert_versions(registry: Registry, names: Sequence[str], *, dry_run: bool = False) -> list[dict[str, Any]]:
    """Convert versions with a model file of an older format; the new version takes the stage of the old one.

    Converted are the holders of Staging and Production, and earlier holders of Production, for rollbacks.

    Args:
        registry: the registry.
        names: registered model names.
        dry_run: list the versions without converting them.

    Returns:
        `name`, `version`, `stage` and `new_version` (None in a dry run) of each converted version.

    Raises:
        ModelError: a file cannot be converted; versions converted before it remain.
    """
    converted = []
    for old in [version for name in names for version in versions_in_use(registry, name)]:
        with temporary_folder() as folder:
            file = model_file(old.title, download_unverified(old, folder))
            if is_pickle(file.read_bytes()):
                new = None if dry_run else _register_converted(registry, old, file)
                converted.append({"name": old.name, "version": old.version, "stage": old.stage, "new_version": new})
    return converted


def _register_converted(registry: Registry, old: RegisteredVersion, file: Path) -> str:
    import mlflow

    bundle = Bundle.from_bytes(convert(file.read_bytes(), old.title), old.title)
    (accidents,) = file.parent.glob("stored_accidents*.json")
    with mlflow.start_run(run_id=old.run_id):
        uri, digests = log_model(bundle, pd.read_json(accidents, orient="records", precise_float=True))
    tags = {key: value for key, value in old.tags.items() if key != STAGE_TAG}
    created = registry.connection.client.create_model_version(
        old.name,
        source=uri,
        run_id=old.run_id,
        tags=tags | digests | {CONVERTED_FROM: old.version},
        description=old.description,
        model_id=uri.rpartition("/")[2],
    )
    version = registry.version(old.name, str(created.version))
    reason = f"conversion of version {old.version}, whose file has an older format"
    entry = LedgerEntry("convert", old.name, version.version, old.stage, previous=old.version, reasons=(reason,))
    transition(registry, version, old.stage, entry, old)
    return version.version
