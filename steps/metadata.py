"""Metadata of steps; outside of a pipeline, where a step is a plain function, nothing is logged."""

from collections.abc import Mapping
from typing import Any

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
