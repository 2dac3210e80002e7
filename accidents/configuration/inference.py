"""Configuration of the inference pipeline."""

from pydantic import Field

from accidents.configuration.base import Section


class InferenceSettings(Section):
    """How many accidents are scored."""

    chunk: int = Field(20_000, ge=1, description="accidents held in memory at a time")
