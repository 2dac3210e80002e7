"""Where every second of a training goes, and what a cached repeat costs beside an empty pipeline of two steps.

    python -m benchmarks.training [--source FOLDER] [--repeats N]

Every measurement is a fresh process in a ZenML world of its own, which is made beforehand. Times are seconds of wall
clock; the ratio pairs a cached repeat with an empty run right after it.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

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
    """Print the phases of an uncached training and the ratio of a cached one to an empty pipeline."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--source", default="sample")
    options.add_argument("--repeats", type=int, default=3)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        world = Path(folder)
        (world / "empty.py").write_text(EMPTY_PIPELINE)
        training = ("--training", "--source", given.source)
        _seconds(world, [sys.executable, str(world / "empty.py")])
        _report("training, nothing cached", *seconds_by_phase(world, *training, "--no-cache"))
        seconds_by_phase(world, *training)
        ratios = []
        for _ in range(given.repeats):
            repeat, phases = seconds_by_phase(world, *training)
            empty = _seconds(world, [sys.executable, str(world / "empty.py")])
            ratios.append(repeat / empty)
            print(f"cached repeat {repeat:.1f} s, empty pipeline of two steps {empty:.1f} s, ratio {ratios[-1]:.2f}")
        _report("the last cached repeat", repeat, phases)
        print(f"ratio: median {statistics.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f}")


def seconds_by_phase(world: Path, *arguments: str) -> tuple[float, dict[str, float]]:
    """Seconds of a whole command and of its phases."""
    result = world / "phases.json"
    seconds = _seconds(world, [sys.executable, "-c", _COMMAND, str(result), *arguments])
    return seconds, json.loads(result.read_text())


def _seconds(world: Path, command: list[str]) -> float:
    environment = os.environ | {
        "ZENML_CONFIG_PATH": str(world / "config"),
        "ZENML_LOCAL_STORES_PATH": str(world / "stores"),
        "ZENML_ANALYTICS_OPT_IN": "false",
        "MLFLOW_TRACKING_URI": f"sqlite:///{world}/mlflow/mlflow.db",
    }
    started = time.perf_counter()
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return time.perf_counter() - started


def _report(title: str, total: float, phases: dict[str, float]) -> None:
    print(f"{title}: {total:.1f} s")
    rest = total - sum(phases.values())
    for name, seconds in {**phases, "interpreter and the rest": rest}.items():
        print(f"  {name:<44}{seconds:6.1f} s")


if __name__ == "__main__":
    main()
