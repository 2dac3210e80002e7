"""Base class of the configuration sections."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """A section of the configuration: immutable, unknown keys are rejected."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())
