"""What ZenML has registered, in plain values for people and programs; secrets never among them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accidents.configuration.redaction import redact_credentials
from accidents.errors import ConfigurationError
from stacks.definition import STACKS_FOLDER, list_stack_files
from stacks.validation import HIDDEN, secret_fields

if TYPE_CHECKING:
    from zenml.models import ComponentResponse, StackResponse

_TELLING = re.compile(r"password|secret|token|credential|(^|_)key$|private_key|access_key", re.IGNORECASE)
_REFERENCE = re.compile(r"\{\{[^{}]*\}\}")


def registered_stacks() -> dict[str, "StackResponse"]:
    """The stacks that ZenML knows, by name."""
    from zenml.client import Client

    return {stack.name: stack for stack in Client().list_stacks(size=1000, hydrate=True).items}


def active_stack_name() -> str:
    """Name of the stack in use."""
    from zenml.client import Client

    return str(Client().active_stack_model.name)


def find_stack(name: str | None, folder: Path = STACKS_FOLDER) -> "StackResponse":
    """The registered stack, the active one without a name.

    Raises:
        ConfigurationError: there is none; says how to register it, or names those there are.
    """
    known = registered_stacks()
    name = name or active_stack_name()
    if name not in known:
        raise ConfigurationError(unknown_stack_message(name, list(known), folder))
    return known[name]


def unknown_stack_message(name: str, known: list[str], folder: Path = STACKS_FOLDER) -> str:
    """What to say of a stack that ZenML does not know."""
    if name in list_stack_files(folder):
        return f"the stack {name} is not registered yet; python run.py stack register {name}"
    return f"{name}: there is no such stack; there are {', '.join(sorted(known))}"


def list_stacks(folder: Path = STACKS_FOLDER) -> list[dict[str, Any]]:
    """Every stack that ZenML knows or a file defines."""
    known, files, chosen = registered_stacks(), list_stack_files(folder), active_stack_name()
    return [
        {
            "name": name,
            "active": name == chosen,
            "registered": name in known,
            "file": f"{folder.name}/{files[name].name}" if name in files else None,
            "components": _names(known[name]) if name in known else {},
        }
        for name in sorted({*known, *files})
    ]


def describe_stack(stack: "StackResponse") -> dict[str, Any]:
    """The stack with its components, their flavors and configuration."""
    return {
        "name": stack.name,
        "active": stack.name == active_stack_name(),
        "components": [
            {
                "type": str(model.type),
                "name": model.name,
                "flavor": model.flavor_name,
                "configuration": _shown_configuration(model),
            }
            for model in _components(stack)
        ],
    }


def _names(stack: "StackResponse") -> dict[str, str]:
    return {str(model.type): f"{model.name} ({model.flavor_name})" for model in _components(stack)}


def _components(stack: "StackResponse") -> Iterator["ComponentResponse"]:
    models = [model for components in stack.components.values() for model in components]
    yield from sorted(models, key=lambda model: str(model.type))


def _shown_configuration(model: "ComponentResponse") -> dict[str, Any]:
    from zenml.stack import Flavor

    try:
        secret = secret_fields(Flavor.from_model(model.flavor).config_class)
    except ImportError:  # a flavor that is not installed here cannot say what is secret
        secret = set(model.configuration)
    return {key: _shown(key, value, secret=key in secret) for key, value in model.configuration.items()}


def _shown(key: str, value: Any, *, secret: bool) -> Any:
    """A value fit to be shown: references are, what they refer to and what looks like a secret is not."""
    if isinstance(value, dict):
        return {name: _shown(name, part, secret=secret) for name, part in value.items()}
    if isinstance(value, list):
        return [_shown(key, part, secret=secret) for part in value]
    if isinstance(value, str) and _REFERENCE.fullmatch(value):
        return value
    if secret or _TELLING.search(key):
        return HIDDEN
    return redact_credentials(value) if isinstance(value, str) else value
