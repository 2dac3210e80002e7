"""Deployment pipeline: select a registered version, smoke-test it, deploy it."""

from pipelines.defaults import ConfigurationParameter, resolve_configuration
from pipelines.definition import pipeline
from pipelines.models import registered_version
from steps.deployment.check_model import check_model
from steps.deployment.deploy_model import deploy_model
from steps.deployment.select_model import select_model


@pipeline("deployment")
def deployment(
    configuration: ConfigurationParameter = None, model_name: str | None = None, version: str | None = None
) -> None:
    """Deploy a registered version in place of the running service of the same model.

    Args:
        configuration: the effective configuration, or the keys that differ from the files in `configs/`.
        model_name: registered model; the one with the best F1 in the stage to deploy where None.
        version: its number, stage or alias; the holder of the stage to deploy where None.
    """
    configuration = resolve_configuration(configuration)
    settings, tracking = configuration.deployment, configuration.tracking
    selected = registered_version(configuration, model_name, version, settings.stage)
    model, number = select_model(selected.name, selected.version, tracking=tracking)
    check = check_model(model, number, settings=settings, tracking=tracking)
    deploy_model(model, number, check, settings=settings, tracking=tracking)
