"""From training to a served model and back, on the stack that has MLflow for everything."""

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
import requests

from accidents.bundle import Bundle
from accidents.inference.json_scoring import FLAT_COLUMN, NESTED_COLUMN, predict_json
from cli.exit_codes import DONE, FAILED, USAGE_ERROR
from cli.main import main
from cli.output_files import step_output
from pipelines.models import latest_run
from tests.pipelines.conftest import configure, small_tracked_training
from tests.serving.service_process import TIMEOUT, service_url

pytestmark = pytest.mark.slow

NAME = "Accident_Prediction_Logistic_Regression"
ON_MLFLOW = ["--stack", "local-mlflow"]
TRAINED = ("train_logistic_regression", "logistic_regression_model")


@pytest.fixture(scope="module", autouse=True)
def own_mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An MLflow database for these tests; the environment is restored and the services are stopped afterwards."""
    before = dict(os.environ)
    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"
    assert main(["stack", "register", "local-mlflow"]) == DONE
    yield
    main(["--deployment", "--stop", *ON_MLFLOW])
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def arguments(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return small_tracked_training(tmp_path_factory.mktemp("deployed"), accidents=3000)


@pytest.fixture(scope="module")
def trained(arguments: list[str]) -> Any:
    """A training, whose model is version 1 and in Production."""
    assert main(["--training", "--no-cache", *ON_MLFLOW, *arguments]) == DONE
    assert main(["registry", "promote", "--model-name", NAME, "--version", "1"]) == DONE
    return latest_run("training")


@pytest.fixture(scope="module")
def trained_again(trained: Any, arguments: list[str]) -> Any:
    """Another training of the same configuration on another stack, whose model is version 2."""
    assert main(["--training", "--no-cache", "--stack", "default", *arguments]) == DONE
    return latest_run("training")


def example(name: str) -> str:
    return (Path("examples") / f"{name}.json").read_text()


def deployed_service(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What `--status` prints about a service, which is deployed where a test runs alone."""
    assert main(["--deployment", "--status", *ON_MLFLOW]) == DONE
    if "nothing is deployed" in capsys.readouterr().out:
        assert main(["--deployment", "--model-name", NAME, *ON_MLFLOW, *arguments]) == DONE
    capsys.readouterr()
    assert main(["--deployment", "--status", *ON_MLFLOW]) == DONE
    return capsys.readouterr().out


def address(text: str) -> str:
    return next(word for word in text.split() if word.startswith("http://"))


@pytest.mark.long
def test_both_stacks_give_the_same_features_and_metrics(trained: Any, trained_again: Any) -> None:
    one, other = trained, trained_again
    assert one.stack.name == "local-mlflow"
    assert other.stack.name == "default"
    assert step_output(one, "build_features", "features").content_hash == (
        step_output(other, "build_features", "features").content_hash
    )
    figures = [step_output(run, "compare_models", "evaluations").load() for run in (one, other)]
    assert figures[0] == figures[1]


def test_a_stack_without_a_deployer_says_how_to_get_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--deployment", "--stack", "default"]) == USAGE_ERROR
    assert "stack register local-mlflow" in capsys.readouterr().err


