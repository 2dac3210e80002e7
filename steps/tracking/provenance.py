"""Where a record comes from; apart from the metadata of every step, so that no other step depends on tracking."""

from zenml import get_step_context
from zenml.utils.dashboard_utils import get_run_url

from steps.metadata import inside_pipeline
from tracking.git_version import code_version


def run_provenance() -> dict[str, str]:
    """Which code, and in a pipeline which run on which stack, for the records of others."""
    found = {"code_version": code_version()}
    if not inside_pipeline():
        return found
    run = get_step_context().pipeline_run
    own = {"zenml_run": run.name, "zenml_run_id": str(run.id), "zenml_run_url": get_run_url(run) or ""}
    return found | own | {"zenml_stack": run.stack.name if run.stack else ""}
