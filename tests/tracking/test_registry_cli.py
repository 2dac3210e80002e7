"""`run.py registry`: what it prints, in words and in JSON, and how it ends."""

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from accidents.configuration.stages import ARCHIVED, NONE, PRODUCTION, STAGING
from accidents.configuration.tracking import TrackingSettings
from cli.main import main
from tests.pipelines.conftest import configure
from tests.tracking.helpers import (
    NAME,
    consistent_stages,
    delete_all_models,
    register_version,
    single_model_training,
    transition_to,
)
from tracking.connection import Connection, connect
from tracking.registration import record_and_register
from tracking.registry import Registry
from tracking.tracking_uri import embedded_target

pytestmark = pytest.mark.slow
OTHER = "Accident_Prediction_Logistic_Regression"
RunRegistry = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("registry")


@pytest.fixture(scope="module")
def connection(folder: Path) -> Iterator[Connection]:
    settings = TrackingSettings(folder=folder / "mlruns")
    with connect(settings, embedded_target(settings)) as found:
        yield found


@pytest.fixture
def registry(connection: Connection) -> Registry:
    """Three versions: 1 archived, 2 in Production, 3 without a stage."""
    return three_versions(connection)


@pytest.fixture(scope="module")
def untouched(connection: Connection) -> Registry:
    """The same, made once for all tests in a row that leave it as it is."""
    return three_versions(connection)


def three_versions(connection: Connection) -> Registry:
    delete_all_models(connection)
    found = Registry(connection)
    for number in range(3):
        version = register_version(connection)
        if number < 2:
            transition_to(found, version, PRODUCTION)
    return found


@pytest.fixture
def run_registry(folder: Path, capsys: pytest.CaptureFixture[str]) -> RunRegistry:
    chosen = configure(
        folder,
        tracking={"folder": str(folder / "mlruns"), "pruning": {"keep_latest": 1, "older_than_days": 0}},
        ingestion={"source": {"data_folder": str(folder / "data" / "raw"), "sample": {"accidents": 1500}}},
        training={"models_folder": str(folder / "models"), "reports_folder": str(folder / "reports")},
        evaluation={"resamples": 20, "group_resamples": 10, "explained_accidents": 50},
        promotion={"accidents_at_least": 50, "guards": {"department_accidents_at_least": 10}},
    )

    def typed(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["registry", *chosen, *words])
        output = capsys.readouterr()
        assert "Traceback" not in output.err
        return code, output.out, output.err

    return typed


def as_json(run_registry: RunRegistry, *words: str) -> Any:
    code, out, _ = run_registry(*words, "--json")
    assert code == 0
    return json.loads(out)


def test_queries(registry: Registry, run_registry: RunRegistry) -> None:
    assert as_json(run_registry, "list-models") == [
        {"name": NAME, "versions": 3, "latest": "3", "production": "2", "staging": None}
    ]
    assert NAME in run_registry("list-models")[1]
    versions = as_json(run_registry, "list-versions", "--model-name", "LightGBM")
    assert {one["version"]: one["stage"] for one in versions} == consistent_stages(registry)
    assert run_registry("list-versions")[1].count(NAME) == 3
    assert as_json(run_registry, "get-model", "--model-name", NAME)["version"] == "2"
    assert as_json(run_registry, "get-model", "--model-name", NAME.upper(), "--stage", "ARCHIVED")["version"] == "1"
    assert as_json(run_registry, "get-model", "--model-name", NAME, "--version", "3")["stage"] == NONE
    history = as_json(run_registry, "history", "--model-name", "lightgbm")
    assert [(one["action"], one["version"], one["previous"]) for one in history[:2]] == [
        ("promote", "2", "1"),
        ("promote", "1", None),
    ]
    assert "promote" in run_registry("history")[1]


def test_transitions(registry: Registry, run_registry: RunRegistry) -> None:
    named = ("--model-name", "lightgbm")
    assert as_json(run_registry, "transition", *named, "--version", "3", "--stage", "staging")["stage"] == STAGING
    code, out, _ = run_registry("promote", *named)
    assert (code, out) == (0, f"{NAME} 3 is in Production; 2 is archived\n")
    assert consistent_stages(registry) == {"1": ARCHIVED, "2": ARCHIVED, "3": PRODUCTION}
    assert as_json(run_registry, "rollback", *named, "--dry-run") == {"version": "2", "previous": "3"}
    assert "would put" in run_registry("rollback", *named, "--dry-run")[1]
    assert consistent_stages(registry)["3"] == PRODUCTION
    assert run_registry("rollback", *named)[0] == 0
    assert consistent_stages(registry) == {"1": ARCHIVED, "2": PRODUCTION, "3": ARCHIVED}
    assert as_json(run_registry, "archive", *named, "--version", "2")["action"] == "archive"
    assert set(consistent_stages(registry).values()) == {ARCHIVED}
    code, _, err = run_registry("archive", *named, "--version", "2")
    assert (code, "is in Archived already" in err) == (1, True)


