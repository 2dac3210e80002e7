"""Runs of pipelines: start one, and describe a failure in one paragraph."""

from collections.abc import Callable
from datetime import UTC, datetime
from shutil import disk_usage
from typing import Any

from accidents.errors import AccidentsError, storage_fault
from cli.error_place import error_place
from pipelines.interrupted_runs import end_run, interrupted_runs, process_record
from pipelines.orchestrators import LOCAL
from pipelines.store_check import check_store

_PROJECT = {"accidents", "serving", "stacks", "steps", "tracking"}
"""Packages whose errors are sentences for users."""

_MAX_CHARACTERS = 300
_LEAST_FREE_BYTES = 2**20

DEBUG_HINT = "Run it again with --debug to see the traceback."


class PipelineError(AccidentsError):
    """A pipeline failed; the message has the step and the reason."""


def run_pipeline(
    pipeline: Any,
    *,
    cache: bool,
    debug: bool,
    on_failure: Callable[[Any], str] = lambda _: "",
    hint: str = DEBUG_HINT,
    **arguments: Any,
) -> Any:
    """Run a pipeline to its end and return the run; first end the runs of killed processes.

    Args:
        pipeline: the pipeline.
        cache: use cached results of earlier runs.
        debug: let the exceptions of ZenML and of the steps pass.
        on_failure: is called with a failed run; returns a sentence for the error message, or nothing.
        hint: the last line of the error message.
        **arguments: arguments of the pipeline.

    Raises:
        PipelineError: a step failed.
        StoreError: ZenML's store went away.
    """
    from zenml.client import Client

    for interrupted in interrupted_runs():
        end_run(interrupted)
    name = f"{pipeline.name}-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    here = Client().active_stack.orchestrator.flavor == LOCAL  # elsewhere the run outlives this process
    options = {"run_name": name, "extra": process_record() if here else {}, "enable_cache": None if cache else False}
    try:
        pipeline.with_options(**options)(**arguments)
    except Exception as error:
        if not debug:
            check_store()  # it may have gone away during the run
        run = _run_named(name)
        files = on_failure(run) if run else ""
        if debug or (run is None and isinstance(error, AccidentsError)):
            raise
        raise PipelineError(_failure_message(pipeline.name, run, error, (files, hint))) from error
    return Client().get_pipeline_run(name)


def _run_named(name: str) -> Any:
    """The run of that name; None where a pipeline failed before its run was created."""
    from zenml.client import Client

    runs = Client().list_pipeline_runs(name=name, size=1).items
    return runs[0] if runs else None


def _failure_message(pipeline: str, run: Any, error: Exception, hints: tuple[str, ...]) -> str:
    """The failed steps and their errors, or `error` itself where no step has run."""
    failed = [step for step in run.steps.values() if str(step.status) == "failed"] if run else []
    errors = [f"the step {step.name} failed: {_step_error(step, error)}" for step in failed]
    message = "\n".join(errors) or _without_step(error)
    lines = [f"the pipeline {pipeline} stopped: {message}", *hints]
    return "\n".join(line for line in lines if line)


def _without_step(error: Exception) -> str:
    """An error before or between steps, or one in a step that ZenML could not store."""
    from zenml.config.global_config import GlobalConfiguration

    full = disk_usage(GlobalConfiguration().local_stores_path).free < _LEAST_FREE_BYTES
    if fault := storage_fault("no space left on device" if full else str(error)):
        return f"{error_place(error)}: {fault}, and run it again"
    return f"{type(error).__name__}: {error}"


def _step_error(step: Any, error: Exception) -> str:
    """The message of the exception in a step, after its class unless it is an error of the project."""
    failure = step.exception_info
    if failure is None:  # a full disk leaves no room for it
        return _without_step(error)
    error_class, message = str(failure.source), str(failure.message)
    if error_class.partition(".")[0] in _PROJECT:
        return message
    first = message.strip().partition("\n")[0][:_MAX_CHARACTERS]
    fault = storage_fault(message)
    return f"{first}: {fault}, and run it again" if fault else f"{error_class}: {first}"
