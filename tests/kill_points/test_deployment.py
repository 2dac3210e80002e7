"""Deployments that are killed at random moments: no model answers that nobody knows."""

import os
import shutil
from typing import Any

import numpy as np
import psutil
import pytest

from tests.kill_points.harness import Commands, kill_again_and_again
from tests.kill_points.leftovers import assert_nothing_is_left
from tests.pipelines.conftest import small_tracked_training
from tracking.names import registered_name
from tracking.registry import Registry
from tracking.service_processes import MARKER

pytestmark = pytest.mark.long

TRAINED = registered_name("logistic_regression")
ON_MLFLOW = ("--stack", "local-mlflow")


def service_processes() -> set[int]:
    """Ids of all processes of services that these tests have deployed."""
    found = set()
    for process in psutil.process_iter():
        try:
            if os.environ["ZENML_LOCAL_STORES_PATH"] in process.environ().get(MARKER, ""):
                found.add(process.pid)
        except psutil.Error:
            continue
    return found


def test_no_model_answers_that_nobody_knows(
    request: pytest.FixtureRequest, commands: Commands, registry: Registry
) -> None:
    options = small_tracked_training(commands.folder)
    for _ in range(2):
        commands.run("--training", "--no-cache", *options)
    commands.run("registry", "promote", "--model-name", TRAINED, "--version", "1")
    commands.run("stack", "register", "local-mlflow")
    deploy = ("--deployment", "--model-name", TRAINED, *ON_MLFLOW, *options)
    address = _address(commands.run(*deploy).out)
    commands.run(*deploy)

    def attempt(random: np.random.Generator) -> bool:
        ended = commands.kill(random, *deploy, "--version", str(random.integers(1, 3)))
        status = commands.run("--deployment", "--status", *ON_MLFLOW).out
        running = service_processes()
        assert not running or any(f"(process {pid})" in status for pid in running), status
        if random.random() < 0.5:
            stopped = commands.run("--deployment", "--stop", *ON_MLFLOW).out
            assert not running or "stopped" in stopped
            assert service_processes() == set()
            assert "nothing is deployed" in commands.run("--deployment", "--status", *ON_MLFLOW).out
        assert _address(commands.run(*deploy).out) == address
        assert commands.run("--deployment", "--status", *ON_MLFLOW).out.count(" answers ") == 1
        assert_nothing_is_left(registry)
        return ended.was_killed

    try:
        kill_again_and_again(request, "deployment", 10, attempt)
    finally:
        commands.run("--deployment", "--stop", *ON_MLFLOW)
        shutil.rmtree(commands.folder / "data", ignore_errors=True)
    assert service_processes() == set()


def _address(text: str) -> Any:
    return next(word for word in text.split() if word.startswith("http://"))
