"""ZenML made to agree with a stack file: secrets, components, stack. A second time there is nothing left to do.

Only what the file names is touched, and nothing is deleted: a component that needs another flavor is set aside under
another name, because runs of the past refer to it. Secrets come first, for ZenML looks into them when it validates a
configuration; then every configuration is validated before the first component is made.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from accidents.errors import ConfigurationError
from stacks.definition import ZENML_DEFAULT, Component, StackDefinition
from stacks.secrets import SecretState, drop_secret_references, secret_states, write_secret
from stacks.validation import validate_configuration

if TYPE_CHECKING:
    from zenml.client import Client
    from zenml.models import ComponentResponse

Result = Literal["created", "updated", "unchanged"]


@dataclass(frozen=True)
class RegistrationOutcome:
    """What registration did about one secret, component or stack."""

    kind: str
    name: str
    result: Result


def register_stack(definition: StackDefinition, environment: Mapping[str, str]) -> list[RegistrationOutcome]:
    """Register the stack, or change what differs from its file.

    Args:
        definition: what the file says.
        environment: the variables that fill secrets.

    Returns:
        What was done, one outcome for each secret, each component and the stack.

    Raises:
        ConfigurationError: a variable of a secret is not set, or ZenML would refuse a component. No component and no
            stack was changed.
    """
    from zenml.client import Client

    client = Client()
    states = secret_states(client, definition, environment)
    outcomes = [
        RegistrationOutcome("secret", state.name, write_secret(client, state)) for state in states if state.usable
    ]
    configurations = dict(_configurations(client, definition, states))
    ids = {}
    for kind, component in definition.components.items():
        ids[kind], result = _component(client, kind, component, configurations[kind])
        outcomes.append(RegistrationOutcome(kind, str(component.name), result))
    return [*outcomes, RegistrationOutcome("stack", definition.name, _stack(client, definition.name, ids))]


def _configurations(
    client: "Client", definition: StackDefinition, states: list[SecretState]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The configuration of each component as ZenML stores it."""
    absent = {state.name for state in states if not state.usable}
    for kind, component in definition.components.items():
        place = f"{definition.file}: components.{kind}"
        if component.name == ZENML_DEFAULT:
            if find_component(client, kind, ZENML_DEFAULT) is None:
                raise ConfigurationError(
                    f"{place}: ZenML has no {kind} {ZENML_DEFAULT}; give it another name to make one"
                )
            yield kind, {}
        else:
            wanted = drop_secret_references(component.configuration, absent)
            yield kind, validate_configuration(kind, component.flavor, wanted, place)


def _component(client: "Client", kind: str, component: Component, configuration: dict[str, Any]) -> tuple[Any, Result]:
    """Id of the component, and what was done about it."""
    existing = find_component(client, kind, str(component.name))
    if component.name == ZENML_DEFAULT and existing:
        return existing.id, "unchanged"
    if existing and existing.flavor_name != component.flavor:
        aside = f"{existing.name}-{existing.flavor_name}-{str(existing.id)[:8]}"
        client.update_stack_component(existing.id, existing.type, name=aside)
        return _create(client, kind, component, configuration), "updated"
    if existing is None:
        return _create(client, kind, component, configuration), "created"
    if existing.configuration == configuration:
        return existing.id, "unchanged"
    gone = dict.fromkeys(existing.configuration.keys() - configuration.keys())
    client.update_stack_component(existing.id, existing.type, configuration={**gone, **configuration})
    return existing.id, "updated"


def _create(client: "Client", kind: str, component: Component, configuration: dict[str, Any]) -> Any:
    from zenml.enums import StackComponentType

    created = client.create_stack_component(
        name=str(component.name),
        flavor=component.flavor,
        component_type=StackComponentType(kind),
        configuration=configuration,
    )
    return created.id


def _stack(client: "Client", name: str, ids: Mapping[str, Any]) -> Result:
    from zenml.enums import StackComponentType

    wanted = {StackComponentType(kind): [identifier] for kind, identifier in ids.items()}
    existing = next(iter(client.list_stacks(name=name, hydrate=True).items), None)
    if existing is None:
        client.create_stack(name, wanted)
        return "created"
    present = {kind: [component.id for component in components] for kind, components in existing.components.items()}
    if present == wanted:
        return "unchanged"
    gone: dict[StackComponentType, list[Any]] = {kind: [] for kind in present.keys() - wanted.keys()}
    client.update_stack(existing.id, component_updates={**gone, **wanted})
    return "updated"


def find_component(client: "Client", kind: str, name: str) -> "ComponentResponse | None":
    """The component of exactly this name, if there is one."""
    return next(iter(client.list_stack_components(type=kind, name=name, hydrate=True).items), None)
