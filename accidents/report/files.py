"""The reports of the models of one training, as the files that people open."""

from collections.abc import Mapping
from dataclasses import dataclass

REPORT = "report.html"
"""The file that shows everything in one page."""


@dataclass(frozen=True)
class Reports:
    """By model type, the text of each file by its name, such as `REPORT` and `plots/roc.svg`."""

    files: Mapping[str, Mapping[str, str]]
