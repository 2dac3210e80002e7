"""The effective configuration: the YAML files of the pipelines, and what the command line puts over them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from accidents.configuration.base import Section
from accidents.configuration.deployment import DeploymentSettings
from accidents.configuration.evaluation import EvaluationSettings
from accidents.configuration.features import FeatureSettings
from accidents.configuration.files import read_keys
from accidents.configuration.inference import InferenceSettings
from accidents.configuration.ingestion import IngestionSettings
from accidents.configuration.promotion import PromotionSettings
from accidents.configuration.serving import ServingSettings
from accidents.configuration.tracking import TrackingSettings
from accidents.configuration.training import TrainingSettings
from accidents.errors import ConfigurationError

FOLDER = Path(__file__).resolve().parents[2] / "configs"
_LIKE = "the files in configs/"


class Configuration(Section):
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


def load(files: Iterable[Path] = (), overrides: Mapping[str, Any] | None = None) -> Configuration:
    """Read `configs/`, put `files` in the place of the shipped ones, and `overrides` over both.

    Args:
        files: YAML files; the key `pipeline` of each says whose configuration it is.
        overrides: values by dotted path, such as `{"features.level": "scene"}`; None values are left out.

    Raises:
        ConfigurationError: a file is missing or no YAML, or a key or value is refused; names file, key and reason.
    """
    chosen = {name: FOLDER / f"{name}.yaml" for name in Configuration.model_fields}
    for file in files:
        chosen[_pipeline_of(file)] = file
    sections = {
        name: {k: v for k, v in read_keys(file, _LIKE).items() if k != "pipeline"} for name, file in chosen.items()
    }
    for path, value in (overrides or {}).items():
        if value is not None:
            _put(sections, path.split("."), value)
    try:
        return Configuration.model_validate(sections)
    except ValidationError as error:
        raise ConfigurationError(_refusals(error, chosen)) from None


def _pipeline_of(file: Path) -> str:
    name = read_keys(file, _LIKE).get("pipeline")
    if name not in Configuration.model_fields:
        raise ConfigurationError(
            f"{file}: the key 'pipeline' must say whose configuration this is: {', '.join(Configuration.model_fields)}"
        )
    return str(name)


def _put(sections: dict[str, Any], path: list[str], value: Any) -> None:
    for key in path[:-1]:
        sections = sections.setdefault(key, {})
    sections[path[-1]] = value


def _refusals(error: ValidationError, files: Mapping[str, Path]) -> str:
    """One line a refused key: file, key, given value, reason."""
    lines = []
    for detail in error.errors():
        section, *keys = (str(part) for part in detail["loc"])
        name = ".".join(keys) or section
        if detail["type"] == "extra_forbidden":
            lines.append(f"{files[section]}: '{name}' is not a key of this configuration")
        else:
            lines.append(f"{files[section]}: '{name}' = {detail['input']!r}: {detail['msg']}")
    return "\n".join(lines)
