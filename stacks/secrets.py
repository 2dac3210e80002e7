"""Secrets of a stack file: read from environment variables, written to ZenML's secret store.

A secret whose variables are not set stays unchanged in ZenML, so that a stack can be registered again without it.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any, Literal

from zenml.client import Client

from accidents.errors import ConfigurationError
from stacks.definition import Secret, StackDefinition, secret_references


@dataclass(frozen=True)
class SecretState:
    """A secret of a stack file: its values in the environment and in ZenML. Values are left out of the repr."""

    name: str
    provided: Mapping[str, str] = field(repr=False)
    stored: Mapping[str, str] | None = field(repr=False)
    usable: bool
    """Whether components may refer to it: every key is provided or stored."""


def secret_states(client: Client, definition: StackDefinition, environment: Mapping[str, str]) -> list[SecretState]:
    """State of each secret of the file.

    Raises:
        ConfigurationError: variables of a secret are not set, and their keys are not stored in ZenML.
    """
    return [_state(client, definition, name, secret, environment) for name, secret in definition.secrets.items()]


def _state(
    client: Client, definition: StackDefinition, name: str, secret: Secret, environment: Mapping[str, str]
) -> SecretState:
    provided = {key: environment[variable] for key, variable in secret.keys.items() if environment.get(variable)}
    stored = _stored(client, name)
    missing = [variable for key, variable in secret.keys.items() if key not in {*provided, *(stored or {})}]
    if missing and (provided or not secret.optional):
        raise ConfigurationError(
            f"{definition.file}: secrets.{name}: not set: {', '.join(missing)}; export them or write them in .env"
        )
    return SecretState(name, provided, stored, usable=not missing)


def _stored(client: Client, name: str) -> Mapping[str, str] | None:
    try:
        secret = client.get_secret(name, allow_partial_name_match=False, allow_partial_id_match=False)
    except KeyError:
        return None
    return secret.secret_values


def write_secret(client: Client, state: SecretState) -> Literal["created", "updated", "unchanged"]:
    """Write the provided values to ZenML; other keys of the secret stay."""
    if state.stored is None:
        client.create_secret(state.name, dict(state.provided))
        return "created"
    changed = {key: value for key, value in state.provided.items() if state.stored.get(key) != value}
    if not changed:
        return "unchanged"
    client.update_secret(state.name, add_or_update_values=changed)
    return "updated"


def drop_secret_references(configuration: Mapping[str, Any], absent: Set[str]) -> dict[str, Any]:
    """A configuration without the keys that refer to an absent secret."""
    return {
        key: value
        for key, value in configuration.items()
        if not absent & {name for name, _ in secret_references(value)}
    }
