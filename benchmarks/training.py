"""Seconds of a training by phase, with and without partial knowledge, and of a cached repeat and an empty pipeline.

    python -m benchmarks.training [--source FOLDER] [--repeats N]

Every measurement is a new process with a ZenML database of its own, which is created beforehand, and with files of its
own. Times are wall-clock seconds; the ratio pairs a cached repeat with an empty run right after it. A unit is the time
of a Python loop of 20 million additions, measured before and after the training, so that machines can be compared.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.common import load_accidents, options_of_folder, training_options

PROJECT = Path(__file__).resolve().parents[1]

_COMMAND = """
import json, runpy, sys
result = sys.argv.pop(1)
try:
    runpy.run_path("run.py", run_name="__main__")
finally:
    from cli.timing import PHASES
    open(result, "w").write(json.dumps(PHASES))
"""

_UNIT = """
total = 0
for number in range(20_000_000):
    total += number
"""

EMPTY_PIPELINE = """
from zenml import pipeline, step

@step
def first() -> int:
    return 1

@step
def second(number: int) -> int:
    return number + 1

@pipeline
def empty_pipeline() -> None:
    second(first())

if __name__ == "__main__":
    empty_pipeline()
"""


def main() -> None:
    """Print the phases of uncached trainings, and the ratio of a cached one to an empty pipeline."""
    options = training_options(__doc__)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "empty.py").write_text(EMPTY_PIPELINE)
        load_accidents(options.source, data := folder / "data" / "raw")  # a sample is generated once, before
        training = ("--training", "--source", options.source)
        own = options_of_folder(folder)
        _seconds(folder, [sys.executable, str(folder / "empty.py")])
        before = seconds_of_unit()
        total, phases = seconds_by_phase(folder, *training, *own, "--no-cache")
        unit = (before + seconds_of_unit()) / 2
        _print_phases("training, nothing cached", total, phases)
        print(f"  {total / unit:.1f} units of {unit:.2f} s")
        without = options_of_folder(
            folder / "without", source={"data_folder": str(data)}, training={"partial_knowledge": False}
        )
        whole, phases = seconds_by_phase(folder, *training, *without, "--no-cache")
        _print_phases("the same without partial knowledge", whole, phases)
        print(f"  {whole / unit:.1f} units; ratio {total / whole:.2f}")
        seconds_by_phase(folder, *training, *own)
        ratios = []
        for _ in range(options.repeats):
            repeat, phases = seconds_by_phase(folder, *training, *own)
            empty = _seconds(folder, [sys.executable, str(folder / "empty.py")])
            ratios.append(repeat / empty)
            print(f"cached repeat {repeat:.1f} s, empty pipeline of two steps {empty:.1f} s, ratio {ratios[-1]:.2f}")
        _print_phases("the last cached repeat", repeat, phases)
        print(f"ratio: median {statistics.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f}")


def seconds_of_unit() -> float:
    """Seconds of 20 million additions in Python, of a script's own variables."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", _UNIT], check=True)
    return time.perf_counter() - started


def seconds_by_phase(folder: Path, *arguments: str) -> tuple[float, dict[str, float]]:
    """Run `run.py` in a new process; returns its seconds, and those of its phases."""
    result = folder / "phases.json"
    seconds = _seconds(folder, [sys.executable, "-c", _COMMAND, str(result), *arguments])
    return seconds, json.loads(result.read_text())


def _seconds(folder: Path, command: list[str]) -> float:
    environment = os.environ | {
        "ZENML_CONFIG_PATH": str(folder / "config"),
        "ZENML_LOCAL_STORES_PATH": str(folder / "stores"),
        "ZENML_ANALYTICS_OPT_IN": "false",
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow/mlflow.db",
    }
    started = time.perf_counter()
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return time.perf_counter() - started


def _print_phases(title: str, total: float, phases: dict[str, float]) -> None:
    print(f"{title}: {total:.1f} s")
    rest = total - sum(phases.values())
    for name, seconds in {**phases, "interpreter and the rest": rest}.items():
        print(f"  {name:<44}{seconds:6.1f} s")


if __name__ == "__main__":
    main()
