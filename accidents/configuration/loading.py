"""Loads the configuration: the YAML files of the pipelines, overridden by the command line."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from accidents.configuration.deployment import DeploymentSettings
from accidents.configuration.engine import EngineSettings
from accidents.configuration.evaluation import EvaluationSettings
from accidents.configuration.features import FeatureSettings
from accidents.configuration.inference import InferenceSettings
from accidents.configuration.ingestion import IngestionSettings
from accidents.configuration.monitoring import MonitoringSettings
from accidents.configuration.paths import PROJECT_ROOT, project_path
from accidents.configuration.promotion import PromotionSettings
from accidents.configuration.serving import ServingSettings
from accidents.configuration.source import is_local
from accidents.configuration.tracking import TrackingSettings
from accidents.configuration.training import TrainingSettings
from accidents.configuration.yaml_files import read_yaml
from accidents.errors import ConfigurationError
from accidents.settings import Settings

CONFIGS_FOLDER = PROJECT_ROOT / "configs"
_EXAMPLE = "the files in configs/"


class Configuration(Settings):
    """The whole configuration of a run, one section a pipeline."""

    ingestion: IngestionSettings
    features: FeatureSettings
    training: TrainingSettings
    evaluation: EvaluationSettings
    inference: InferenceSettings
    tracking: TrackingSettings
    deployment: DeploymentSettings
    promotion: PromotionSettings
    serving: ServingSettings
    monitoring: MonitoringSettings
    engine: EngineSettings


def load_configuration(
    files: Iterable[Path] = (), overrides: Mapping[str, Any] | None = None, names: Mapping[str, str] | None = None
) -> Configuration:
    """Load and validate the configuration.

    Relative paths in files are relative to the project; those of overrides, to the current folder.

    Args:
        files: YAML files that replace those of `configs/`; the key `pipeline` of each names its section.
        overrides: values by dotted path, such as `{"features.level": "scene"}`; None values are ignored.
        names: names of overrides in error messages, by dotted path, such as `--level`.

    Raises:
        ConfigurationError: a file is missing or invalid, or a key or value is rejected; names file, key and reason.

    Example:
        >>> load_configuration(overrides={"features.level": "scene"}).features.level
        'scene'
    """
    section_files = {name: CONFIGS_FOLDER / f"{name}.yaml" for name in Configuration.model_fields}
    for file in files:
        section_files[_section_of(file)] = file
    sections = {
        name: {k: v for k, v in read_yaml(file, _EXAMPLE).items() if k != "pipeline"}
        for name, file in section_files.items()
    }
    _resolve_location(sections["ingestion"].get("source"))
    given = {path: value for path, value in (overrides or {}).items() if value is not None}
    for path, value in given.items():
        _set_path(sections, path.split("."), value)
    try:
        return Configuration.model_validate(sections)
    except ValidationError as error:
        shown = {path: (names or {}).get(path, path) for path in given}
        messages = [_error_message(detail, section_files, shown) for detail in error.errors()]
        raise ConfigurationError("\n".join(messages)) from None


def _section_of(file: Path) -> str:
    name = read_yaml(file, _EXAMPLE).get("pipeline")
    if name not in Configuration.model_fields:
        raise ConfigurationError(
            f"{file}: the key 'pipeline' must say whose configuration this is: {', '.join(Configuration.model_fields)}"
        )
    return str(name)


def _resolve_location(source: Any) -> None:
    location = source.get("location") if isinstance(source, dict) else None
    if isinstance(location, str) and is_local(location):
        source["location"] = str(project_path(Path(location)))


def _set_path(sections: dict[str, Any], path: list[str], value: Any) -> None:
    for key in path[:-1]:
        if not isinstance(sections.get(key), dict):
            sections[key] = {}
        sections = sections[key]
    sections[path[-1]] = value


def _error_message(detail: ErrorDetails, files: Mapping[str, Path], names: Mapping[str, str]) -> str:
    """Name of the option, or file and key; the invalid value; the reason."""
    section, *keys = (str(part) for part in detail["loc"])
    key = ".".join(keys) or section
    path = f"{section}.{key}."
    options = [name for other, name in names.items() if f"{other}.".startswith(path) or path.startswith(f"{other}.")]
    place = " and ".join(options) or f"{files.get(section, CONFIGS_FOLDER)}: '{key}'"
    if detail["type"] == "extra_forbidden":
        return f"{place} is not a key of this configuration{_existing_keys(detail['loc'])}"
    value = "" if isinstance(detail["input"], dict) else f" = {detail['input']!r}"
    return f"{place}{value}: {detail['msg'].removeprefix('Value error, ')}"


def _existing_keys(location: Sequence[int | str]) -> str:
    """The keys that exist where an unknown one was found; nothing where they depend on the other values."""
    model: Any = Configuration
    for part in location[:-1]:
        field = model.model_fields.get(part)
        if field is None or not hasattr(field.annotation, "model_fields"):
            return ""
        model = field.annotation
    return f"; the keys are {', '.join(model.model_fields)}"
