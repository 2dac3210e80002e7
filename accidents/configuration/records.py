"""Configuration of the records of the service: where they are kept, how much of each accident, and for how long."""

from typing import Literal

from pydantic import Field, SecretStr

from accidents.configuration.base import Settings


class RecordSettings(Settings):
    """The database of predictions, outcomes and API keys."""

    database_url: SecretStr | None = Field(
        None,
        description="postgresql://… or sqlite:///…; SERVING_DATABASE_URL goes before it; null: records/serving.db",
    )
    flush_seconds: float = Field(
        1.0, gt=0, le=60, description="time between two writes; what a killed process loses at most"
    )
    queue: int = Field(50_000, ge=1, description="predictions that wait to be written; more are dropped and counted")
    queue_megabytes: float = Field(100, gt=0, description="memory for the accidents of those that wait")
    inputs: Literal["full", "reduced", "none"] = Field(
        "reduced", description="of each accident: all, what features use without names and places in detail, or nothing"
    )
    keep_days: float = Field(365, gt=0, description="age at which python run.py predictions prune deletes")
    refresh_seconds: float = Field(2.0, gt=0, le=600, description="time until a new or revoked key takes effect")
