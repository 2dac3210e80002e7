"""Settings of runs by orchestrator: images, resources, retries; the files are in `configs/zenml/orchestrators/`."""

from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from zenml.config import DockerSettings
from zenml.config.docker_settings import DockerBuildConfig
from zenml.config.retry_config import StepRetryConfig
from zenml.pipelines.pipeline_definition import Pipeline
from zenml.utils.pipeline_docker_image_builder import DOCKER_IMAGE_WORKDIR

from accidents.configuration.environment import DEFAULTS
from accidents.configuration.paths import PROJECT_ROOT
from accidents.configuration.yaml_files import read_yaml
from accidents.errors import ConfigurationError
from accidents.settings import Settings

LOCAL = "local"
"""Flavor of the orchestrator that runs steps in the process of the client."""

FOLDER = PROJECT_ROOT / "configs/zenml/orchestrators"
DOCKER_SETTINGS = DockerSettings(
    requirements=str(PROJECT_ROOT / "requirements-pipelines.lock"),
    install_stack_requirements=False,  # the lock holds the packages of the stacks, in versions that go together
    build_config=DockerBuildConfig(dockerignore=str(FOLDER.parent / "dockerignore")),
    allow_download_from_code_repository=False,
    allow_download_from_artifact_store=False,
    # Cache keys name files of the project before a step imports it, where ZenML's entrypoint is the main module.
    runtime_environment=DEFAULTS | {"ZENML_CUSTOM_SOURCE_ROOT": DOCKER_IMAGE_WORKDIR},
)
"""Images for steps: the locked packages and the code."""

_REMOTE = "remote.yaml"


class StepOptions(Settings):
    """Settings and retries of a step."""

    settings: dict[str, Any] = Field(default_factory=dict)
    retry: StepRetryConfig | None = None


class OrchestratorOptions(Settings):
    """Schema of a file: settings of the pipelines, and options of their steps by name of the step."""

    settings: dict[str, dict[str, Any]] = Field(default_factory=dict)
    steps: dict[str, StepOptions] = Field(default_factory=dict)


def configure_for_orchestrator(pipeline: Pipeline, flavor: str) -> None:
    """Add the settings of an orchestrator to a pipeline whose steps are known; settings of the user go before.

    Args:
        pipeline: a copy for one run; it is changed.
        flavor: flavor of the orchestrator; nothing is added for `local`.

    Raises:
        ConfigurationError: a file is not valid; names file, key and fault.
    """
    if flavor == LOCAL:
        return
    for options in (read_options(FOLDER / _REMOTE), read_options(FOLDER / f"{flavor}.yaml")):
        with pipeline.__suppress_configure_warnings__():
            pipeline.configure(settings={key: _merged(pipeline, key, own) for key, own in options.settings.items()})
        for invocation in pipeline.invocations.values():
            if own := options.steps.get(invocation.step.name):
                invocation.step = invocation.step.copy().configure(settings=own.settings, retry=own.retry)


def read_options(file: Path) -> OrchestratorOptions:
    """The options of a file; none where it is absent.

    Raises:
        ConfigurationError: the file is not valid.
    """
    if not file.exists():
        return OrchestratorOptions()
    try:
        options = OrchestratorOptions.model_validate(read_yaml(file, f"{FOLDER.name}/{_REMOTE}"))
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise ConfigurationError(f"{file}: {'; '.join(faults)}") from None
    docker = options.settings.get("docker", {})
    if "requirements" in docker:
        docker["requirements"] = str(PROJECT_ROOT / docker["requirements"])
    return options


def _merged(pipeline: Pipeline, key: str, own: dict[str, Any]) -> dict[str, Any]:
    """Settings of a file, below those that the pipeline has from its user."""
    configured = pipeline.configuration.settings.get(key)
    if configured is None:
        return own
    default = DOCKER_SETTINGS.model_dump() if key == "docker" else {}
    chosen = configured.model_dump(exclude_unset=True).items()
    return own | {name: value for name, value in chosen if name not in default or default[name] != value}
