"""ZenML pipelines of this project: they start from anywhere as `python run.py` starts them.

A pipeline prepares its process and ZenML's store, ends the runs of killed processes, adds the settings of the
orchestrator in use, and names the parameters and keys that exist where one is wrong. Everything else is ZenML's.
"""

import inspect
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from zenml.client import Client
from zenml.config.pipeline_run_configuration import PipelineRunConfiguration
from zenml.model.model import Model
from zenml.models import PipelineBuildResponse, PipelineRunResponse, PipelineSnapshotResponse
from zenml.pipelines.compilation_context import PipelineCompilationContext
from zenml.pipelines.pipeline_definition import Pipeline

from accidents.configuration.yaml_files import read_yaml
from accidents.errors import ConfigurationError
from accidents.worker_process import PRELOADED_MODULES, worker_process
from pipelines.interrupted_runs import PROCESS, end_run, interrupted_runs, process_record
from pipelines.orchestrators import DOCKER_SETTINGS, LOCAL, configure_for_orchestrator
from pipelines.session import prepare_process
from steps.notification import notify_failure, notify_success

_EXAMPLE = "the files in configs/zenml/"


class ProjectPipeline(Pipeline):
    """A pipeline of this project; see the module."""

    reads_source = False
    after_run: Callable[[PipelineRunResponse], None] = staticmethod(lambda _: None)

    def with_options(self, *args: Any, config_path: str | None = None, **options: Any) -> "ProjectPipeline":
        """As of ZenML, which ignores unknown keys of a run configuration.

        Raises:
            ConfigurationError: the file cannot be read, or has a key that ZenML does not know.
        """
        if config_path:
            _check_run_configuration(Path(config_path))
        return super().with_options(*args, config_path=config_path, **options)

    def prepare(self, *args: Any, **parameters: Any) -> None:
        """As of ZenML: resolve the parameters and call the function.

        Raises:
            ConfigurationError: there is no such parameter, or its value is refused; names those that there are.
        """
        prepare_process()
        self._add_hooks()
        known = inspect.signature(self.entrypoint).parameters
        configured = (self.configuration.parameters or {}) | (self._from_config_file.get("parameters") or {})
        if unknown := sorted({*parameters, *configured} - {*known}):
            raise ConfigurationError(
                f"the pipeline {self.name} has no parameter {', '.join(unknown)}; it has {', '.join(known)}"
            )
        try:
            super().prepare(*args, **parameters)
        except ValueError as error:
            if not isinstance(error.__cause__, ValidationError):
                raise
            faults = "; ".join(f"{detail['loc'][0]}: {detail['msg']}" for detail in error.__cause__.errors())
            raise ConfigurationError(f"parameters of the pipeline {self.name}: {faults}") from None
        configure_for_orchestrator(self, Client().active_stack.orchestrator.flavor)

    def _add_hooks(self) -> None:
        """Notify of the end of a run; not when the module is imported, as ZenML looks hooks up in its store."""
        if self.configuration.failure_hook_source is None:
            _configure(self, on_failure=notify_failure)
        if self.configuration.success_hook_source is None:
            _configure(self, on_success=notify_success)

    def create_snapshot(self, *args: Any, **options: Any) -> PipelineSnapshotResponse:
        """As of ZenML."""
        return Pipeline.create_snapshot(self.copy(), *args, **options)

    def build(self, *args: Any, **options: Any) -> PipelineBuildResponse | None:
        """As of ZenML."""
        return Pipeline.build(self.copy(), *args, **options)

    def __call__(self, *args: Any, **parameters: Any) -> PipelineRunResponse | None:
        """Run the pipeline on the active stack; what a run adds to the configuration stays with the run.

        Returns:
            The run; None where it was scheduled.
        """
        if PipelineCompilationContext.is_active():
            return super().__call__(*args, **parameters)
        prepare_process()
        current = self.copy()
        if PROCESS not in (current.configuration.extra or {}):
            for run in interrupted_runs():
                end_run(run)
            if Client().active_stack.orchestrator.flavor == LOCAL:  # elsewhere the run outlives this process
                _configure(current, extra=process_record())
        with worker_process(*PRELOADED_MODULES) if self.reads_source else nullcontext():
            run = Pipeline.__call__(current, *args, **parameters)
        if run is not None:
            self.after_run(run)
        return run


def pipeline(
    name: str, *, reads_source: bool = False, after_run: Callable[[PipelineRunResponse], None] | None = None
) -> Callable[[Callable[..., None]], ProjectPipeline]:
    """Decorate the function of a pipeline.

    Args:
        name: name in ZenML.
        reads_source: whether a worker process helps with the checks and reports on its data.
        after_run: is called with a run that has ended.
    """

    def decorate(function: Callable[..., None]) -> ProjectPipeline:
        result = ProjectPipeline(
            name=name,
            entrypoint=function,
            settings={"docker": DOCKER_SETTINGS},
        )
        result.__doc__, result.reads_source = function.__doc__, reads_source
        if after_run is not None:
            result.after_run = after_run
        return result

    return decorate


def configured_model() -> Model | None:
    """The ZenML model of the pipeline whose function is being called, such as that of its run configuration."""
    return _current_pipeline().configuration.model


def set_model(model: Model) -> None:
    """Let the run of the pipeline whose function is being called belong to a version of a ZenML model."""
    _configure(_current_pipeline(), model=model)


def set_extra(**values: str) -> None:
    """Record facts about the run of the pipeline whose function is being called, outside of cache keys."""
    _configure(_current_pipeline(), extra=values)


def _configure(current: Pipeline, **options: Any) -> None:
    """Change the configuration of a pipeline that is being prepared."""
    with current.__suppress_configure_warnings__():
        current.configure(**options)


def _current_pipeline() -> Pipeline:
    """The pipeline whose function is being called."""
    context = PipelineCompilationContext.get()
    if context is None:
        raise RuntimeError("this is called outside of the function of a pipeline")
    return context.pipeline


def _check_run_configuration(file: Path) -> None:
    """Refuse keys that ZenML would ignore."""
    known = PipelineRunConfiguration.model_fields
    if unknown := sorted(read_yaml(file, _EXAMPLE).keys() - known.keys()):
        raise ConfigurationError(
            f"{file}: {', '.join(unknown)}: not a key of a ZenML run configuration; these are {', '.join(known)}"
        )
