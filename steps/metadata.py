"""Metadata of steps and model versions; outside of a pipeline, where a step is a plain function, nothing is logged."""

from collections.abc import Mapping
from typing import Any

from zenml import get_step_context, log_metadata
from zenml.exceptions import StepContextError


def log_step_metadata(values: Mapping[str, Any]) -> None:
    """Log metadata of the running step."""
    if inside_pipeline():
        log_metadata(metadata=dict(values))


def log_model_metadata(values: Mapping[str, Any]) -> None:
    """Log metadata of the ZenML model version that the running pipeline belongs to, if any."""
    if inside_pipeline() and _has_model_version():
        log_metadata(metadata=dict(values), infer_model=True)


def inside_pipeline() -> bool:
    """Whether the caller runs as a step of a pipeline."""
    try:
        get_step_context()
    except RuntimeError:
        return False
    return True


def _has_model_version() -> bool:
    try:
        return get_step_context().model is not None
    except StepContextError:
        return False
