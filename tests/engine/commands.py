"""Commands of `run.py` on a small sample, with files, store and tracking of their own."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

MEASURED = """
import runpy, sys
from pathlib import Path

sys.argv = ["run.py", *sys.argv[1:]]
try:
    runpy.run_path("run.py", run_name="__main__")
finally:
    print("peak", Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""
"""Runs the command in this process, and prints its greatest memory in kB (Linux).

`ru_maxrss` would be that of the process that starts it where that has more.
"""


def run(
    project: Path, folder: Path, *arguments: str, program: Sequence[str] = ("run.py",)
) -> subprocess.CompletedProcess[str]:
    ingestion, training = folder / "ingestion.yaml", folder / "training.yaml"
    source = f"location: sample, data_folder: {folder}/data/raw, sample: {{accidents: 1500}}"
    ingestion.write_text(f"pipeline: ingestion\nsource: {{{source}}}\n")
    training.write_text(f"pipeline: training\nmodels_folder: {folder}/models\nreports_folder: {folder}/reports\n")
    store = {"ZENML_CONFIG_PATH": f"{folder}/zenml", "ZENML_LOCAL_STORES_PATH": f"{folder}/stores"}
    tracking = {"MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"}
    return subprocess.run(
        [sys.executable, *program, *arguments, "--config", str(ingestion), "--config", str(training)],
        cwd=project,
        env=os.environ | store | tracking,
        capture_output=True,
        text=True,
    )