@pytest.mark.traced
@pytest.mark.parametrize("times", [1, pytest.param(3, marks=pytest.mark.long)])
def test_deployed_several_times_in_a_row_it_answers_after_each(
    times: int, trained: Any, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    texts = pd.DataFrame({NESTED_COLUMN: [example("low_risk"), None], FLAT_COLUMN: [None, example("classic_flat")]})
    for _ in range(times):
        assert main(["--deployment", "--model-name", NAME, *ON_MLFLOW, *arguments]) == DONE
        output = capsys.readouterr().out
        where = address(output)
        assert f"python run.py --deployment --stop {' '.join(ON_MLFLOW)}\n" in output
        records = [{NESTED_COLUMN: example("low_risk")}, {FLAT_COLUMN: example("classic_flat")}]
        answer = requests.post(where, json={"dataframe_records": records}, timeout=30).json()["predictions"]
        expected = predict_json(step_output(trained, *TRAINED).load(), texts)
        assert [one["probability"] for one in answer] == pytest.approx(expected["probability"].tolist(), abs=1e-12)
    assert main(["--deployment", "--status", *ON_MLFLOW]) == DONE
    assert f"{NAME} 1 answers" in capsys.readouterr().out


@pytest.mark.traced
def test_a_failed_smoke_test_keeps_the_running_service(
    trained: Any, arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    running = deployed_service(arguments, capsys)
    assert f"{NAME} 1 answers" in running
    impatient = configure(tmp_path, deployment={"slowest_milliseconds": 0.0001})
    chosen = ["--model-name", NAME, "--version", "1"]
    assert main(["--deployment", *chosen, *ON_MLFLOW, *arguments, *impatient]) == FAILED
    assert "more than 0.0001 ms" in capsys.readouterr().err
    assert main(["--deployment", "--status", *ON_MLFLOW]) == DONE
    output = capsys.readouterr().out
    assert output == running
    assert requests.get(address(output).replace("invocations", "ping"), timeout=10).status_code == 200


@pytest.mark.long
def test_a_rollback_redeploys_the_service(
    trained_again: Any, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["registry", "promote", "--model-name", NAME, "--version", "2"]) == DONE
    capsys.readouterr()
    main(["registry", *ON_MLFLOW, "check"])
    assert f"note: {NAME} 1 answers at http://127.0.0.1:" in (said := capsys.readouterr().out)
    assert f"version 2 is in Production; to serve that: python run.py --deployment --model-name {NAME}" in said
    assert main(["--deployment", "--model-name", NAME, *ON_MLFLOW, *arguments]) == DONE
    main(["registry", *ON_MLFLOW, "check"])
    assert "note:" not in capsys.readouterr().out
    assert main(["registry", *ON_MLFLOW, "rollback", "--model-name", NAME]) == DONE
    output = capsys.readouterr().out
    assert "no service answered for" in output
    assert main(["--deployment", "--status", *ON_MLFLOW]) == DONE
    assert f"{NAME} 1 answers" in capsys.readouterr().out


def test_predictions_with_a_registered_model(
    trained: Any, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    bundle: Bundle = step_output(trained, *TRAINED).load()
    expected = predict_json(bundle, pd.DataFrame({NESTED_COLUMN: [example("low_risk")]}))["probability"][0]
    for choice in (
        ["--model-name", NAME.lower()],
        ["--model-name", "logistic_regression", "--stage", "Production"],
        ["--model-name", NAME, "--alias", "production"],
        ["--model-name", NAME, "--version", "1"],
        ["--best"],
    ):
        assert main(["--predict", "examples/low_risk.json", *choice, *arguments]) == DONE
        assert f"Probability: {expected:.3f}" in capsys.readouterr().out
    assert (
        main(["--predict", "examples/low_risk.json", "--model-name", NAME, "--stage", "Staging", *arguments]) == FAILED
    )
    assert "1 is in Production" in capsys.readouterr().err


@pytest.mark.long
def test_a_running_service_follows_promotion_and_rollback(
    trained: Any, trained_again: Any, arguments: list[str], tmp_path: Path
) -> None:
    def version_comes(url: str, number: str) -> bool:
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            if requests.get(f"{url}/v1/model", timeout=10).json()["version"] == number:
                return True
            time.sleep(0.1)
        return False

    with service_url(tmp_path, None, "--anonymous", "--model-name", NAME, *arguments, poll_seconds=0.5) as url:
        assert version_comes(url, "1")
        assert main(["registry", "promote", "--model-name", NAME, "--version", "2"]) == DONE
        assert version_comes(url, "2")
        assert main(["registry", "rollback", "--model-name", NAME]) == DONE
        assert version_comes(url, "1")
        response = requests.post(f"{url}/v1/predict", json=json.loads(example("low_risk")), timeout=10)
        served = response.json()["probability"]
    bundle: Bundle = step_output(trained, *TRAINED).load()
    expected = predict_json(bundle, pd.DataFrame({NESTED_COLUMN: [example("low_risk")]}))["probability"][0]
    assert served == pytest.approx(expected, abs=1e-12)


def test_stop_ends_all_processes_of_the_service(
    trained: Any, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    process = int(re.findall(r"process (\d+)", deployed_service(arguments, capsys))[0])
    processes = [psutil.Process(process), *psutil.Process(process).children(recursive=True)]
    assert len(processes) > 1
    assert main(["--deployment", "--stop", *ON_MLFLOW]) == DONE
    assert not [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
    assert main(["--deployment", "--status", *ON_MLFLOW]) == DONE
    assert "nothing is deployed" in capsys.readouterr().out


def test_the_configuration_of_the_user_keeps_its_stack(trained: Any) -> None:
    config = Path(os.environ["ZENML_CONFIG_PATH"]) / "config.yaml"
    from zenml.client import Client

    default = Client().get_stack("default").id
    assert f"active_stack_id: {default}" in config.read_text()


def test_a_model_that_is_not_registered_is_refused(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert main(["--deployment", "--model-name", "xgboost", *ON_MLFLOW, *arguments]) == FAILED
    assert NAME in capsys.readouterr().err
