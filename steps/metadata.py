"""Metadata of steps; outside of a pipeline, where a step is a plain function, nothing is logged."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from zenml import get_step_context, log_metadata
from zenml.client import Client

FINGERPRINT = "fingerprint"
"""Metadata key of the step `ingest`: checksum of the files."""


def source_fingerprint(fingerprint: str) -> str:
    """The fingerprint that was given; where it is empty, that of the files that the step `ingest` has read."""
    if fingerprint or not inside_pipeline():
        return fingerprint
    run = Client().get_pipeline_run(get_step_context().pipeline_run.id)
    return str(run.steps["ingest"].run_metadata[FINGERPRINT])


def log_step_metadata(values: Mapping[str, Any]) -> None:
    """Log metadata of the running step."""
    if inside_pipeline():
        log_metadata(metadata=dict(values))


def inside_pipeline() -> bool:
    """Whether the caller runs as a step of a pipeline."""
    try:
        get_step_context()
    except RuntimeError:
        return False
    return True


def input_artifacts() -> dict[str, UUID]:
    """Ids of the artifacts by name of the parameter that takes one alone; empty outside of a pipeline."""
    if not inside_pipeline():
        return {}
    inputs = get_step_context().inputs
    return {name: artifacts[0].id for name, artifacts in inputs.items() if len(artifacts) == 1}


def input_ids() -> tuple[UUID, ...] | None:
    """Ids of the artifacts that the running step takes; None outside of a pipeline."""
    if not inside_pipeline():
        return None
    return tuple(artifact.id for artifacts in get_step_context().inputs.values() for artifact in artifacts)


def print_progress(model_type: str, message: str) -> None:
    """Print a message about a training, which the log of the step shows where it runs in this process."""
    print(f"{model_type}: {message}", flush=True)
