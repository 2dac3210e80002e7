"""Time of the service, in process and over HTTP, beside `mlflow models serve` and two FastAPI applications.

    python -m benchmarks.serving [--source FOLDER] [--model-path FILE] [--served TYPES] [--output FILE.json]

All servers get the same accidents: those of the test set, with models trained on the training set of the same source,
unless a bundle is given. The service runs in full: API keys, validation, prediction log in SQLite, request log and
Prometheus metrics; only the limit of requests a second is raised. The servers take turns in rounds; results are medians
over the rounds, and ratios are taken within a round. Nothing but the output file is left behind.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from accidents.models import model_types
from benchmarks.serving import report
from benchmarks.serving.comparison import compare_servers, print_line
from benchmarks.serving.in_process import in_process
from benchmarks.serving.servers import server_specs
from benchmarks.serving.workload import load_workload

_MIN_ACCIDENTS = 10_000


def main() -> None:
    """Measure and print."""
    arguments = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    # The database and the MLflow store of this machine are not used.
    for name in ("SERVING_DATABASE_URL", "MLFLOW_TRACKING_URI"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        served = arguments.served.split(",")
        types = tuple(dict.fromkeys((*arguments.types.split(","), *served)))
        workload = load_workload(arguments.source, arguments.model_path, types, _MIN_ACCIDENTS, folder)
        size = sum(map(len, workload.texts)) / len(workload.texts)
        print_line(f"{len(workload.texts):,} accidents of {arguments.source}, {size:.0f} bytes each")
        step_times = {one: in_process(bundle, workload.texts) for one, bundle in workload.bundles.items()}
        print_line(report.steps_table(step_times))
        comparisons = {}
        for one in [*workload.bundles] if arguments.model_path else served:
            place = folder / one
            place.mkdir()
            comparisons[one] = compare_servers(
                server_specs(workload.bundles[one], workload, place),
                workload.texts,
                workload.probabilities(one),
                rounds=arguments.rounds,
                seconds=arguments.seconds,
                starts=arguments.starts,
                folder=place,
            )
            print_line(report.comparison_table(comparisons[one], one))
    goals = report.goals(step_times, comparisons)
    print_line(report.goals_table(goals))
    if arguments.output:
        result = {
            "machine": report.machine(),
            "source": arguments.source,
            "accidents": len(workload.texts),
            "in_process": {one: asdict(value) for one, value in step_times.items()},
            "http": {one: asdict(value) for one, value in comparisons.items()},
            "goals": [asdict(goal) for goal in goals],
        }
        arguments.output.write_text(json.dumps(result, indent=1), encoding="utf-8")


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--source", default="sample", help="sample, or a folder of BAAC files")
    options.add_argument("--model-path", type=Path, metavar="FILE", help="a bundle, in place of training models now")
    options.add_argument("--types", default=",".join(model_types()), help="to train")
    options.add_argument("--served", default="lightgbm,xgboost", help="those of them that are measured over HTTP")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=4.0, help="of one measurement over HTTP")
    options.add_argument("--starts", type=int, default=3, help="number of starts of the service")
    options.add_argument("--output", type=Path, metavar="FILE.json")
    return options.parse_args()


if __name__ == "__main__":
    main()
