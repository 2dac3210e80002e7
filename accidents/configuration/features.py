"""Configuration of the features: level of information and geography."""

from typing import Literal

from pydantic import Field

from accidents.settings import Settings


class FeatureSettings(Settings):
    """Which features a model uses."""

    level: Literal["strict", "call", "scene"] = Field("call", description="level of information")
    geography: bool = Field(True, description="whether to use places, target-encoded")
