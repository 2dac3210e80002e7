"""An orchestrator that runs each step as those of containers do: another process, folder and home, code of the image.

It imports nothing of the tests, as its module alone is copied beside the code.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

from zenml.entrypoints.step_entrypoint_configuration import StepEntrypointConfiguration
from zenml.orchestrators import BaseOrchestrator, BaseOrchestratorConfig, BaseOrchestratorFlavor

RUN_ID = "STEP_PROCESSES_RUN"
_KEPT = ("PATH", "LANG", "MLFLOW_TRACKING_URI", "PYTHONDONTWRITEBYTECODE")


class StepProcessesConfig(BaseOrchestratorConfig):
    """Folder with `code`, `home` and `work`."""

    folder: str


class StepProcesses(BaseOrchestrator):
    """Runs one step after the other."""

    def get_orchestrator_run_id(self) -> str:
        """Of the environment of the step."""
        return os.environ[RUN_ID]

    def submit_pipeline(self, *_: Any, snapshot: Any, step_environments: Any, **__: Any) -> None:
        """Run all steps; a step that fails ends the run."""
        folder, run_id = Path(self.config.folder), str(uuid4())
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        for step in snapshot.step_configurations:
            command = [sys.executable, *StepEntrypointConfiguration.get_entrypoint_command()[1:]]
            command += StepEntrypointConfiguration.get_entrypoint_arguments(step_name=step, snapshot_id=snapshot.id)
            environment = kept | step_environments[step] | {RUN_ID: run_id, "PYTHONPATH": str(folder / "code")}
            environment["ZENML_CUSTOM_SOURCE_ROOT"] = str(folder / "code")  # as the image has it
            environment |= {"HOME": str(folder / "home"), "ZENML_CONFIG_PATH": str(folder / "home" / "zenml")}
            ended = subprocess.run(command, cwd=folder / "work", env=environment, capture_output=True, text=True)
            if ended.returncode:
                raise RuntimeError(f"{step}:\n{ended.stdout[-3000:]}{ended.stderr[-3000:]}")


class StepProcessesFlavor(BaseOrchestratorFlavor):
    """Flavor of the orchestrator."""

    @property
    def name(self) -> str:
        """Name in ZenML."""
        return "step_processes"

    @property
    def config_class(self) -> type[StepProcessesConfig]:
        """Its configuration."""
        return StepProcessesConfig

    @property
    def implementation_class(self) -> type[StepProcesses]:
        """Its implementation."""
        return StepProcesses
