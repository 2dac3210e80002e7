"""The reports of the models of one training, as the files that people open."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Reports:
    """By model type, the text of each file by its name, such as `report.html` and `plots/roc.svg`."""

    files: Mapping[str, Mapping[str, str]]
