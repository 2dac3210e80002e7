"""The model that a command uses: a file, a version of the registry, or the best of the latest training."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from accidents.bundle.archive import SUFFIX
from accidents.configuration.stages import PRODUCTION
from accidents.errors import ModelError
from cli.run_options import RunOptions

if TYPE_CHECKING:
    from accidents.configuration.loading import Configuration
    from tracking.registry import RegisteredVersion, Registry

BEST_MODEL_FILE = "best_model.json"
"""File in the folder of models that names the best model file of the latest training."""


def find_model_file(options: RunOptions, configuration: "Configuration") -> Path | None:
    """The model file of `--model-path`, or a copy of the registered version; None where no model was named.

    Raises:
        RegistryError: there is no such model or version, or none is in the stage.
    """
    if options.model_path:
        return Path(options.model_path)
    if not (options.model_name or options.best):
        return None
    from tracking.connection import connect
    from tracking.lookup import download_model
    from tracking.registry import Registry

    with connect(configuration.tracking) as connection:
        registry = Registry(connection)
        stage = configuration.tracking.mlflow.model_registry.production_stage
        version = find_registered_version(registry, options, stage)
        return download_model(registry, version, configuration.training.models_folder / "registry")


def find_registered_version(registry: "Registry", options: RunOptions, stage: str = PRODUCTION) -> "RegisteredVersion":
    """The version of `--model-name`; without it the best one in `stage`.

    Raises:
        RegistryError: there is no such model or version, or none is in the stage.
    """
    from tracking.lookup import find_version

    name = registry.resolve_name(options.model_name) if options.model_name else None
    return find_version(registry, name, options.version or options.alias or options.stage, stage)


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
