import subprocess
import sys
from itertools import chain
from pathlib import Path
from typing import get_args

import click
import pytest

from accidents.configuration import engine, training
from accidents.models import model_types
from cli.main import run as root
from cli.mode_option import ModeOption
from cli.run_options import ENGINES, OPTIONS, PIPELINES, RESAMPLING, TUNING, RunOptions


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "run.py", *arguments], cwd=project, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--training", "--level", "guess"), ("'strict', 'call', 'scene'",)),
        (("--training", "--tune", "magic"), ("'none', 'grid', 'optuna'",)),
        (("--training", "--resampling", "magic"), ("smote",)),
        (("--training", "--models", "magic"), model_types()),
        (("--training", "--years", "last"), ("2019-2024",)),
        (("--training", "--config", "no-such-file.yaml"), ("no-such-file.yaml",)),
        (("--inference",), ("--inference needs --input PATH",)),
        (("--inference", "--input", "x"), ("--inference needs --output PATH",)),
        (("--predict", "x.json", "--training"), ("--predict",)),
        (("--predict", "x.json", "--serve"), ("--predict", "--serve")),
        (("--predict", "x.json", "--stage", "Staging"), ("--model-name",)),
        (("--serve", "--version", "3"), ("--model-name",)),
        (("--serve", "--best", "--alias", "staging"), ("--model-name",)),
        (("--serve", "--stop"), ("--deployment",)),
        (("--deployment", "--model-path", "x.zip"), ("--model-name",)),
        (("--deployment", "--model-name", "xgboost", "--alias", "staging"), ("--stage", "--version")),
        (("--evaluation", "--models", "xgboost"), ("--models goes with --training",)),
        (("--training", "--host", "127.0.0.1", "--input", "x"), ("--host goes with --serve",)),
        (("--predict", "x.json", "--source", "sample"), ("--source goes with --ingestion",)),
        (("--ingestion", "--years", "2200"), ("--years = 2200", "2099")),
        pytest.param(("--ingestion", "--years", "2098"), ("2098 is not over",), marks=pytest.mark.long),
        (("--ingestion", "--source", "datagouv:2021", "--years", "2020"), ("--source and --years", "leave one out")),
        (("--serve", "--port", "70000"), ("--port = 70000", "65535")),
        (("--deployment", "--stop", "--status"), ("--stop", "--status")),
        (("--deployment", "--training", "--stop"), ("--stop goes with --deployment alone",)),
        (("--serve", "--best", "--model-name", "xgboost"), ("--model-name and --best exclude each other",)),
        (("--level", "call"), ("--level goes with --features or --training",)),
        (("--models", "xgboost", "registry", "list-models"), ("--models",)),
        (("--csv", "registry", "list-models"), ("--csv does not go with the command registry",)),
        (("--no-such-flag",), ("--no-such-flag",)),
        (("paint",), ("No such command 'paint'",)),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_allowed(
    project: Path, arguments: tuple[str, ...], named: tuple[str, ...]
) -> None:
    done = run(project, *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    for name in named:
        assert name in done.stderr


def test_nothing_asked_for_shows_the_help_and_exits_with_2(project: Path) -> None:
    done = run(project)
    assert done.returncode == 2
    assert "--training" in done.stdout


def test_the_choices_of_the_command_line_are_those_of_the_configuration() -> None:
    assert set(RESAMPLING) == set(get_args(training.Resampling))
    assert set(TUNING) == set(get_args(training.TuningMethod))
    assert set(ENGINES) == set(get_args(engine.EngineKind))


def parse(*arguments: str) -> RunOptions:
    return RunOptions(**root.make_context("run.py", list(arguments)).params)


def test_model_types_are_matched_in_any_case_and_named_once() -> None:
    assert parse("--models", "XGBoost,lightgbm,xgboost").models == ("xgboost", "lightgbm")
    assert parse("--models", "all").models == model_types()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--models", "XGBoost", "lightgbm"),
        ("--models", "xgboost,lightgbm"),
        ("--models", "xgboost", "--models", "lightgbm"),
        ("--models=xgboost", "--models=lightgbm"),
        ("--models", "xgboost", "lightgbm,xgboost", "--training"),
    ],
)
def test_values_of_a_list_may_be_repeated_or_separated_by_spaces_or_commas(arguments: tuple[str, ...]) -> None:
    assert parse(*arguments).models == ("xgboost", "lightgbm")


@pytest.mark.parametrize(
    "arguments",
    [("--years", "2019-2020", "2022"), ("--years", "2019-2020,2022"), ("--years=2019-2020", "--years=2022")],
)
def test_years_are_a_list_too(arguments: tuple[str, ...]) -> None:
    configuration = parse("--ingestion", "--source", "datagouv", *arguments).load_configuration()
    assert configuration.ingestion.source.years == (2019, 2020, 2022)


def example(option: ModeOption) -> list[str]:
    """An option with a value that it takes."""
    if option.is_flag:
        return [option.flag]
    if isinstance(option.type, click.Choice):
        return [option.flag, option.type.choices[-1]]
    return [option.flag, "xgboost" if option.flag == "--models" else "1"]


def complete(mode: str, option: ModeOption) -> list[str]:
    """A command line of one mode with an option and whatever the two need."""
    others = [other for other in OPTIONS if other is not option]
    needed = [other for other in others if mode in other.required_in or other.name == option.needs]
    words = chain.from_iterable(map(example, [option, *needed]))
    return [f"--{mode}", *(["x.json"] if mode == "predict" else []), *words]


@pytest.mark.parametrize("mode", [*PIPELINES, "predict", "serve"])
@pytest.mark.parametrize("option", [option for option in OPTIONS if option.modes], ids=lambda option: option.flag)
def test_an_option_goes_with_its_modes_alone(mode: str, option: ModeOption) -> None:
    options = parse(*complete(mode, option))
    if mode in option.modes:
        options.validate()
    else:
        with pytest.raises(click.UsageError, match=r"goes with .*, not with|--deployment takes a registered model"):
            options.validate()


def test_options_override_keys_of_the_configuration() -> None:
    configuration = parse().load_configuration().model_dump()
    for option in OPTIONS:
        section = configuration
        for name in option.key.split(".") if option.key else []:
            assert name in section, option.key
            section = section[name]


def test_a_stage_is_configured_for_a_deployment_alone() -> None:
    named = ("--model-name", "xgboost", "--stage")
    assert parse("--deployment", *named, "Staging").load_configuration().deployment.stage == "Staging"
    assert parse("--evaluation", *named, "Archived").load_configuration().deployment.stage == "Production"


def test_port_zero_counts_as_given() -> None:
    assert parse("--serve", "--port", "0").load_configuration().serving.port == 0
    with pytest.raises(click.UsageError, match="--port goes with --serve"):
        parse("--training", "--port", "0").validate()
