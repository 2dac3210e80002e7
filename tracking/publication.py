"""Publication of the best Production model in a folder or bucket, from where services without MLflow load it."""

from accidents.bundle.publication import PublishedModel, publish_model
from accidents.configuration.stages import PRODUCTION
from accidents.errors import AccidentsError, ModelError
from accidents.temporary_files import temporary_folder
from tracking.lookup import download_model, recorded_answers
from tracking.registry import Registry


class PublicationError(AccidentsError):
    """A stage was changed, and the model in Production could not be published."""


def publish_production(registry: Registry, location: str) -> PublishedModel:
    """Publish the best model in Production.

    Another process may promote a model meanwhile, so the registry is read again until nothing has changed.

    Args:
        registry: the registry.
        location: folder, or URL of fsspec such as s3://bucket/folder.

    Raises:
        ModelError: the location cannot be written.
        RegistryError: no model is in Production, or its files were changed since the registration.
    """
    published, version = None, registry.best(stage=PRODUCTION)
    while published is None or (published.name, published.version) != (version.name, version.version):
        with temporary_folder() as folder:
            model_file = download_model(registry, version, folder)
            answers = recorded_answers(model_file)
            expected = answers if answers.is_file() else None
            published = publish_model(location, version.name, version.version, model_file, expected)
        version = registry.best(stage=PRODUCTION)
    return published


def publish_after_change(registry: Registry) -> None:
    """Publish the best model in Production where a location is configured and a model is in Production.

    Raises:
        PublicationError: the location cannot be written.
    """
    location = registry.connection.publish_to
    if not location or not any(registry.holder(name, PRODUCTION) for name in registry.models()):
        return
    try:
        publish_production(registry, location)
    except ModelError as error:
        raise PublicationError(
            f"the stage is changed, and services do not see it yet: {error}; then publish it: "
            "python run.py registry publish"
        ) from None
