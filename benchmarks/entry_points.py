"""Processor seconds of one training, started by `run.py`, by `zenml pipeline run`, and as a function.

    python -m benchmarks.entry_points [--accidents N] [--repeats N]

Each start is a new process with ZenML and MLflow stores of its own; those of a round follow each other. Processor
time is compared, as other programs of the machine hardly change it.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[1]
ZENML = str(Path(sys.executable).with_name("zenml"))


STARTS = ("run.py --training", "zenml pipeline run", "training()")


def commands(folder: Path, accidents: int) -> dict[str, list[str]]:
    """The command line of each start."""
    source = {"data_folder": str(folder.parent / "raw"), "sample": {"accidents": accidents}}
    training = {"models_folder": str(folder / "models"), "reports_folder": str(folder / "reports")}
    sections: dict[str, dict[str, Any]] = {"ingestion": {"source": source}, "training": training}
    options = []
    for name, changes in sections.items():
        content = yaml.safe_load((PROJECT / "configs" / f"{name}.yaml").read_text())
        changed = {key: content[key] | value if isinstance(value, dict) else value for key, value in changes.items()}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content | changed))
        options += ["--config", str(folder / f"{name}.yaml")]
    file = folder / "run.yaml"
    file.write_text(yaml.safe_dump({"parameters": {"configuration": sections}}))
    code = f"from pipelines.training import training; training(configuration={sections!r})"
    starts = (
        [sys.executable, "run.py", "--training", *options],
        [ZENML, "pipeline", "run", "pipelines.training.training", "-c", str(file)],
        [sys.executable, "-c", code],
    )
    return dict(zip(STARTS, starts, strict=True))


def measure(command: list[str], folder: Path) -> tuple[float, float]:
    """Processor and wall-clock seconds of a command."""
    own = {"ZENML_CONFIG_PATH": f"{folder}/config", "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"}
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=PROJECT, env=os.environ | own, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, time.perf_counter() - started


def main() -> None:
    """Measure, and print a line for each start."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accidents", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=1)
    arguments = parser.parse_args()
    seconds: dict[str, list[tuple[float, float]]] = {}
    for _ in range(arguments.repeats):
        with tempfile.TemporaryDirectory(prefix="entry-points-") as place:
            for name in STARTS:
                folder = Path(place) / name.replace(" ", "-")
                folder.mkdir()
                used = measure(commands(folder, arguments.accidents)[name], folder)
                seconds.setdefault(name, []).append(used)
    first = statistics.median(used for used, _ in seconds[STARTS[0]])
    for name, values in seconds.items():
        used, wall = (statistics.median(column) for column in zip(*values, strict=True))
        print(
            json.dumps(
                {"start": name, "processor": round(used, 1), "wall": round(wall, 1), "ratio": round(used / first, 2)}
            )
        )


if __name__ == "__main__":
    main()
