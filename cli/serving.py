"""`--serve`: which model the service answers with, and what is said when it does."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from accidents.configuration.loading import Configuration
from accidents.errors import ModelError

if TYPE_CHECKING:
    from serving.process.supervisor import ModelResolver, ServerProcess


def serve(given: argparse.Namespace, configuration: Configuration) -> int:
    """Serve until told to stop; returns the exit code.

    Raises:
        ConfigurationError: it would be open to others without a key, or the port is taken.
        ModelError: there is no model, or the server does not come up.
    """
    from cli.zenml_session import read_environment

    read_environment()
    from serving.process.bind_check import check_bind_address
    from serving.process.supervisor import model_file_resolver
    from serving.process.supervisor import serve as run

    settings = configuration.serving
    check_bind_address(settings)
    find = (
        model_file_resolver(_existing(Path(given.model_path)))
        if given.model_path
        else _of_registry(configuration, given)
    )

    def tell(service: "ServerProcess") -> None:
        print(f"serving {service.pointer.name} {service.pointer.version}")
        print(f"page {service.url}/   API {service.url}/docs   (Ctrl-C ends it)")
        if not settings.anonymous:
            print("callers need a key: python run.py keys create --name NAME --role predict", flush=True)
        sys.stdout.flush()

    return run(settings, find, tell)


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise ModelError(f"{path}: there is no such file; train a model with 'python run.py --training'")
    return path


def _of_registry(configuration: Configuration, given: argparse.Namespace) -> "ModelResolver":
    """Finds the model that holds the stage, or the version that was named, in the registry in use."""
    from cli.zenml_session import prepare

    prepare(given.stack, debug=given.debug)
    from cli.model_choice import chosen_version, fetched, stored_beside
    from serving.model.pointer import ModelPointer
    from tracking.connection import connect, current_target
    from tracking.registry import Registry

    folder = configuration.training.models_folder / "registry"
    store = current_target(configuration.tracking)
    print(f"registry {store}", flush=True)

    def find() -> ModelPointer:
        with connect(configuration.tracking, store) as connection:
            registry = Registry(connection)
            version = chosen_version(registry, given, configuration.serving.stage)
            bundle = fetched(registry, version, folder)
        stored = stored_beside(bundle)
        known = str(stored.resolve()) if stored.is_file() else ""
        return ModelPointer(str(bundle.resolve()), version.name, version.version, expected_predictions=known)

    return find
