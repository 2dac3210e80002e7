"""Configuration of the inference pipeline."""

from pydantic import Field

from accidents.settings import Settings


class InferenceSettings(Settings):
    """Settings of batch scoring."""

    chunk: int = Field(20_000, ge=1000)
    """Accidents held in memory at a time; fewer would say too little about the file they are from."""
    derive_facts: bool = True
    """Derive light and department of the accidents of one file, where they are missing, from what they have."""
    threads: int = Field(2, ge=1)
    """Threads of the model; their number changes no prediction."""
