"""Deployment: a registered model in, a service that answers out."""

from zenml import pipeline

from accidents.configuration.loading import Configuration
from steps.deployment.check_model import check_model
from steps.deployment.deploy_model import deploy_model
from steps.deployment.select_model import select_model


@pipeline(name="deployment")
def deployment(configuration: Configuration, name: str | None = None, number: str | None = None) -> None:
    """Take the model to serve, try it, and put it in the place of the one that is served now.

    Args:
        configuration: the effective configuration.
        name: registered name; the best Production model of all, if not given.
        number: version to serve, in place of the one that holds the stage.
    """
    settings, tracking = configuration.deployment, configuration.tracking
    model, version = select_model(name, number, settings=settings, tracking=tracking)
    check = check_model(model, version, settings=settings, tracking=tracking)
    deploy_model(model, version, check, settings=settings, tracking=tracking)
