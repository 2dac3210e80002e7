"""ZenML runs of processes that were killed, which would stay "running" for ever."""

from datetime import UTC, datetime
from typing import Any

from accidents.process_owner import ProcessOwner

PROCESS = "process"
"""Key of the process in the extra configuration of a run."""

_ACTIVE = 'oneof:["initializing", "provisioning", "running"]'
_REASON = "the process was killed"


def process_record() -> dict[str, str]:
    """What a run records about its process, in the extra configuration of its pipeline."""
    return {PROCESS: str(ProcessOwner.current())}


def interrupted_runs() -> list[Any]:
    """Runs that have not ended and whose process has, as far as this machine can tell."""
    from zenml.client import Client

    runs = Client().list_pipeline_runs(status=_ACTIVE, size=1000, hydrate=True).items
    return [run for run in runs if (owner := _owner(run)) and owner.has_ended]


def end_run(run: Any) -> None:
    """Set the status of an interrupted run, and of its unfinished steps, to failed."""
    from zenml.client import Client
    from zenml.enums import ExecutionStatus
    from zenml.models import PipelineRunUpdate, StepRunUpdate

    store, failed = Client().zen_store, ExecutionStatus.FAILED
    for step in Client().list_run_steps(pipeline_run_id=run.id, size=1000).items:
        if not step.status.is_finished:
            store.update_run_step(step.id, StepRunUpdate(status=failed, end_time=datetime.now(UTC)))
    store.update_run(run.id, PipelineRunUpdate(status=failed, status_reason=_REASON))


def _owner(run: Any) -> ProcessOwner | None:
    """The process that a run has recorded."""
    return ProcessOwner.parse((run.config.extra or {}).get(PROCESS))
