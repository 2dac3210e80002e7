"""Model cards as artifacts of a training, which ZenML shows with the version of each model."""

from zenml import save_artifact
from zenml.types import MarkdownString

from accidents.report.report_files import CARD_ARTIFACT, CARD_FILE, ReportFiles
from steps.metadata import inside_pipeline


def save_model_cards(reports: ReportFiles) -> None:
    """Save the card of each model as an artifact of the running step; outside of a pipeline nothing is saved."""
    if inside_pipeline():
        for model_type, files in reports.files.items():
            save_artifact(MarkdownString(files[CARD_FILE]), f"{model_type}{CARD_ARTIFACT}")
