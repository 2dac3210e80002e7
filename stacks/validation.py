"""Validation of component configurations by ZenML, before anything is stored, and of secrets in plain text."""

import json
from typing import Any

from pydantic import ValidationError
from zenml.client import Client
from zenml.enums import StackComponentType
from zenml.stack.stack_component import StackComponentConfig
from zenml.stack.utils import validate_stack_component_config
from zenml.utils.secret_utils import is_secret_field, is_secret_reference

from accidents.configuration.redaction import contains_password
from accidents.errors import ConfigurationError

REDACTED = "***"
_NO_AUTHENTICATION = {"tracking_token": "none"}
"""ZenML requires credentials for an MLflow server; a server without authentication ignores the token."""
_MLFLOW_CREDENTIALS = {"tracking_username", "tracking_password", "tracking_token"}


def validate_configuration(
    kind: StackComponentType, flavor: str, configuration: dict[str, Any], place: str
) -> dict[str, Any]:
    """Validate the configuration of a component.

    Args:
        kind: type of the component.
        flavor: flavor of the component.
        configuration: configuration from the file, with variables expanded.
        place: file and key, for error messages.

    Returns:
        The configuration as ZenML stores it.

    Raises:
        ConfigurationError: the configuration is not valid, or contains a secret in plain text.
    """
    try:
        model = Client().get_flavor_by_name_and_type(flavor, kind)
    except KeyError:
        raise ConfigurationError(
            f"{place}: ZenML has no flavor {flavor!r}; `zenml {kind.replace('_', '-')} flavor list` names them"
        ) from None
    _reject_passwords_in_addresses(configuration, place)
    is_mlflow = (kind, flavor) == (StackComponentType.EXPERIMENT_TRACKER, "mlflow")
    token = _default_token(configuration) if is_mlflow else {}
    try:
        config = validate_stack_component_config({**configuration, **token}, model, kind)
    except ValidationError as error:
        raise ConfigurationError(f"{place}: {'; '.join(map(error_message, error.errors()))}") from None
    except (ValueError, ImportError) as error:
        raise ConfigurationError(f"{place}: {error}") from None
    _reject_plain_secrets(config, configuration, place)
    return config.model_dump(mode="json", exclude_unset=True)


def _default_token(configuration: dict[str, Any]) -> dict[str, str]:
    remote = str(configuration.get("tracking_uri", "")).startswith(("http://", "https://"))
    return _NO_AUTHENTICATION if remote and not _MLFLOW_CREDENTIALS & configuration.keys() else {}


def _reject_passwords_in_addresses(configuration: dict[str, Any], place: str) -> None:
    if contains_password(json.dumps(configuration, default=str)):
        raise ConfigurationError(
            f"{place}: an address contains a user and a password; remove them and name them in the block secrets "
            "(docs/stacks.md)"
        )


def _reject_plain_secrets(config: StackComponentConfig, configuration: dict[str, Any], place: str) -> None:
    for key in secret_fields(type(config)) & configuration.keys():
        if not is_secret_reference(configuration[key]):
            raise ConfigurationError(
                f"{place}.configuration.{key}: is a secret and must not be in plain text; "
                "name it in the block secrets and write {{secret.key}} here"
            )


def secret_fields(config_class: type[StackComponentConfig]) -> set[str]:
    """Configuration keys of a flavor that ZenML treats as secrets."""
    return {name for name, field in config_class.model_fields.items() if is_secret_field(field)}


def error_key(detail: Any) -> str:
    """Dotted key of the value that one error of pydantic is about."""
    return ".".join(str(part) for part in detail["loc"] if part != "[key]")


def error_message(detail: Any) -> str:
    """Key and text of one error of pydantic, without the value, which may be a secret."""
    key = error_key(detail)
    return f"{key + ': ' if key else ''}{detail['msg'].removeprefix('Value error, ')}"
