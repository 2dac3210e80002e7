"""Pipelines as ZenML pipelines: run configurations that ship, and what is said about wrong parameters and keys."""

from importlib import import_module
from pathlib import Path

import pytest
import yaml
from zenml.config.pipeline_run_configuration import PipelineRunConfiguration

from accidents.configuration.loading import load_configuration
from accidents.errors import ConfigurationError
from cli.run_options import PIPELINES
from pipelines.defaults import resolve_configuration
from pipelines.definition import ProjectPipeline
from pipelines.inference import inference
from pipelines.training import training
from tests.conftest import PROJECT
from tracking.names import registered_names


def shipped(name: str) -> tuple[Path, dict[str, object]]:
    file = PROJECT / "configs" / "zenml" / f"{name}.yaml"
    return file, yaml.safe_load(file.read_text())


@pytest.mark.parametrize("name", PIPELINES)
def test_a_run_configuration_ships_with_the_defaults_of_the_command_line(name: str) -> None:
    pipeline: ProjectPipeline = getattr(import_module(f"pipelines.{name}"), name)
    file, content = shipped(name)
    assert pipeline.with_options(config_path=str(file)).name == name
    configuration = PipelineRunConfiguration.model_validate(content)
    parameters = configuration.parameters or {}
    assert parameters.keys() <= set(pipeline.entrypoint.__annotations__)
    assert resolve_configuration(parameters.get("configuration")) == load_configuration()
    assert configuration.model is None or configuration.model.name in registered_names().values()


def test_an_unknown_key_of_a_run_configuration_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("paramters: {}\n")
    with pytest.raises(ConfigurationError, match=r"run.yaml: paramters: not a key .* parameters"):
        training.with_options(config_path=str(file))
    with pytest.raises(ConfigurationError, match=r"nowhere.yaml: cannot be read"):
        training.with_options(config_path=str(tmp_path / "nowhere.yaml"))


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"features": {"levl": "call"}}, r"features.levl is not a key .*; the keys are level, geography"),
        ({"trainin": {"models": "all"}}, r"'trainin' is not a key .*; the keys are ingestion, .*training"),
        ({"ingestion": {"source": {"sample": {"rows": 1}}}}, r"the keys are accidents, year, seed"),
        ({"features": "scene"}, r"features = 'scene'"),
        ({"features": {"level": {"name": "scene"}}}, r"features.level"),
        ({"training": {"models": ["lightgbn"]}}, r"unknown: lightgbn; allowed: lightgbm"),
    ],
)
def test_a_wrong_key_names_those_that_exist(configuration: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        resolve_configuration(configuration)


@pytest.mark.slow
def test_a_wrong_parameter_names_those_that_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="training has no parameter modles; it has configuration, fingerprint"):
        training.prepare(modles=["lightgbm"])
    file = tmp_path / "run.yaml"
    file.write_text("parameters: {modles: [lightgbm]}\n")
    with pytest.raises(ConfigurationError, match="has no parameter modles"):
        training.with_options(config_path=str(file)).prepare()
    with pytest.raises(ConfigurationError, match=r"parameters of the pipeline inference: .*source"):
        inference.prepare(target="x.csv")


@pytest.mark.slow
def test_a_training_takes_no_zenml_model(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("model: {name: Accident_Prediction_Lightgbm}\n")
    with pytest.raises(ConfigurationError, match="registers a version of one model for each of its model types"):
        training.with_options(config_path=str(file)).prepare()
