"""Configuration of the features: how much a model is told."""

from typing import Literal

from pydantic import Field

from accidents.configuration.base import Settings


class FeatureSettings(Settings):
    """What a model may see of an accident."""

    level: Literal["strict", "call", "scene"] = Field("call", description="level of information")
    geography: bool = Field(True, description="whether a model may see places, encoded by what was recorded there")
