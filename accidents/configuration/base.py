"""The base of every configuration section: unknown keys are refused and sections do not change once read."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """A part of the configuration. Frozen; refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())