@pytest.mark.traced
@pytest.mark.parametrize(
    ("typed", "code", "message"),
    [
        ("get-model --model-name forest", 1, "there is no model 'forest'; there are Accident_Prediction_Lightgbm"),
        ("get-model --model-name xgboost", 1, "no model Accident_Prediction_XGBoost is registered; registered are"),
        ("get-model --model-name lightgbm --stage Staging", 1, "1 is in Archived"),
        (
            "get-model --model-name lightgbm --stage Champion",
            2,
            "not one of 'none', 'staging', 'production'",
        ),
        ("promote --model-name lightgbm --version 9", 1, "has no version 9; there are 1, 2, 3"),
        ("promote --model-name lightgbm --version 1e0", 1, "has no version 1e0"),
        ("promote --model-name lightgbm --version -1", 1, "has no version -1"),
        ("promote --model-name lightgbm --version 01", 1, "has no version 01"),
        ("promote --model-name lightgbm --version=", 1, "has no version"),
        ("delete-version --model-name lightgbm --yes --version=", 1, "has no version"),
        ("list-versions --model-name=", 1, "there is no model ''"),
        ("prune --yes --model-name=", 1, "there is no model ''"),
        ("promote --model-name lightgbm --version 2", 1, "is in Production already"),
        ("promote --model-name lightgbm --stage None", 2, "not one of 'staging', 'production'"),
        ("delete-version --model-name lightgbm --version 2 --yes", 1, "is in Production and is not deleted"),
        ("delete-version --model-name lightgbm --version 3", 2, "add --yes"),
        ("delete-model --model-name lightgbm --yes", 1, "is in Production"),
        ("transition --model-name lightgbm --stage Staging", 2, "--version"),
        ("", 2, "COMMAND"),
    ],
)
def test_mistakes_change_nothing_and_name_the_remedy(
    untouched: Registry, run_registry: RunRegistry, typed: str, code: int, message: str
) -> None:
    before = consistent_stages(untouched)
    found, _, err = run_registry(*typed.split())
    assert (found, message in " ".join(err.split())) == (code, True), err
    assert consistent_stages(untouched) == before


@pytest.mark.traced
def test_deleting_and_pruning(registry: Registry, run_registry: RunRegistry) -> None:
    named = ("--model-name", "lightgbm")
    register_version(registry.connection)
    assert run_registry("prune", "--dry-run")[1] == f"would delete {NAME} 3\n"
    assert len(consistent_stages(registry)) == 4
    assert run_registry("prune", "--yes")[1] == f"deleted {NAME} 3\n"
    assert run_registry("prune", "--yes")[1].startswith("nothing to delete")
    assert run_registry("delete-version", *named, "--version", "1", "--yes")[0] == 0
    assert consistent_stages(registry) == {"2": PRODUCTION, "4": NONE}
    run_registry("archive", *named, "--version", "2")
    assert run_registry("delete-model", *named, "--confirm")[:2] == (0, f"{NAME} is deleted\n")
    assert as_json(run_registry, "list-models") == []
    assert "no model is registered yet" in run_registry("list-models")[1]
    for command in ("list-versions", "history", "check", "prune"):
        assert run_registry(command)[0] == 0, command


@pytest.mark.traced
def test_check_prints_what_it_repaired(connection: Connection, run_registry: RunRegistry) -> None:
    delete_all_models(connection)
    registry = Registry(connection)
    record_and_register(connection, single_model_training("lightgbm"), TrackingSettings())
    register_version(connection)
    transition_to(registry, registry.version(NAME, "1"), PRODUCTION)
    assert run_registry("check")[:2] == (0, "MLflow and ZenML agree, and the files are those that were registered\n")
    connection.client.set_registered_model_alias(NAME, "production", "2")
    code, out, _ = run_registry("check", "--dry-run")
    assert code == 1
    assert f"found: {NAME}: version 2 is in Production, its tag is None" in out
    code, out, _ = run_registry("check")
    assert code == 1  # version 2 has no files
    assert f"repaired: {NAME}: version 2 is in Production, its tag is None" in out
    assert f"found: {NAME} 2: has no model file" in out
    assert consistent_stages(registry) == {"1": ARCHIVED, "2": PRODUCTION}


