"""What ZenML has to say about the configuration of a component, before anything is stored, and what we add to it."""

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from accidents.configuration.redaction import contains_password
from accidents.errors import ConfigurationError

if TYPE_CHECKING:
    from zenml.stack.stack_component import StackComponentConfig

HIDDEN = "***"
_OPEN_SERVER = {"tracking_token": "none"}
"""ZenML refuses an MLflow server without credentials; a server that asks for none ignores this."""
_MLFLOW_CREDENTIALS = {"tracking_username", "tracking_password", "tracking_token"}


def validate_configuration(kind: str, flavor: str, configuration: dict[str, Any], place: str) -> dict[str, Any]:
    """The configuration as ZenML stores it.

    Args:
        kind: type of the component, such as `artifact_store`.
        flavor: flavor of the component.
        configuration: what the file says, variables put in.
        place: file and key, for the message of an error.

    Raises:
        ConfigurationError: ZenML refuses it, or a secret value stands in it openly.
    """
    from zenml.client import Client
    from zenml.enums import StackComponentType
    from zenml.stack.utils import validate_stack_component_config

    try:
        model = Client().get_flavor_by_name_and_type(flavor, StackComponentType(kind))
    except KeyError:
        raise ConfigurationError(
            f"{place}: ZenML knows no flavor {flavor!r}; `zenml {kind.replace('_', '-')} flavor list` names them"
        ) from None
    _refuse_credentials_in_addresses(configuration, place)
    if (kind, flavor) == ("experiment_tracker", "mlflow"):
        wanted = {**configuration, **_for_open_server(configuration)}
    else:
        wanted = configuration
    try:
        config = validate_stack_component_config(wanted, model, StackComponentType(kind))
    except ValidationError as error:
        faults = "; ".join(_fault(detail) for detail in error.errors())
        raise ConfigurationError(f"{place}: {faults}") from None
    except (ValueError, ImportError) as error:
        raise ConfigurationError(f"{place}: {error}") from None
    _refuse_open_secrets(config, configuration, place)
    return config.model_dump(mode="json", exclude_unset=True)


def _for_open_server(configuration: dict[str, Any]) -> dict[str, str]:
    remote = str(configuration.get("tracking_uri", "")).startswith(("http://", "https://"))
    return _OPEN_SERVER if remote and not _MLFLOW_CREDENTIALS & configuration.keys() else {}


def _refuse_credentials_in_addresses(value: Any, place: str) -> None:
    for part in texts(value):
        if contains_password(part):
            raise ConfigurationError(
                f"{place}: an address holds a user and a password; take them out of it and name them in the block "
                "secrets (docs/stacks.md)"
            )


def _refuse_open_secrets(config: "StackComponentConfig", configuration: dict[str, Any], place: str) -> None:
    from zenml.utils.secret_utils import is_secret_reference

    for key in secret_fields(type(config)) & configuration.keys():
        if not is_secret_reference(configuration[key]):
            raise ConfigurationError(
                f"{place}.configuration.{key}: is a secret and must not stand in the open; "
                "name it in the block secrets and write {{secret.key}} here"
            )


def secret_fields(config_class: "type[StackComponentConfig]") -> set[str]:
    """The keys of a flavor's configuration that ZenML takes for secrets."""
    from zenml.utils.secret_utils import is_secret_field

    return {name for name, field in config_class.model_fields.items() if is_secret_field(field)}


def texts(value: Any) -> list[str]:
    """Every text in a value, its mappings and lists."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for part in value for text in texts(part)]
    return [value] if isinstance(value, str) else []


def _fault(detail: Any) -> str:
    """One fault in words. The value is left out: it may be a secret."""
    key = ".".join(str(part) for part in detail["loc"])
    return f"{key + ': ' if key else ''}{detail['msg'].removeprefix('Value error, ')}"
