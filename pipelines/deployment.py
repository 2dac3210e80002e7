"""Deployment pipeline: select a registered version, smoke-test it, deploy it."""

from zenml import pipeline

from accidents.configuration.loading import Configuration
from steps.deployment.check_model import check_model
from steps.deployment.deploy_model import deploy_model
from steps.deployment.select_model import select_model


@pipeline(name="deployment")
def deployment(configuration: Configuration, name: str | None = None, number: str | None = None) -> None:
    """Deploy a registered version in place of the running service of the same model.

    Args:
        configuration: the effective configuration.
        name: registered name; by default the model with the best F1 in Production.
        number: version number; by default the holder of the stage.
    """
    settings, tracking = configuration.deployment, configuration.tracking
    model, version = select_model(name, number, settings=settings, tracking=tracking)
    check = check_model(model, version, settings=settings, tracking=tracking)
    deploy_model(model, version, check, settings=settings, tracking=tracking)