@pytest.mark.long
def test_comparisons_are_written_in_each_format(
    connection: Connection, run_registry: RunRegistry, folder: Path
) -> None:
    delete_all_models(connection)
    named = ("--model-name", "lightgbm")
    for _ in range(2):
        record_and_register(connection, single_model_training("lightgbm"), TrackingSettings())
    assert "Accident_Prediction_Lightgbm 2" in run_registry("compare", *named)[1]
    for kind in ("html", "csv", "json"):
        target = folder / f"compared.{kind}"
        code, out, _ = run_registry(
            "compare", *named, "--versions", "1", "2", "--format", kind, "--output", str(target)
        )
        assert code == 0
        assert out.endswith("there is no need to change.\n")
        text = target.read_text()
        if kind == "json":
            assert set(json.loads(text)["versions"]) == {f"{NAME} 1", f"{NAME} 2"}
        if kind == "csv":
            assert [row["version"] for row in csv.DictReader(text.splitlines())] == [f"{NAME} 1", f"{NAME} 2"]
        if kind == "html":
            assert f"{NAME} 2" in text


@pytest.mark.traced
def test_models_are_evaluated_compared_and_promoted_by_the_rule(
    connection: Connection, run_registry: RunRegistry, folder: Path
) -> None:
    delete_all_models(connection)
    registry, named = Registry(connection), ("--model-name", "lightgbm")
    for _ in range(2):
        record_and_register(connection, single_model_training("lightgbm"), TrackingSettings())
    code, out, _ = run_registry("compare-models", *named, "--stages", "none", "--output-format", "dataframe")
    assert (code, f"{NAME} 1 " in out, f"{NAME} 2 " in out) == (0, True, True)
    code, _, err = run_registry("compare-models", *named, "--stages", "Staging")
    assert (code, f"no version of {NAME} is in one of these stages: staging" in err) == (1, True)
    lenient = configure(
        folder,
        promotion={
            "accidents_at_least": 50,
            "floors": dict.fromkeys(("roc_auc", "pr_auc", "f1", "precision", "recall", "accuracy"), 0.0),
            "ceilings": {"brier": 1.0, "ece": 1.0},
            "guards": {"department_accidents_at_least": 10},
        },
    )
    transition_to(registry, register_version(connection, OTHER, {"level": "scene", "source": "sample"}), PRODUCTION)
    register_version(connection, OTHER, {"level": "call", "source": "sample"})
    register_version(connection, "Accident_Prediction_XGBoost", {"level": "call", "source": "baac/2024"})
    code, _, err = run_registry("evaluate-promotion", "--model-name", "xgboost")
    assert (code, "was trained on real accidents (baac/2024)" in err, "--source" in err) == (1, True, True)
    code, _, err = run_registry("compare", "--model-name", "xgboost")
    assert (code, "are synthetic" in err) == (1, True)
    code, out, err = run_registry(*lenient, "auto-promote", "--json")
    assert (code, "their figures cannot be compared" in err) == (1, True)
    (judged,) = json.loads(out)
    assert (judged["model"], judged["promoted"]) == (NAME, True)
    code, _, err = run_registry(
        "compare", *named, "--format", "csv", "--output", str(folder / "tracking.yaml" / "no.csv")
    )
    assert (code, "no.csv cannot be written" in err) == (2, True)
    assert consistent_stages(registry) == {"1": NONE, "2": PRODUCTION}
    staging = ("auto-promote", *named, "--version", "1", "--target-stage", "Staging")
    assert run_registry(*lenient, *staging)[0] == 0
    assert consistent_stages(registry) == {"1": STAGING, "2": PRODUCTION}
    transition_to(registry, registry.version(NAME, "1"), NONE, "transition")
    strict = configure(folder, promotion={"accidents_at_least": 50, "floors": {"f1": 0.99}})
    code, out, _ = run_registry(*strict, "evaluate-promotion", *named, "--version", "1")
    assert code == 1
    assert "refused" in out
    assert "is below the floor of 0.990" in out
    assert consistent_stages(registry) == {"1": NONE, "2": PRODUCTION}
    assert as_json(run_registry, "history")[0]["approved"] is False
    too_few = configure(folder, promotion={"accidents_at_least": 100_000})
    code, _, err = run_registry(*too_few, "evaluate-promotion", *named)
    assert (code, "too few to measure on" in err) == (1, True)
