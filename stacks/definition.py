"""Schema of stack files, and their reader."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator
from zenml.enums import StackComponentType

from accidents.configuration.yaml_files import read_yaml
from accidents.errors import ConfigurationError
from accidents.settings import Settings
from stacks.validation import error_key, error_message
from stacks.variables import expand_variables

STACKS_FOLDER = Path(__file__).resolve().parent
ZENML_DEFAULT = "default"
"""Name of the stack and components that ZenML creates itself; stack files may use them and never change them."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
_REFERENCE = re.compile(r"\{\{\s*([^\s.{}]+)\.([^\s{}]+)\s*\}\}")


class Component(Settings):
    """One component of a stack."""

    name: Name | None = Field(None, description="name in ZenML; without one, the name of the stack")
    flavor: str = Field(min_length=1, description="flavor, as `zenml flavor list` calls it")
    configuration: dict[str, Any] = Field(default_factory=dict, description="configuration of the flavor")


class Secret(Settings):
    """A secret in ZenML's secret store; the file names the environment variables with its values."""

    keys: dict[Name, VariableName] = Field(min_length=1, description="environment variable by key of the secret")
    optional: bool = Field(False, description="if it is not set, configuration keys that refer to it are left out")


class StackFile(Settings):
    """Schema of a stack file."""

    components: dict[StackComponentType, Component]
    secrets: dict[Name, Secret] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        required = (StackComponentType.ORCHESTRATOR, StackComponentType.ARTIFACT_STORE)
        if missing := [kind for kind in required if kind not in self.components]:
            raise ValueError(f"every stack needs an orchestrator and an artifact_store; missing: {', '.join(missing)}")
        for kind, component in self.components.items():
            if component.name == ZENML_DEFAULT and component.configuration:
                raise ValueError(
                    f"{kind}: the component {ZENML_DEFAULT} belongs to ZenML and takes no configuration here"
                )
        return self

    @model_validator(mode="after")
    def _references_are_defined(self) -> Self:
        for kind, component in self.components.items():
            for value in component.configuration.values():
                for name, key in secret_references(value):
                    self._check_reference(f"{kind} refers to {{{{{name}.{key}}}}}", name, key, value)
        return self

    def _check_reference(self, reference: str, name: str, key: str, value: Any) -> None:
        if not isinstance(value, str) or not _REFERENCE.fullmatch(value):
            raise ValueError(f"{reference}; ZenML takes that only as the whole value of a key of the flavor")
        if name not in self.secrets or key not in self.secrets[name].keys:
            raise ValueError(f"{reference}, which the block secrets does not name")


@dataclass(frozen=True)
class StackDefinition:
    """A stack as defined by its file and environment variables; every component has a name."""

    name: str
    file: Path
    components: Mapping[StackComponentType, Component]
    secrets: Mapping[str, Secret]


def list_stack_files(folder: Path = STACKS_FOLDER) -> dict[str, Path]:
    """Stack files by stack name, sorted by name."""
    return dict(sorted((file.stem, file) for file in folder.glob("*.yaml")))


def find_stack_file(name: str, folder: Path = STACKS_FOLDER) -> Path:
    """The file of a stack.

    Args:
        name: stack name, or path of a file that ends in `.yaml`.
        folder: where stack files are.

    Raises:
        ConfigurationError: there is no such file; names the existing stacks.
    """
    if name.endswith(".yaml"):
        return Path(name)
    files = list_stack_files(folder)
    if name not in files:
        raise ConfigurationError(
            f"{name}: no file {folder.name}/{name}.yaml defines such a stack; there are {', '.join(files)}"
        )
    return files[name]


def read_stack_file(file: Path, environment: Mapping[str, str]) -> StackDefinition:
    """Read a stack file; the stack is named after the file.

    Args:
        file: the stack file.
        environment: environment variables.

    Raises:
        ConfigurationError: the file is not readable or not valid, or a variable is not set; names file, key and remedy.
    """
    if file.stem == ZENML_DEFAULT:
        raise ConfigurationError(f"{file}: the stack {ZENML_DEFAULT} belongs to ZenML; give the file another name")
    try:
        content = StackFile.model_validate(read_yaml(file, f"{STACKS_FOLDER.name}/local.yaml"))
    except ValidationError as error:
        raise ConfigurationError("\n".join(_validation_messages(file, error))) from None
    components = {}
    for kind, component in content.components.items():
        place = f"{file}: components.{kind}.configuration"
        expanded = {"configuration": expand_variables(component.configuration, environment, place)}
        components[kind] = component.model_copy(update={"name": component.name or file.stem, **expanded})
    return StackDefinition(file.stem, file, components, content.secrets)


def secret_references(value: Any) -> Iterator[tuple[str, str]]:
    """Name and key of each secret reference `{{name.key}}` in a value."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from secret_references(part)
    elif isinstance(value, str):
        yield from _REFERENCE.findall(value)


def _validation_messages(file: Path, error: ValidationError) -> Iterator[str]:
    """One message an error, without the value, which may be a password."""
    texts = {"extra_forbidden": "not a key of a stack file; docs/stacks.md lists the keys", "missing": "missing"}
    for detail in error.errors():
        text = texts.get(detail["type"])
        yield f"{file}: '{error_key(detail)}' is {text}" if text else f"{file}: {error_message(detail)}"
