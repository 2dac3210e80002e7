"""The model that a command is to use: a file, a version of the registry, or the best of the latest training."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from accidents.configuration.loading import Configuration

if TYPE_CHECKING:
    from tracking.registry import RegisteredVersion, Registry


def chosen_file(given: argparse.Namespace, configuration: Configuration) -> Path | None:
    """The bundle that was named by path, or fetched from the registry; None where none was named.

    Raises:
        RegistryError: there is no such model or version, or nobody holds the stage.
    """
    if given.model_path:
        return Path(given.model_path)
    if not (given.model_name or given.best):
        return None
    from tracking.connection import connect
    from tracking.registry import Registry

    with connect(configuration.tracking) as connection:
        registry = Registry(connection)
        return fetched(registry, chosen_version(registry, given), configuration.training.models_folder / "registry")


def chosen_version(registry: "Registry", given: argparse.Namespace, stage: str = "Production") -> "RegisteredVersion":
    """The version of the registry that was named; the best one that holds `stage`, where none was.

    Raises:
        RegistryError: there is no such model or version, or nobody holds the stage.
    """
    from tracking.names import resolve_model_name

    if given.best or not given.model_name:
        return registry.best(stage=stage)
    name = resolve_model_name(given.model_name)
    if given.version:
        return registry.version(name, given.version)
    if given.alias:
        return registry.by_alias(name, given.alias)
    return registry.in_stage(name, given.stage or stage)


def fetched(registry: "Registry", version: "RegisteredVersion", folder: Path) -> Path:
    """A copy of the bundle beside the models, under a name that says which version of which store it is.

    Its stored accidents lie beside it (`stored_beside`).
    """
    target = folder / f"{version.name}-{version.version}-{version.model_uri.rpartition('-')[2][:8]}.joblib"
    if target.is_file():
        return target
    import tempfile

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        bundle = registry.download_bundle(version, Path(temporary))
        stored = bundle.with_name("stored_accidents.json")
        if stored.is_file():
            stored.replace(stored_beside(target))
        bundle.replace(target)
    return target


def stored_beside(bundle: Path) -> Path:
    """The accidents that a fetched bundle must answer as it did when it was trained; may be absent."""
    return bundle.with_suffix(".accidents.json")
