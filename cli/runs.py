"""Runs of pipelines: start one, find its results again, and say in one paragraph why it failed."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from accidents.errors import AccidentsError, ModelError

DEBUG = "Run it again with --debug to see the traceback."


class PipelineError(AccidentsError):
    """A pipeline failed; the text says in which step and why."""


def run_pipeline(
    pipeline: Any,
    *,
    cache: bool,
    debug: bool,
    on_failure: Callable[[Any], str] = lambda _: "",
    version: Any = None,
    advice: str = DEBUG,
    **arguments: Any,
) -> Any:
    """Run a pipeline to its end and return the run.

    Args:
        pipeline: the pipeline.
        cache: whether results of earlier runs are used.
        debug: leave exceptions as they are.
        on_failure: leaves the files of a run that failed, and gives a sentence on them, or nothing.
        version: the version of a ZenML model that the run belongs to.
        advice: what to do about a failure, its last line.
        **arguments: what the pipeline takes.

    Raises:
        PipelineError: a step failed.
    """
    from zenml.client import Client

    name = f"{pipeline.name}-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    options: dict[str, Any] = {"run_name": name} if cache else {"run_name": name, "enable_cache": False}
    try:
        pipeline.with_options(**options, model=version)(**arguments)
    except Exception as error:
        run = _run_named(name)
        files = on_failure(run) if run else ""
        if debug:
            raise
        raise PipelineError(_why(pipeline.name, run, error, (files, advice))) from error
    return Client().get_pipeline_run(name)


def latest_run(pipeline: str) -> Any:
    """The latest completed run of a pipeline.

    Raises:
        ModelError: there is none.
    """
    from zenml.client import Client

    runs = Client().list_pipeline_runs(pipeline=pipeline, status="completed", sort_by="desc:created", size=1).items
    if not runs:
        raise ModelError(f"the pipeline {pipeline} has not run to its end here: python run.py --{pipeline}")
    return runs[0]


def _run_named(name: str) -> Any:
    """The run of that name; None where a pipeline failed before its run began."""
    from zenml.client import Client

    runs = Client().list_pipeline_runs(name=name, size=1).items
    return runs[0] if runs else None


def _why(pipeline: str, run: Any, error: Exception, hints: tuple[str, ...]) -> str:
    """One paragraph: the failed steps and their reasons, or the error itself where no step had begun."""
    failed = [step for step in run.steps.values() if str(step.status) == "failed"] if run else []
    reasons = [f"the step {step.name} failed: {_reason(step)}" for step in failed]
    told = "\n".join(reasons) or f"{type(error).__name__}: {error}"
    lines = [f"the pipeline {pipeline} stopped: {told}", *hints]
    return "\n".join(line for line in lines if line)


def _reason(step: Any) -> str:
    """The message of the exception that ended a step; its class, too, where it is none of the project's own."""
    failure = step.exception_info
    if failure is None:
        return "no reason was recorded"
    kind = str(failure.source)
    return str(failure.message) if kind.startswith("accidents.errors.") else f"{kind}: {failure.message}"
