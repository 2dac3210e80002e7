"""Registered versions by number, stage or alias, and copies of their model files on this machine."""

from pathlib import Path

from accidents.configuration.stages import PRODUCTION, STAGES
from accidents.temporary_files import temporary_folder
from tracking.model_files import MODEL_FILE_SHA256, sha256
from tracking.registry import RegisteredVersion, Registry

LATEST = "latest"
"""Name under which ZenML has the version with the highest number."""


def find_version(
    registry: Registry, name: str | None, selector: str | None = None, stage: str = PRODUCTION
) -> RegisteredVersion:
    """A registered version.

    Args:
        registry: the registry.
        name: registered name; the best model in the stage where None.
        selector: number, `latest`, stage in any letter case, or alias; `stage` where None.
        stage: the stage, where there is no selector.

    Raises:
        RegistryError: there is no such model or version, or none is in the stage.
    """
    if name is None:
        return registry.best(stage=stage)
    selector = selector or stage
    if selector.isdecimal():
        return registry.version(name, selector)
    if selector.capitalize() in STAGES:
        return registry.in_stage(name, selector.capitalize())
    if selector == LATEST:
        return registry.latest(name)
    return registry.by_alias(name, selector)


def download_model(registry: Registry, version: RegisteredVersion, folder: Path) -> Path:
    """Copy the file of a registered version to a folder, unless it is there unchanged.

    Its name contains version and MLflow id.

    The recorded answers of the model are copied beside it (`recorded_answers`).
    """
    target = folder / f"{version.name}-{version.version}-{version.model_uri.rpartition('-')[2][:8]}.zip"
    if target.is_file() and sha256(target) == version.tags.get(MODEL_FILE_SHA256):
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with temporary_folder(folder) as temporary:
        bundle = registry.download_bundle(version, temporary)
        answers = bundle.with_name("stored_accidents.json")
        if answers.is_file():
            answers.replace(recorded_answers(target))
        bundle.replace(target)
    return target


def recorded_answers(model_file: Path) -> Path:
    """The file of accidents and the answers of the model after its training, for a smoke test; may be absent."""
    return model_file.with_suffix(".accidents.json")
