"""Time of the service, in process and over HTTP, beside `mlflow models serve` and two FastAPI applications.

    python -m benchmarks.serving [--source FOLDER] [--model-path FILE] [--served TYPES] [--output FILE.json]

Everything is started here and asked for the same accidents: those of the test set, while the models are trained on the
training set of the same source, unless a bundle is given. The service does all that it does in use: it asks for a key,
validates, keeps its prediction log in SQLite, writes a line of JSON a request, and counts for Prometheus; only the
limit of requests a second is raised. The servers take turns in rounds; figures are medians of the rounds, and ratios
are taken within them. Nothing is left running or on disk but the output.
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
from benchmarks.serving.contenders import contenders
from benchmarks.serving.in_process import in_process
from benchmarks.serving.rounds import contest, say
from benchmarks.serving.subject import subject

_LEAST = 10_000


def main() -> None:
    """Measure and print."""
    given = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    # Neither the records nor the MLflow of this machine are meant.
    for name in ("SERVING_DATABASE_URL", "MLFLOW_TRACKING_URI"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        served = given.served.split(",")
        types = tuple(dict.fromkeys((*given.types.split(","), *served)))
        asked = subject(given.source, given.model_path, types, _LEAST, folder)
        size = sum(map(len, asked.texts)) / len(asked.texts)
        say(f"{len(asked.texts):,} accidents of {given.source}, {size:.0f} bytes each")
        parts = {one: in_process(bundle, asked.texts) for one, bundle in asked.bundles.items()}
        say(report.parts_table(parts))
        contests = {}
        for one in [*asked.bundles] if given.model_path else served:
            place = folder / one
            place.mkdir()
            contests[one] = contest(
                contenders(asked.bundles[one], asked, place),
                asked.texts,
                asked.probabilities(one),
                rounds=given.rounds,
                seconds=given.seconds,
                starts=given.starts,
                folder=place,
            )
            say(report.contest_table(contests[one], one))
    goals = report.goals(parts, contests)
    say(report.goals_table(goals))
    if given.output:
        told = {
            "machine": report.machine(),
            "source": given.source,
            "accidents": len(asked.texts),
            "in_process": {one: asdict(value) for one, value in parts.items()},
            "http": {one: asdict(value) for one, value in contests.items()},
            "goals": [asdict(goal) for goal in goals],
        }
        given.output.write_text(json.dumps(told, indent=1), encoding="utf-8")


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--source", default="sample", help="sample, or a folder of BAAC files")
    options.add_argument("--model-path", type=Path, metavar="FILE", help="a bundle, in place of training models now")
    options.add_argument("--types", default=",".join(model_types()), help="to train")
    options.add_argument("--served", default="lightgbm,xgboost", help="those of them that are asked over HTTP")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=4.0, help="of one measurement over HTTP")
    options.add_argument("--starts", type=int, default=3, help="how often the service is started")
    options.add_argument("--output", type=Path, metavar="FILE.json")
    return options.parse_args()


if __name__ == "__main__":
    main()
