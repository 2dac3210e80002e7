"""Configuration of the features: level of information and geography."""

from typing import Literal

from accidents.settings import Settings


class FeatureSettings(Settings):
    """Which features a model uses."""

    level: Literal["strict", "call", "scene"] = "call"
    """Level of information."""
    geography: bool = True
    """Whether to use places, target-encoded."""
