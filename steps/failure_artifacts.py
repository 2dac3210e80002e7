"""What a step leaves when it refuses data: the report, kept as an artifact although the step fails."""

from zenml.types import HTMLString

import materializers.frame  # noqa: F401  # stores the report
from accidents.errors import DataError
from steps.metadata import inside_pipeline

VALIDATION_REPORT = "validation_report"
EXPECTATIONS_REPORT = "expectations_report"
"""Names of the artifacts, those that the ingestion gives the same things when all goes well."""


def save_failure_report(error: DataError) -> None:
    """Save the report and the page that an error carries as outputs of the running step."""
    if not inside_pipeline():
        return
    from zenml import save_artifact

    if error.report is not None:
        save_artifact(error.report, VALIDATION_REPORT)
    if error.page is not None:
        save_artifact(HTMLString(error.page), EXPECTATIONS_REPORT)
