"""The model that a command uses: a file, a version of the registry, or the best of the latest training."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from accidents.bundle.archive import SUFFIX
from accidents.configuration.stages import PRODUCTION
from accidents.errors import ModelError
from accidents.temporary_files import temporary_folder
from cli.run_options import RunOptions

if TYPE_CHECKING:
    from accidents.configuration.loading import Configuration
    from tracking.registry import RegisteredVersion, Registry

BEST_MODEL_FILE = "best_model.json"
"""File in the folder of models that names the best model file of the latest training."""


def find_model_file(options: RunOptions, configuration: "Configuration", *, evaluated: bool = False) -> Path | None:
    """The model file of `--model-path`, or a copy of the registered version; None where no model was named.

    With `evaluated` it is that of the evaluated twin, where the registered version is a final model.

    Raises:
        RegistryError: there is no such model or version, or none is in the stage.
    """
    if options.model_path:
        return Path(options.model_path)
    if not (options.model_name or options.best):
        return None
    from tracking.connection import connect
    from tracking.registry import Registry

    with connect(configuration.tracking) as connection:
        registry = Registry(connection)
        version = find_version(registry, options, configuration.tracking.mlflow.model_registry.production_stage)
        file = download_model(registry, version, configuration.training.models_folder / "registry")
        if evaluated and version.final:
            file = file.with_suffix(".evaluated_twin.zip")
            registry.load_evaluated_bundle(version).save(file)
        return file


def find_version(registry: "Registry", options: RunOptions, stage: str = PRODUCTION) -> "RegisteredVersion":
    """The version of `--model-name`; without it the best one in `stage`.

    Raises:
        RegistryError: there is no such model or version, or none is in the stage.
    """
    if not options.model_name:
        return registry.best(stage=stage)
    name = registry.resolve_name(options.model_name)
    if options.version:
        return registry.version(name, options.version)
    if options.alias:
        return registry.by_alias(name, options.alias)
    return registry.in_stage(name, options.stage or stage)


def download_model(registry: "Registry", version: "RegisteredVersion", folder: Path) -> Path:
    """Copy the file of a registered version to a folder, unless it is there unchanged.

    Its name contains version and MLflow id.

    The recorded answers of the model are copied beside it (`recorded_answers`).
    """
    from tracking.model_files import MODEL_FILE_SHA256, sha256

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


def best_model_file(models: Path) -> Path:
    """The file of the model that the latest training proposed.

    Args:
        models: the folder of models.

    Raises:
        ModelError: nothing was trained yet, or `best_model.json` cannot be read.
    """
    path = models / BEST_MODEL_FILE
    try:
        file = models / str(json.loads(path.read_text(encoding="utf-8"))["file"])
        return converted if (converted := file.with_suffix(SUFFIX)).exists() else file
    except FileNotFoundError:
        raise ModelError(
            f"{path}: no model yet; train one with 'python run.py --training', or name one with --model-path"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: cannot be read ({error!r}); train again, or name one with --model-path") from None
