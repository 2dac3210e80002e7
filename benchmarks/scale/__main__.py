"""Time and memory of a training by the number of synthetic years, and what more cores and machines would make of it.

    python -m benchmarks.scale [--years 1,2,4] [--accidents 55000] [--models TYPES] [--results FILE.json]

Each number of years is one run of `run.py --training` with a ZenML database of its own; every year is drawn anew. What
is in the file of results is not measured again, so that an interrupted benchmark goes on.
"""

import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.common import argument_parser, options_of_folder, print_markdown
from benchmarks.scale.extrapolation import GIB, extrapolate
from benchmarks.scale.process_tree import Usage, measure

_PROJECT = Path(__file__).resolve().parents[2]
_LAST = 2024


def main() -> None:
    """Measure and print."""
    parser = argument_parser(__doc__)
    parser.add_argument("--years", default="1,2,4", help="numbers of years")
    parser.add_argument("--accidents", type=int, default=55_000, help="in each year")
    parser.add_argument("--models", default="all")
    parser.add_argument("--results", type=Path, default=Path("reports/scale.json"), metavar="FILE.json")
    options = parser.parse_args()
    results: dict[str, Any] = json.loads(options.results.read_text()) if options.results.exists() else {}
    options.results.parent.mkdir(parents=True, exist_ok=True)
    for years in map(int, options.years.split(",")):
        key = f"{years} x {options.accidents}, {options.models}"
        if key not in results:
            usage = train(years, options.accidents, options.models)
            results[key] = {"accidents": years * options.accidents, **asdict(usage)}
            options.results.write_text(json.dumps(results, indent=1))
        one = results[key]
        print_markdown(
            {"step": name or "start", "seconds": round(seconds), "peak, GiB": round(peak / GIB, 2)}
            for name, (seconds, peak) in one["steps"].items()
        )
        print(f"{key}: {one['seconds']:,.0f} s, {one['processor_seconds']:,.0f} processor seconds", flush=True)
    print_markdown(extrapolate([*results.values()]))


def train(years: int, accidents: int, models: str) -> Usage:
    """Train on synthetic years in a new process with stores of its own."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        environment = os.environ | {
            "ZENML_CONFIG_PATH": str(folder / "config"),
            "ZENML_LOCAL_STORES_PATH": str(folder / "stores"),
            "ZENML_ANALYTICS_OPT_IN": "false",
            "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow/mlflow.db",
        }
        command = [
            sys.executable,
            "run.py",
            "--training",
            "--years",
            f"{_LAST - years + 1}-{_LAST}",
            "--models",
            models,
            *options_of_folder(folder, source={"sample": {"accidents": accidents}}),
        ]
        return measure(command, environment, _PROJECT, folder / "log")


if __name__ == "__main__":
    main()
