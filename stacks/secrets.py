"""Secrets of a stack file: from variables of the environment into ZenML's store, and from there alone into use.

A secret whose variables are not set stays what it is in ZenML: who registers the stack again need not know it.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from accidents.errors import ConfigurationError
from stacks.definition import Secret, StackDefinition, secret_references

if TYPE_CHECKING:
    from zenml.client import Client


@dataclass(frozen=True)
class SecretState:
    """One secret: what the environment says of it and what ZenML has. Values never show in a message."""

    name: str
    given: Mapping[str, str] = field(repr=False)
    stored: Mapping[str, str] | None = field(repr=False)
    usable: bool
    """Components may refer to it: it is given completely, or ZenML has it."""


def secret_states(client: "Client", definition: StackDefinition, environment: Mapping[str, str]) -> list[SecretState]:
    """What is known of each secret of the file.

    Raises:
        ConfigurationError: some variables of a secret are not set, and ZenML has not got their keys either.
    """
    return [_state(client, definition, name, secret, environment) for name, secret in definition.secrets.items()]


def _state(
    client: "Client", definition: StackDefinition, name: str, secret: Secret, environment: Mapping[str, str]
) -> SecretState:
    given = {key: environment[variable] for key, variable in secret.keys.items() if environment.get(variable)}
    stored = _stored(client, name)
    missing = [variable for key, variable in secret.keys.items() if key not in {*given, *(stored or {})}]
    if missing and (given or not secret.optional):
        raise ConfigurationError(
            f"{definition.file}: secrets.{name}: not set: {', '.join(missing)}; export them or write them in .env"
        )
    return SecretState(name, given, stored, usable=not missing)


def _stored(client: "Client", name: str) -> Mapping[str, str] | None:
    try:
        secret = client.get_secret(name, allow_partial_name_match=False, allow_partial_id_match=False)
    except KeyError:
        return None
    return secret.secret_values


def write_secret(client: "Client", state: SecretState) -> Literal["created", "updated", "unchanged"]:
    """Bring what the environment gives into ZenML; keys that the file does not name stay."""
    if state.stored is None:
        client.create_secret(state.name, dict(state.given))
        return "created"
    changed = {key: value for key, value in state.given.items() if state.stored.get(key) != value}
    if not changed:
        return "unchanged"
    client.update_secret(state.name, add_or_update_values=changed)
    return "updated"


def drop_secret_references(configuration: Mapping[str, Any], absent: Set[str]) -> dict[str, Any]:
    """A configuration without the keys that refer to a secret that there is not."""
    return {
        key: value
        for key, value in configuration.items()
        if not absent & {name for name, _ in secret_references(value)}
    }
