"""Provenance tags of tracked trainings; apart from `steps.metadata`, so that other steps do not depend on tracking."""

from zenml import get_step_context
from zenml.utils.dashboard_utils import get_run_url

from steps.metadata import inside_pipeline
from tracking.git_version import code_version


def run_provenance() -> dict[str, str]:
    """Code version and, inside a pipeline, name, id and URL of the ZenML run and name of its stack."""
    tags = {"code_version": code_version()}
    if not inside_pipeline():
        return tags
    run = get_step_context().pipeline_run
    run_tags = {"zenml_run": run.name, "zenml_run_id": str(run.id), "zenml_run_url": get_run_url(run) or ""}
    return tags | run_tags | {"zenml_stack": run.stack.name if run.stack else ""}
