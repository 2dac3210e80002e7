"""The effective configuration: the YAML files of the pipelines, and what the command line puts over them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from accidents.configuration.base import Settings
from accidents.configuration.deployment import DeploymentSettings
from accidents.configuration.evaluation import EvaluationSettings
from accidents.configuration.features import FeatureSettings
from accidents.configuration.inference import InferenceSettings
from accidents.configuration.ingestion import IngestionSettings
from accidents.configuration.paths import PROJECT_ROOT
from accidents.configuration.promotion import PromotionSettings
from accidents.configuration.serving import ServingSettings
from accidents.configuration.tracking import TrackingSettings
from accidents.configuration.training import TrainingSettings
from accidents.configuration.yaml_files import read_yaml
from accidents.errors import ConfigurationError

CONFIGS_FOLDER = PROJECT_ROOT / "configs"
_LIKE = "the files in configs/"


class Configuration(Settings):
    """Everything that a run depends on, one section a pipeline."""

    ingestion: IngestionSettings
    features: FeatureSettings
    training: TrainingSettings
    evaluation: EvaluationSettings
    inference: InferenceSettings
    tracking: TrackingSettings
    deployment: DeploymentSettings
    promotion: PromotionSettings
    serving: ServingSettings


def load_configuration(
    files: Iterable[Path] = (), overrides: Mapping[str, Any] | None = None, names: Mapping[str, str] | None = None
) -> Configuration:
    """Read `configs/`, put `files` in the place of the shipped ones, and `overrides` over both.

    Args:
        files: YAML files; the key `pipeline` of each says whose configuration it is.
        overrides: values by dotted path, such as `{"features.level": "scene"}`; None values are left out.
        names: what an override is called where it was typed, by the same paths, such as `--level`.

    Raises:
        ConfigurationError: a file is missing or no YAML, or a key or value is refused; names file, key and reason.
    """
    chosen = {name: CONFIGS_FOLDER / f"{name}.yaml" for name in Configuration.model_fields}
    for file in files:
        chosen[_pipeline_of(file)] = file
    sections = {
        name: {k: v for k, v in read_yaml(file, _LIKE).items() if k != "pipeline"} for name, file in chosen.items()
    }
    typed = {path: value for path, value in (overrides or {}).items() if value is not None}
    for path, value in typed.items():
        _put(sections, path.split("."), value)
    try:
        return Configuration.model_validate(sections)
    except ValidationError as error:
        called = {path: (names or {}).get(path, path) for path in typed}
        raise ConfigurationError("\n".join(_refusal(one, chosen, called) for one in error.errors())) from None


def _pipeline_of(file: Path) -> str:
    name = read_yaml(file, _LIKE).get("pipeline")
    if name not in Configuration.model_fields:
        raise ConfigurationError(
            f"{file}: the key 'pipeline' must say whose configuration this is: {', '.join(Configuration.model_fields)}"
        )
    return str(name)


def _put(sections: dict[str, Any], path: list[str], value: Any) -> None:
    for key in path[:-1]:
        sections = sections.setdefault(key, {})
    sections[path[-1]] = value


def _refusal(detail: ErrorDetails, files: Mapping[str, Path], typed: Mapping[str, str]) -> str:
    """A refused value: what was typed, or file and key; the value given; the reason."""
    section, *keys = (str(part) for part in detail["loc"])
    key = ".".join(keys) or section
    path = f"{section}.{key}."
    own = [name for other, name in typed.items() if f"{other}.".startswith(path) or path.startswith(f"{other}.")]
    place = " and ".join(own) or f"{files[section]}: '{key}'"
    if detail["type"] == "extra_forbidden":
        return f"{place} is not a key of this configuration"
    value = "" if isinstance(detail["input"], dict) else f" = {detail['input']!r}"
    return f"{place}{value}: {detail['msg'].removeprefix('Value error, ')}"
