import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from accidents.configuration import training
from accidents.models import model_types
from cli.arguments import RESAMPLING, TUNING, parser


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "run.py", *arguments], cwd=project, capture_output=True, text=True)


def test_help_shows_every_flag_and_imports_nothing_heavy(project: Path) -> None:
    code = "import sys, cli.commands as c\ntry: c.main(['--help'])\nexcept SystemExit: print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True)
    text, _, modules = done.stdout.rpartition("\n[")
    for flag in ("ingestion", "features", "training", "evaluation", "inference", "predict", "all", "source", "years"):
        assert f"--{flag}" in text
    for flag in (
        "models",
        "level",
        "resampling",
        "tune",
        "config",
        "stack",
        "no-cache",
        "input",
        "output",
        "model-path",
    ):
        assert f"--{flag}" in text
    for heavy in ("zenml", "pandas", "numpy", "sklearn", "pydantic"):
        assert f"'{heavy}'" not in modules


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--training", "--level", "guess"), ("'strict', 'call', 'scene'",)),
        (("--training", "--tune", "magic"), ("'none', 'grid', 'optuna'",)),
        (("--training", "--resampling", "magic"), ("smote",)),
        (("--training", "--models", "magic"), model_types()),
        (("--training", "--years", "last"), ("2019-2024",)),
        (("--training", "--config", "no-such-file.yaml"), ("no-such-file.yaml",)),
        (("--inference",), ("--input", "--output")),
        (("--predict", "x.json", "--training"), ("--predict",)),
        (("--predict", "x.json", "--serve"), ("--predict", "--serve")),
        (("--predict", "x.json", "--stage", "Staging"), ("--model-name",)),
        (("--serve", "--version", "3"), ("--model-name",)),
        (("--serve", "--best", "--alias", "staging"), ("--model-name",)),
        (("--serve", "--stop"), ("--deployment",)),
        (("--deployment", "--model-path", "x.joblib"), ("--model-name",)),
        (("--deployment", "--model-name", "xgboost", "--alias", "staging"), ("--stage", "--version")),
        (("--evaluation", "--models", "xgboost"), ("--models goes with --training",)),
        (("--training", "--host", "127.0.0.1", "--input", "x"), ("--host goes with --serve",)),
        (("--predict", "x.json", "--source", "sample"), ("--source goes with --ingestion",)),
        (("--ingestion", "--years", "2200"), ("--years = 2200", "2099")),
        pytest.param(("--ingestion", "--years", "2098"), ("2098 is not over",), marks=pytest.mark.slow),
        (("--ingestion", "--source", "datagouv:2021", "--years", "2020"), ("--source and --years", "leave one out")),
        (("--serve", "--port", "70000"), ("--port = 70000", "65535")),
        (("--no-such-flag",), ("--no-such-flag",)),
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


def test_models_are_known_in_any_case_and_named_once() -> None:
    assert parser().parse_args(["--models", "XGBoost,lightgbm,xgboost"]).models == ("xgboost", "lightgbm")
    assert parser().parse_args(["--models", "all"]).models == model_types()


def test_models_may_be_separated_by_spaces_too() -> None:
    assert parser().parse_args(["--models", "XGBoost", "lightgbm,xgboost"]).models == ("xgboost", "lightgbm")
