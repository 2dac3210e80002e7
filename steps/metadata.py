"""Metadata of steps; outside of a pipeline, where a step is a plain function, nothing is logged."""

from collections.abc import Mapping
from typing import Any

from zenml import get_step_context, log_metadata


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
