"""Metadata on steps and model versions; silent where a step runs as plain Python, outside a pipeline."""

from collections.abc import Mapping
from typing import Any


def log_step_metadata(values: Mapping[str, Any]) -> None:
    """Log `values` on the running step."""
    if inside_pipeline():
        from zenml import log_metadata

        log_metadata(metadata=dict(values))


def log_model_metadata(values: Mapping[str, Any]) -> None:
    """Log `values` on the model version of the running pipeline, if it belongs to one."""
    if inside_pipeline() and _of_a_model():
        from zenml import log_metadata

        log_metadata(metadata=dict(values), infer_model=True)


def inside_pipeline() -> bool:
    """Whether a step of a pipeline is running, not a plain function."""
    from zenml import get_step_context

    try:
        get_step_context()
    except RuntimeError:
        return False
    return True


def _of_a_model() -> bool:
    from zenml import get_step_context
    from zenml.exceptions import StepContextError

    try:
        return get_step_context().model is not None
    except StepContextError:
        return False
