"""Registered stacks as plain values for output, with secrets redacted."""

import re
from typing import Any

from zenml.client import Client
from zenml.models import ComponentResponse, StackResponse
from zenml.stack import Flavor

from accidents.configuration.redaction import redact_credentials
from accidents.errors import ConfigurationError
from stacks.definition import STACKS_FOLDER, list_stack_files
from stacks.validation import REDACTED, secret_fields

_SECRET_KEYS = re.compile(r"password|secret|token|credential|(^|_)key$|private_key|access_key", re.IGNORECASE)
_REFERENCE = re.compile(r"\{\{[^{}]*\}\}")


def registered_stacks() -> dict[str, StackResponse]:
    """Registered stacks by name."""
    return {stack.name: stack for stack in Client().list_stacks(size=1000, hydrate=True).items}


def active_stack_name() -> str:
    """Name of the active stack."""
    return str(Client().active_stack_model.name)


def find_stack(name: str | None) -> StackResponse:
    """A registered stack; the active one without a name.

    Raises:
        ConfigurationError: the stack is not registered; names the command that registers it, or the existing stacks.
    """
    stacks = registered_stacks()
    name = name or active_stack_name()
    if name not in stacks:
        raise ConfigurationError(unknown_stack_message(name, list(stacks)))
    return stacks[name]


def unknown_stack_message(name: str, registered: list[str]) -> str:
    """Error message for a stack that is not registered."""
    if name in list_stack_files():
        return f"the stack {name} is not registered yet; python run.py stack register {name}"
    return f"{name}: there is no such stack; there are {', '.join(sorted(registered))}"


def list_stacks() -> list[dict[str, Any]]:
    """Every stack that is registered in ZenML or defined by a file."""
    stacks, files, active = registered_stacks(), list_stack_files(), active_stack_name()
    return [
        {
            "name": name,
            "active": name == active,
            "registered": name in stacks,
            "file": f"{STACKS_FOLDER.name}/{files[name].name}" if name in files else None,
            "components": {
                str(model.type): f"{model.name} ({model.flavor_name})"
                for model in (components_of(stacks[name]) if name in stacks else ())
            },
        }
        for name in sorted({*stacks, *files})
    ]


def describe_stack(stack: StackResponse) -> dict[str, Any]:
    """A stack with its components, their flavors and their configuration without secrets."""
    return {
        "name": stack.name,
        "active": stack.name == active_stack_name(),
        "components": [
            {
                "type": str(model.type),
                "name": model.name,
                "flavor": model.flavor_name,
                "configuration": _redacted_configuration(model),
            }
            for model in components_of(stack)
        ],
    }


def components_of(stack: StackResponse) -> list[ComponentResponse]:
    """Components of a stack, sorted by their type."""
    models = [model for components in stack.components.values() for model in components]
    return sorted(models, key=lambda model: str(model.type))


def _redacted_configuration(model: ComponentResponse) -> dict[str, Any]:
    try:
        secret = secret_fields(Flavor.from_model(model.flavor).config_class)
    except ImportError:  # the package of the flavor is not installed: treat every key as secret
        secret = set(model.configuration)
    return {key: _redact(key, value, secret=key in secret) for key, value in model.configuration.items()}


def _redact(key: str, value: Any, *, secret: bool) -> Any:
    """A value without secrets; references to secrets are kept."""
    if isinstance(value, dict):
        return {name: _redact(name, part, secret=secret) for name, part in value.items()}
    if isinstance(value, list):
        return [_redact(key, part, secret=secret) for part in value]
    if isinstance(value, str) and _REFERENCE.fullmatch(value):
        return value
    if secret or _SECRET_KEYS.search(key):
        return REDACTED
    return redact_credentials(value) if isinstance(value, str) else value
