"""What a step leaves when it refuses data: the report, kept as an artifact although the step fails."""

from zenml.types import HTMLString

import materializers.frame  # noqa: F401  # stores the report
from accidents.errors import DataError
from steps.metadata import in_a_pipeline

REPORT = "validation_report"
PAGE = "expectations_report"
"""Names of the artifacts, those that the ingestion gives the same things when all goes well."""


def save_refusal(error: DataError) -> None:
    """Save the report and the page that an error carries as outputs of the running step."""
    if not in_a_pipeline():
        return
    from zenml import save_artifact

    if error.report is not None:
        save_artifact(error.report, REPORT)
    if error.page is not None:
        save_artifact(HTMLString(error.page), PAGE)
