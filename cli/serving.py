"""`--serve`: find the model, run the service, and print where it answers."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from accidents.errors import ModelError
from cli.run_options import RunOptions

if TYPE_CHECKING:
    from accidents.configuration.loading import Configuration
    from serving.process.supervisor import ModelResolver, ServerProcess


def serve(options: RunOptions, configuration: "Configuration") -> int:
    """Serve until the process is told to stop.

    Returns:
        The exit code.

    Raises:
        ConfigurationError: other machines could use it without a key, or the port is taken.
        ModelError: there is no model, or the server does not start.
    """
    from accidents.configuration.environment import load_environment

    load_environment()
    from serving.process.bind_check import check_bind_address
    from serving.process.supervisor import model_file_resolver
    from serving.process.supervisor import serve as run

    settings = configuration.serving
    check_bind_address(settings)
    if options.model_path:
        model_file = Path(options.model_path)
        if not model_file.is_file():
            raise ModelError(f"{model_file}: there is no such file; train a model with 'python run.py --training'")
        find = model_file_resolver(model_file)
    elif location := _published_location(options):
        from serving.model.published import published_model_resolver

        print(f"published in {location}", flush=True)
        find = published_model_resolver(location, configuration.training.models_folder / "published")
    else:
        find = _find_registered(options, configuration)

    def print_addresses(service: "ServerProcess") -> None:
        print(f"serving {service.pointer.name} {service.pointer.version}")
        print(f"page {service.url}/   API {service.url}/docs   (Ctrl-C ends it)")
        if not settings.anonymous:
            print("callers need a key: python run.py keys create --name NAME --role predict", flush=True)
        sys.stdout.flush()

    return run(settings, find, print_addresses)


def _published_location(options: RunOptions) -> str | None:
    """Where the model to serve is published: `--published`, or the environment where no other model is named."""
    from accidents.bundle.publication import LOCATION_ENV

    if options.published or options.model_name or options.best:
        return options.published
    return os.environ.get(LOCATION_ENV)


def _find_registered(options: RunOptions, configuration: "Configuration") -> "ModelResolver":
    """A function that looks the model up in the registry: `--model-name`, or the best in the stage of the service."""
    from cli.zenml_session import prepare_zenml

    prepare_zenml(options.stack, debug=options.debug)
    from cli.model_lookup import find_registered_version
    from serving.model.pointer import ModelPointer
    from tracking.connection import connect, current_target
    from tracking.lookup import download_model, recorded_answers
    from tracking.model_files import MODEL_FILE_SHA256
    from tracking.registry import Registry

    folder = configuration.training.models_folder / "registry"
    target = current_target(configuration.tracking)
    print(f"registry {target}", flush=True)

    def find() -> ModelPointer:
        with connect(configuration.tracking, target) as connection:
            registry = Registry(connection)
            version = find_registered_version(registry, options, configuration.serving.stage)
            model_file = download_model(registry, version, folder)
        answers = recorded_answers(model_file)
        stored = str(answers.resolve()) if answers.is_file() else ""
        digest = version.tags[MODEL_FILE_SHA256]
        return ModelPointer(str(model_file.resolve()), version.name, version.version, digest, stored)

    return find
