"""Idempotent registration of a stack file in ZenML: secrets, components, stack.

Only what the file names is changed, and nothing is deleted: a component that needs another flavor is renamed, because
earlier runs refer to it. Secrets are written first, since ZenML resolves them when it validates a configuration; then
all configurations are validated before the first component is created.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from zenml.client import Client
from zenml.config.global_config import GlobalConfiguration
from zenml.enums import StackComponentType
from zenml.models import ComponentResponse

from accidents.errors import ConfigurationError
from stacks.definition import ZENML_DEFAULT, Component, StackDefinition, find_stack_file, read_stack_file
from stacks.secrets import SecretState, drop_secret_references, secret_states, write_secret
from stacks.validation import validate_configuration

Result = Literal["created", "updated", "unchanged"]


@dataclass(frozen=True)
class RegistrationOutcome:
    """What the registration did with one secret, component or stack."""

    kind: str
    name: str
    result: Result


def register_stack(definition: StackDefinition, environment: Mapping[str, str]) -> list[RegistrationOutcome]:
    """Register a stack, or update what differs from its file.

    Args:
        definition: the stack file.
        environment: environment variables with the values of secrets.

    Returns:
        One outcome for each secret, each component and the stack.

    Raises:
        ConfigurationError: a variable of a secret is not set, or a component is not valid. No component and no stack
            has been changed.
    """
    client = Client()
    states = secret_states(client, definition, environment)
    outcomes = [
        RegistrationOutcome("secret", state.name, write_secret(client, state)) for state in states if state.usable
    ]
    configurations = dict(_configurations(client, definition, states))
    ids = {}
    for kind, component in definition.components.items():
        ids[kind], result = _register_component(client, kind, component, configurations[kind])
        outcomes.append(RegistrationOutcome(kind, str(component.name), result))
    return [
        *outcomes,
        RegistrationOutcome("stack", definition.name, _create_or_update_stack(client, definition.name, ids)),
    ]


def register_absent(names: Iterable[str], environment: Mapping[str, str]) -> list[str]:
    """Register the stacks of the project that ZenML does not have, where its store is this machine's own.

    Returns:
        The names of absent stacks that were not registered, as the store is that of a team.

    Raises:
        ConfigurationError: a component is not valid.
    """
    configuration = GlobalConfiguration()
    is_local = configuration.store_configuration.url == configuration.get_default_store().url
    registered = {stack.name for stack in Client().list_stacks(size=1000).items}
    absent = [name for name in names if name not in registered]
    if not is_local:
        return absent
    for name in absent:
        register_stack(read_stack_file(find_stack_file(name), environment), environment)
    return []


def _configurations(
    client: Client, definition: StackDefinition, states: list[SecretState]
) -> Iterator[tuple[StackComponentType, dict[str, Any]]]:
    """Validated configuration by component type, as ZenML stores it."""
    absent = {state.name for state in states if not state.usable}
    for kind, component in definition.components.items():
        place = f"{definition.file}: components.{kind}"
        if component.name == ZENML_DEFAULT:
            if find_component(client, kind, ZENML_DEFAULT) is None:
                raise ConfigurationError(
                    f"{place}: ZenML has no {kind} {ZENML_DEFAULT}; choose another name to create one"
                )
            yield kind, {}
        else:
            configuration = drop_secret_references(component.configuration, absent)
            yield kind, validate_configuration(kind, component.flavor, configuration, place)


def _register_component(
    client: Client, kind: StackComponentType, component: Component, configuration: dict[str, Any]
) -> tuple[Any, Result]:
    """Create or update a component; returns its id and what was done."""
    existing = find_component(client, kind, str(component.name))
    if component.name == ZENML_DEFAULT and existing:
        return existing.id, "unchanged"
    if existing and existing.flavor_name != component.flavor:
        new_name = f"{existing.name}-{existing.flavor_name}-{str(existing.id)[:8]}"
        client.update_stack_component(existing.id, existing.type, name=new_name)
    if existing is None or existing.flavor_name != component.flavor:
        name = str(component.name)
        created = client.create_stack_component(name, component.flavor, kind, configuration)
        return created.id, "updated" if existing else "created"
    if existing.configuration == configuration:
        return existing.id, "unchanged"
    removed = dict.fromkeys(existing.configuration.keys() - configuration.keys())
    client.update_stack_component(existing.id, existing.type, configuration={**removed, **configuration})
    return existing.id, "updated"


def _create_or_update_stack(client: Client, name: str, ids: Mapping[StackComponentType, Any]) -> Result:
    expected = {kind: [identifier] for kind, identifier in ids.items()}
    existing = next(iter(client.list_stacks(name=name, hydrate=True).items), None)
    if existing is None:
        client.create_stack(name, expected)
        return "created"
    current = {kind: [component.id for component in components] for kind, components in existing.components.items()}
    if current == expected:
        return "unchanged"
    removed: dict[StackComponentType, list[Any]] = {kind: [] for kind in current.keys() - expected.keys()}
    client.update_stack(existing.id, component_updates={**removed, **expected})
    return "updated"


def find_component(client: Client, kind: StackComponentType, name: str) -> ComponentResponse | None:
    """The component with exactly this name; None without one."""
    return next(iter(client.list_stack_components(type=kind, name=name, hydrate=True).items), None)
