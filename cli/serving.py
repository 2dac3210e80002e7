"""`--serve`: find the model, run the service, and print where it answers."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from accidents.bundle.archive import SUFFIX
from accidents.configuration.stages import STAGING
from accidents.errors import ModelError
from cli.model_lookup import find_registered_version
from cli.run_options import RunOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from accidents.configuration.loading import Configuration
    from serving.process.resolved_model import ModelResolver
    from serving.process.supervisor import ServerProcess
    from tracking.registry import RegisteredVersion, Registry


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
        resolve = model_file_resolver(model_file)
    elif location := _published_location(options):
        from serving.model.published import published_model_resolver

        print(f"published in {location}", flush=True)
        resolve = published_model_resolver(location, configuration.training.models_folder / "published")
    else:
        resolve = _registry_resolver(
            options, configuration, lambda registry: find_registered_version(registry, options, settings.stage)
        )
    resolve_shadow = _resolve_shadow(options, configuration)

    def print_addresses(service: "ServerProcess") -> None:
        print(f"serving {service.pointer.name} {service.pointer.version}")
        if shadow := service.shadow_pointer:
            print(f"beside it, as shadow, {shadow.name} {shadow.version}")
        print(f"page {service.url}/   API {service.url}/docs   (Ctrl-C ends it)")
        if not settings.anonymous:
            print("callers need a key: python run.py keys create --name NAME --role predict", flush=True)
        sys.stdout.flush()

    return run(settings, resolve, print_addresses, resolve_shadow)


def _published_location(options: RunOptions) -> str | None:
    """Where the model to serve is published: `--published`, or the environment where no other model is named."""
    from accidents.bundle.publication import LOCATION_ENV

    if options.published or options.model_name or options.best:
        return options.published
    return os.environ.get(LOCATION_ENV)


def _resolve_shadow(options: RunOptions, configuration: "Configuration") -> "ModelResolver | None":
    """A function that looks the shadow model up: a file, or a registered version; None where none is configured."""
    text = configuration.serving.shadow.model
    if text is None:
        return None
    from serving.process.supervisor import model_file_resolver

    if text.endswith(SUFFIX) or Path(text).is_file():
        if not Path(text).is_file():
            raise ModelError(f"{text}: there is no such file; name another with --shadow")
        return model_file_resolver(Path(text))
    separator = "@" if "@" in text else "/"
    name, _, selector = text.partition(separator)

    def choose(registry: "Registry") -> "RegisteredVersion":
        from tracking.lookup import find_version

        registered = registry.resolve_name(name)
        if selector:
            return find_version(registry, registered, selector)
        return registry.holder(registered, STAGING) or registry.latest(registered)

    return _registry_resolver(options, configuration, choose, announce=options.model_path is not None)


def _registry_resolver(
    options: RunOptions,
    configuration: "Configuration",
    choose: "Callable[[Registry], RegisteredVersion]",
    *,
    announce: bool = True,
) -> "ModelResolver":
    """A function that looks a version up in the registry and copies its model file to this machine.

    With `announce` it is printed which registry that is.
    """
    from cli.zenml_session import prepare_zenml

    prepare_zenml(options.stack, debug=options.debug)
    from serving.model.pointer import ModelPointer
    from tracking.connection import connect, current_target
    from tracking.lookup import download_model, recorded_answers
    from tracking.model_files import MODEL_FILE_SHA256
    from tracking.registry import Registry

    folder = configuration.training.models_folder / "registry"
    target = current_target(configuration.tracking)
    if announce:
        print(f"registry {target}", flush=True)

    def find() -> ModelPointer:
        with connect(configuration.tracking, target) as connection:
            registry = Registry(connection)
            version = choose(registry)
            model_file = download_model(registry, version, folder)
        answers = recorded_answers(model_file)
        stored = str(answers.resolve()) if answers.is_file() else ""
        digest = version.tags[MODEL_FILE_SHA256]
        return ModelPointer(str(model_file.resolve()), version.name, version.version, digest, stored)

    return find
