"""Smoke test of a registered model: it loads, reproduces stored predictions, and is fast enough."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from accidents.configuration.deployment import DeploymentSettings
from accidents.errors import ModelError
from accidents.inference.smoke_test import compare_probabilities
from accidents.temporary_files import temporary_folder
from tracking.registry import RegisteredVersion, download_files

_SCRIPT = Path(__file__).with_name("smoke_test_process.py")


@dataclass(frozen=True)
class SmokeTestResult:
    """Result of a smoke test.

    Attributes:
        accidents: number of stored accidents.
        priority: number of priority accidents among them.
        milliseconds: median time of a single prediction.
    """

    accidents: int
    priority: int
    milliseconds: float


def run_smoke_test(version: RegisteredVersion, settings: DeploymentSettings) -> SmokeTestResult:
    """Load a version in a process of its own and predict its stored accidents. Call it inside `connect`.

    Raises:
        RegistryError: files of the version were changed since the registration.
        ModelError: the model does not load, predicts other probabilities than after its training, or is too slow.
    """
    output = _run_process(version, settings)
    failures = compare_probabilities(output["expected"], np.array(output["predicted"]))
    if len(set(output["labels"])) < 2:
        failures.append("the stored accidents are all of one class")
    milliseconds = median(output["milliseconds"])
    if milliseconds > settings.slowest_milliseconds:
        failures.append(f"one accident takes {milliseconds:.1f} ms, more than {settings.slowest_milliseconds:g} ms")
    if failures:
        raise ModelError(f"{version.title} is not served: {'; '.join(failures)}")
    return SmokeTestResult(len(output["expected"]), sum(output["labels"]), milliseconds)


def _run_process(version: RegisteredVersion, settings: DeploymentSettings) -> Mapping[str, Any]:
    with temporary_folder() as folder:
        model = download_files(version, folder)  # the process runs code of these files
        try:
            process = subprocess.run(  # noqa: S603  # a script of the project, with a folder
                [sys.executable, "-P", str(_SCRIPT), str(model)],
                cwd=folder,
                env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
                capture_output=True,
                text=True,
                timeout=settings.timeout_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ModelError(
                f"{version.title} is not served: it did not load within {settings.timeout_seconds} s"
            ) from None
    if process.returncode:
        last = process.stderr.strip().splitlines()[-1:] or ["no reason was given"]
        raise ModelError(f"{version.title} is not served: it does not load: {last[0]}")
    return dict(json.loads(process.stdout.strip().splitlines()[-1]))
