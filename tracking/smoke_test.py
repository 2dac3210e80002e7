"""Whether a registered model is fit to be served: it loads, answers stored accidents as it did, and is quick enough."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from accidents.configuration.deployment import DeploymentSettings
from accidents.errors import ModelError
from accidents.inference.smoke_test import differences
from tracking.registry import RegisteredVersion

_PROGRAM = Path(__file__).with_name("smoke_test_process.py")


@dataclass(frozen=True)
class SmokeTestResult:
    """How a model did: accidents asked, priority accidents among them, and milliseconds of one, at the median."""

    accidents: int
    priority: int
    milliseconds: float


def run_smoke_test(version: RegisteredVersion, settings: DeploymentSettings) -> SmokeTestResult:
    """Ask a version, in a process of its own. Must be called inside `connected`.

    Raises:
        ModelError: it does not load, answers otherwise than when it was trained, or is too slow; says which.
    """
    told = _asked(version, settings)
    wrong = differences(told["expected"], np.array(told["answered"]))
    if len(set(told["labels"])) < 2:
        wrong.append("the stored accidents are all of one class")
    milliseconds = median(told["milliseconds"])
    if milliseconds > settings.slowest_milliseconds:
        wrong.append(f"one accident takes {milliseconds:.1f} ms, more than {settings.slowest_milliseconds:g} ms")
    if wrong:
        raise ModelError(f"{version.title} is not served: {'; '.join(wrong)}")
    return SmokeTestResult(len(told["expected"]), sum(told["labels"]), milliseconds)


def _asked(version: RegisteredVersion, settings: DeploymentSettings) -> Mapping[str, Any]:
    uri = f"models:/{version.name}/{version.version}"
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(  # noqa: S603  # a program of the project, with an address from the registry
                [sys.executable, "-P", str(_PROGRAM), uri],
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
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no reason was given"]
        raise ModelError(f"{version.title} is not served: it does not load: {last[0]}")
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))
