"""Metadata on steps, artifacts and model versions; silent where a step runs as plain Python, outside a pipeline."""

from collections.abc import Mapping
from typing import Any


def log_step(values: Mapping[str, Any]) -> None:
    """Log `values` on the running step."""
    if _in_a_pipeline():
        from zenml import log_metadata

        log_metadata(metadata=dict(values))


def log_artifact(name: str, values: Mapping[str, Any]) -> None:
    """Log `values` on the output `name` of the running step."""
    if _in_a_pipeline():
        from zenml import log_metadata

        log_metadata(metadata=dict(values), artifact_name=name, infer_artifact=True)


def log_model(values: Mapping[str, Any]) -> None:
    """Log `values` on the model version of the running pipeline."""
    if _in_a_pipeline():
        from zenml import log_metadata

        log_metadata(metadata=dict(values), infer_model=True)


def _in_a_pipeline() -> bool:
    from zenml import get_step_context

    try:
        get_step_context()
    except RuntimeError:
        return False
    return True
