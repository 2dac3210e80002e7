"""The service with one worker and with several: requests a processor second, batches, and a reload under load.

    python -m benchmarks.serving.workers [--source FOLDER] [--model-path FILE] [--workers N] [--rounds N] [--seconds S]

Both services run side by side and get all the load that they can take in turns. Rates are given by wall-clock second
and by processor second of all processes of the service; the latter hardly depend on what else the machine does. At the
end the model file of the service with several workers is replaced under load; every response must have status 200.
"""

import os
import signal
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import orjson

from benchmarks.common import argument_parser
from benchmarks.serving.comparison import CLIENTS, print_line
from benchmarks.serving.load_test import fetch, run_load
from benchmarks.serving.servers import RunningServer, run_server, service
from benchmarks.serving.workload import load_workload

_ACCIDENTS = 2_000
_BATCH = 1_000
_RELOADS = 3


def main() -> None:
    """Measure and print."""
    parser = argument_parser(__doc__)
    parser.add_argument("--source", default="sample", help="sample, or a folder of BAAC files")
    parser.add_argument("--model-path", type=Path, metavar="FILE", help="a bundle, in place of a model trained now")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0, help="of one measurement")
    options = parser.parse_args()
    for name in ("SERVING_DATABASE_URL", "MLFLOW_TRACKING_URI"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name, ExitStack() as stack:
        folder = Path(name)
        workload = load_workload(
            options.source, options.model_path, ("lightgbm",), _ACCIDENTS, folder, conforming=False
        )
        bundle, model = next(iter(workload.bundles.values())), folder / "lightgbm_model.zip"
        bundle.save(model)
        servers = {}
        for workers in (1, options.workers):
            place = folder / str(workers)
            place.mkdir()
            spec = service(model, place, "--workers", str(workers))
            servers[workers] = stack.enter_context(run_server(spec, place / "log"))
        batches = [workload.texts[:_BATCH], workload.texts[_BATCH:][:_BATCH]]
        for kind, texts, size, clients in (
            ("single", workload.texts, 1, CLIENTS),
            ("batch", batches, _BATCH, 2 * options.workers),
        ):
            messages = {n: [*map(getattr(one.spec, kind), texts)] for n, one in servers.items()}
            _compare(kind, servers, messages, size, clients, options.rounds, options.seconds)
        server = servers[options.workers]

        def replace_model(number: int) -> None:
            replace(bundle, trained_at=f"2000-01-0{number}T00:00:00+00:00").save(model)
            os.kill(server.process.pid, signal.SIGHUP)

        versions = _reload_under_load(
            server, [*map(server.spec.single, workload.texts)], replace_model, options.seconds
        )
        print_line(f"{_RELOADS} reloads under load: no failed request; versions that answered: {', '.join(versions)}")


def _compare(
    name: str,
    servers: dict[int, RunningServer],
    messages: dict[int, list[bytes]],
    size: int,
    clients: int,
    rounds: int,
    seconds: float,
) -> None:
    """Print accidents a second and a processor second of each service, and their ratios to those of one worker."""
    rates: dict[int, list[tuple[float, float]]] = {workers: [] for workers in servers}
    for number in range(rounds):
        for workers in sorted(servers, reverse=number % 2 == 1):
            server, before = servers[workers], servers[workers].processor_seconds()
            result = run_load(server.spec.port, messages[workers], clients=clients, seconds=seconds)
            spent = server.processor_seconds() - before
            rates[workers].append((size * result.rate, size * result.requests / spent))
    for workers, measured in rates.items():
        wall, processor = (statistics.median(column) for column in zip(*measured, strict=True))
        ratios = [
            statistics.median(own[kind] / one[kind] for own, one in zip(measured, rates[1], strict=True))
            for kind in (0, 1)
        ]
        print_line(
            f"{name}, workers {workers}: {wall:,.0f} accidents/s ({ratios[0]:.2f} times), "
            f"{processor:,.0f} a processor second ({ratios[1]:.2f} times)"
        )


def _reload_under_load(
    server: RunningServer, messages: list[bytes], replace_model: Callable[[int], None], seconds: float
) -> list[str]:
    """Replace the model several times during a load; the versions that answered.

    Raises:
        SystemExit: a request failed.
    """
    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(run_load, server.spec.port, messages, clients=CLIENTS, seconds=seconds * _RELOADS)
        versions = []
        for number in range(1, _RELOADS + 1):
            time.sleep(seconds * 0.7)
            replace_model(number)
            versions.append(_version(server, messages[0]))
        load.result()
    return [*versions, _version(server, messages[0])]


def _version(server: RunningServer, message: bytes) -> str:
    return str(orjson.loads(fetch(server.spec.port, message))["model"]["version"])


if __name__ == "__main__":
    main()
