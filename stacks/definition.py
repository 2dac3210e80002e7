"""What a stack file may hold, and how one is read. Pure: knows the files and the environment, not ZenML."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from accidents.configuration.base import Settings
from accidents.configuration.yaml_files import read_yaml
from accidents.errors import ConfigurationError
from stacks.variables import expand_variables

STACKS_FOLDER = Path(__file__).resolve().parent
ZENML_DEFAULT = "default"
"""The name of the stack and of the components that ZenML makes by itself; they are used here and never changed."""

ComponentType = Literal[
    "orchestrator",
    "artifact_store",
    "container_registry",
    "image_builder",
    "experiment_tracker",
    "model_registry",
    "model_deployer",
    "deployer",
    "step_operator",
    "data_validator",
    "feature_store",
    "alerter",
    "annotator",
    "log_store",
    "sandbox",
]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
_REFERENCE = re.compile(r"\{\{\s*([^\s.{}]+)\.([^\s{}]+)\s*\}\}")


class Component(Settings):
    """One component of a stack."""

    name: Name | None = Field(None, description="name in ZenML; without one, the name of the stack")
    flavor: str = Field(min_length=1, description="flavor, as `zenml flavor list` calls it")
    configuration: dict[str, Any] = Field(default_factory=dict, description="configuration of the flavor")


class Secret(Settings):
    """A secret that ZenML keeps; the file names only the variables that fill it."""

    keys: dict[Name, VariableName] = Field(min_length=1, description="variable of the environment by key")
    optional: bool = Field(False, description="where it is not set, what refers to it is left out")


class StackFile(Settings):
    """A whole stack file."""

    components: dict[ComponentType, Component]
    secrets: dict[Name, Secret] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if missing := [kind for kind in ("orchestrator", "artifact_store") if kind not in self.components]:
            raise ValueError(f"every stack needs an orchestrator and an artifact_store; missing: {', '.join(missing)}")
        for kind, component in self.components.items():
            if component.name == ZENML_DEFAULT and component.configuration:
                raise ValueError(
                    f"{kind}: the component {ZENML_DEFAULT} belongs to ZenML and takes no configuration here"
                )
        return self

    @model_validator(mode="after")
    def _references_lead_somewhere(self) -> Self:
        for kind, component in self.components.items():
            for value in component.configuration.values():
                for name, key in secret_references(value):
                    self._check_reference(f"{kind} refers to {{{{{name}.{key}}}}}", name, key, value)
        return self

    def _check_reference(self, said: str, name: str, key: str, value: Any) -> None:
        if not isinstance(value, str) or not _REFERENCE.fullmatch(value):
            raise ValueError(f"{said}; ZenML takes that only as the whole value of a key of the flavor")
        if name not in self.secrets or key not in self.secrets[name].keys:
            raise ValueError(f"{said}, which the block secrets does not name")


@dataclass(frozen=True)
class StackDefinition:
    """A stack as its file and the environment say it should be; every component has its name."""

    name: str
    file: Path
    components: Mapping[str, Component]
    secrets: Mapping[str, Secret]


def list_stack_files(folder: Path = STACKS_FOLDER) -> dict[str, Path]:
    """The stack files, by name of the stack."""
    return dict(sorted((file.stem, file) for file in folder.glob("*.yaml")))


def find_stack_file(name: str, folder: Path = STACKS_FOLDER) -> Path:
    """The file of the stack `name`, which may be a path that ends in .yaml as well.

    Raises:
        ConfigurationError: no file defines it; names those there are.
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
    """Read one stack file; the stack is called like the file.

    Raises:
        ConfigurationError: the file cannot be read or used, or a variable is not set; names file, key and remedy.
    """
    if file.stem == ZENML_DEFAULT:
        raise ConfigurationError(f"{file}: the stack {ZENML_DEFAULT} belongs to ZenML; give the file another name")
    try:
        content = StackFile.model_validate(read_yaml(file, f"{STACKS_FOLDER.name}/local.yaml"))
    except ValidationError as error:
        raise ConfigurationError("\n".join(_refusals(file, error))) from None
    components: dict[str, Component] = {
        kind: Component(
            name=component.name or file.stem,
            flavor=component.flavor,
            configuration=expand_variables(
                component.configuration, environment, f"{file}: components.{kind}.configuration"
            ),
        )
        for kind, component in content.components.items()
    }
    return StackDefinition(file.stem, file, components, content.secrets)


def secret_references(value: Any) -> Iterator[tuple[str, str]]:
    """The secrets, as name and key, that a value refers to as `{{name.key}}`."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from secret_references(part)
    elif isinstance(value, str):
        yield from _REFERENCE.findall(value)


def _refusals(file: Path, error: ValidationError) -> Iterator[str]:
    """One line a fault. Values are not repeated: somebody may have written a password where a name belongs."""
    for detail in error.errors():
        key = ".".join(str(part) for part in detail["loc"] if part != "[key]")
        if detail["type"] == "extra_forbidden":
            yield f"{file}: '{key}' is not a key of a stack file; docs/stacks.md names those there are"
        elif detail["type"] == "missing":
            yield f"{file}: '{key}' is missing"
        else:
            yield f"{file}: {key + ': ' if key else ''}{detail['msg'].removeprefix('Value error, ')}"
