"""Report files of the models of one training."""

from collections.abc import Mapping
from dataclasses import dataclass

REPORT_FILE = "report.html"
"""The file that holds the whole report of a model."""

CARD_FILE = "model_card.md"
"""The model card."""

CARD_ARTIFACT = "_model_card"
"""Name of the artifact of a model card, after the model type."""


@dataclass(frozen=True)
class ReportFiles:
    """Text of each report file by its name, such as `REPORT_FILE` or `plots/roc.svg`, by model type."""

    files: Mapping[str, Mapping[str, str]]
