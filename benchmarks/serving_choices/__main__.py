"""What was tried for the service, one choice at a time with everything else as it is.

    python -m benchmarks.serving_choices [--source FOLDER] [--only CHOICES] [--output FILE.json]

Choices are `runtime` (what asks the trees of a booster), `json`, `validation`, `layers` (kind of middleware) and
`server`. Times without HTTP are medians of one call in the best of several rounds in which all take turns. A runtime
whose probabilities differ from those of the bundle by more than 1e-9 on any of the accidents is out.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.serving.comparison import print_line
from benchmarks.serving.report import machine, table
from benchmarks.serving.workload import Workload, load_workload
from benchmarks.serving_choices import json_parsing, middleware, runtimes, servers
from serving.model.model_loader import LoadedModel
from serving.model.pointer import ModelPointer
from serving.model.predictor import RequestContext, predict
from serving.observability.metrics import Metrics

CHOICES = ("runtime", "json", "validation", "layers", "server")
_ACCIDENTS = 10_000
_BOOSTERS = ("lightgbm", "xgboost")


def main() -> None:
    """Measure and print."""
    arguments = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    for name in ("SERVING_DATABASE_URL", "MLFLOW_TRACKING_URI"):
        os.environ.pop(name, None)
    chosen = arguments.only.split(",")
    if unknown := set(chosen) - set(CHOICES):
        raise SystemExit(f"no choice: {', '.join(sorted(unknown))}; there are {', '.join(CHOICES)}")
    result: dict[str, Any] = {"machine": machine(), "source": arguments.source}
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        workload = load_workload(arguments.source, None, _BOOSTERS, _ACCIDENTS, folder)
        for choice in chosen:
            result[choice], shown = _MEASURE[choice](workload, folder, arguments)
            print_line(shown)
    if arguments.output:
        arguments.output.write_text(json.dumps(result, indent=1), encoding="utf-8")


Measured = tuple[Any, str]
"""What goes to the file, and the table that is printed."""


def _runtime(workload: Workload, folder: Path, arguments: argparse.Namespace) -> Measured:  # noqa: ARG001
    results = {name: runtimes.runtimes(bundle, workload.rows(name)) for name, bundle in workload.bundles.items()}
    rows = [
        (
            f"{name}, {one.name}",
            _figure(one.load, 3),
            _figure(one.one, 1),
            _figure(one.many, 0),
            "" if one.difference is None else f"{one.difference:.0e}",
            one.out or "can be taken",
        )
        for name, ways in results.items()
        for one in ways
    ]
    head = ("runtime", "load, s", "one row, µs", f"{runtimes.MANY:,} rows, µs", "largest |Δ|", "")
    return {name: [asdict(one) for one in ways] for name, ways in results.items()}, table(head, rows)


def _json(workload: Workload, folder: Path, arguments: argparse.Namespace) -> Measured:  # noqa: ARG001
    bundle = next(iter(workload.bundles.values()))
    model = LoadedModel(
        bundle, ModelPointer("", "model", "1", ""), {"name": "model", "version": "1", "type": bundle.model_type}
    )
    answer, _ = predict(model, workload.texts[0], RequestContext("0" * 32, "/v1/predict", "0" * 8), Metrics())
    results = json_parsing.json_libraries(workload.texts, answer)
    rows = [(name, _figure(read, 1), _figure(wrote, 1)) for name, (read, wrote) in results.items()]
    return results, table(("JSON", "read an accident, µs", "write an answer, µs"), rows)


def _validation(workload: Workload, folder: Path, arguments: argparse.Namespace) -> Measured:  # noqa: ARG001
    results = json_parsing.validators(workload.texts)
    return results, table(
        ("validation", "from JSON text, µs"), [(name, _figure(one, 1)) for name, one in results.items()]
    )


def _layers(workload: Workload, folder: Path, arguments: argparse.Namespace) -> Measured:  # noqa: ARG001
    results = middleware.middleware_times(workload.texts[0], folder)
    return results, table(("layers", "a request, µs"), [(name, _figure(one, 0)) for name, one in results.items()])


def _server(workload: Workload, folder: Path, arguments: argparse.Namespace) -> Measured:
    model = folder / "model.zip"
    next(iter(workload.bundles.values())).save(model)
    results = servers.servers(model, workload.texts, rounds=arguments.rounds, seconds=arguments.seconds, folder=folder)
    rows = [
        (
            one.name,
            _figure(one.p50, 2),
            _figure(one.p99, 2),
            _figure(one.rate, 0),
            _figure(one.many_p99, 2),
            _figure(one.processor, 3),
        )
        for one in results
    ]
    clients = f"{servers.CLIENTS} clients, 1/s"
    head = (f"server ({servers.versions()})", "1 client p50, ms", "p99", clients, "p99, ms", "processor, ms")
    return [asdict(one) for one in results], table(head, rows)


_MEASURE = {"runtime": _runtime, "json": _json, "validation": _validation, "layers": _layers, "server": _server}


def _figure(value: float | None, decimals: int) -> str:
    return "" if value is None else f"{value:,.{decimals}f}"


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--source", default="sample", help="sample, or a folder of BAAC files")
    options.add_argument("--only", default=",".join(CHOICES), help="some of the choices, separated by commas")
    options.add_argument("--rounds", type=int, default=5, help="of the servers")
    options.add_argument("--seconds", type=float, default=4.0, help="of one measurement of a server")
    options.add_argument("--output", type=Path, metavar="FILE.json")
    return options.parse_args()


if __name__ == "__main__":
    main()
