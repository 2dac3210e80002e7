"""Compare servers over HTTP in rounds: each in turn with one client, with several, and with batches."""

import os
import statistics
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson

from benchmarks.serving.load_test import fetch, run_load
from benchmarks.serving.servers import SERVICE, RunningServer, ServerSpec, run_server

CLIENTS, BATCH = 8, 1000
_BATCHES = 10
_COMPARED = 200
_PROFILE = "PYTHONPROFILEIMPORTTIME"


@dataclass(frozen=True)
class Measurements:
    """Measurements of one server in one round, or their medians over all rounds.

    `p50`, `p99` are milliseconds of a request with one client; `many_p50`, `many_p99` and `rate` (requests a second)
    those with `CLIENTS`; `accidents` are accidents a second in batches of `BATCH`. `processor` is milliseconds of
    processor time of all processes of the server a request, with `CLIENTS`. `client_load` is the greatest share of a
    processor that the client took.
    """

    p50: float
    p99: float
    rate: float
    many_p50: float
    many_p99: float
    accidents: float
    processor: float
    client_load: float


@dataclass(frozen=True)
class Comparison:
    """By server: seconds until it was ready, greatest difference of its probabilities, and measurements by round."""

    seconds: dict[str, list[float]]
    differences: dict[str, float]
    rounds: dict[str, list[Measurements]]
    mlflow_imported: bool


def compare_servers(
    server_specs: Sequence[ServerSpec],
    texts: Sequence[bytes],
    expected: npt.NDArray[np.float64],
    *,
    rounds: int,
    seconds: float,
    starts: int,
    folder: Path,
) -> Comparison:
    """Start all servers, compare their probabilities, and measure.

    Args:
        server_specs: the servers, including the service.
        texts: accidents in JSON.
        expected: their probabilities.
        rounds: number of measurements of each.
        seconds: duration of each measurement.
        starts: number of starts of the service.
        folder: for files of the servers.
    """
    own = next(one for one in server_specs if one.name == SERVICE)
    imported = _imports_mlflow(own, texts[0], folder)
    start_seconds = {
        one.name: [_seconds_to_start(one, folder) for _ in range(starts - 1 if one is own else 0)]
        for one in server_specs
    }
    results: dict[str, list[Measurements]] = {one.name: [] for one in server_specs}
    with ExitStack() as stack:
        servers = []
        for one in server_specs:
            servers.append(stack.enter_context(run_server(one, folder / f"{one.port}.log")))
            start_seconds[one.name].append(servers[-1].seconds)
        differences = {one.name: _difference(one, texts, expected) for one in server_specs if one.answers}
        for number in range(rounds):
            for server in servers:
                measurements = _measure(server, texts, seconds)
                results[server.spec.name].append(measurements)
                print_line(
                    f"round {number + 1}, {server.spec.name}: {measurements.p50:.2f} ms, "
                    f"{measurements.rate:,.0f} requests/s"
                )
    return Comparison(start_seconds, differences, results, imported)


def _measure(server: RunningServer, texts: Sequence[bytes], seconds: float) -> Measurements:
    one = server.spec
    requests = [one.single(text) for text in texts[: BATCH * 2]]
    starts = range(0, min(BATCH * _BATCHES, len(texts) - BATCH + 1), BATCH)
    batches = [one.batch(texts[start : start + BATCH]) for start in starts]
    alone = run_load(one.port, requests, clients=1, seconds=seconds)
    before = server.processor_seconds()
    many = run_load(one.port, requests, clients=CLIENTS, seconds=seconds)
    used = server.processor_seconds() - before
    batch = run_load(one.port, [batch for batch in batches if batch], clients=1, seconds=seconds)
    return Measurements(
        p50=alone.p50,
        p99=alone.p99,
        rate=many.rate,
        many_p50=many.p50,
        many_p99=many.p99,
        accidents=batch.rate * BATCH,
        processor=1000 * used / many.requests,
        client_load=max(alone.busy, many.busy),
    )


def _difference(one: ServerSpec, texts: Sequence[bytes], expected: npt.NDArray[np.float64]) -> float:
    """Greatest difference of single and batch responses from the probabilities of the model."""
    assert one.answers  # noqa: S101
    single = [one.answers(orjson.loads(fetch(one.port, one.single(text))))[0] for text in texts[:_COMPARED]]
    batches = [
        one.answers(orjson.loads(fetch(one.port, one.batch(texts[start : start + BATCH]))))
        for start in range(0, len(texts), BATCH)
    ]
    many = np.concatenate(batches)
    return float(max(np.abs(np.array(single) - expected[:_COMPARED]).max(), np.abs(many - expected).max()))


def _seconds_to_start(one: ServerSpec, folder: Path) -> float:
    with run_server(one, folder / f"{one.port}.log") as server:
        return server.seconds


def _imports_mlflow(own: ServerSpec, text: bytes, folder: Path) -> bool:
    """Whether the processes of the service import mlflow, from Python's own list of imports."""
    log = folder / "imports.log"
    with run_server(own, log, {_PROFILE: "1"}):
        fetch(own.port, own.single(text))
    imported = {line.rpartition("|")[2].strip() for line in log.read_text().splitlines() if "import time:" in line}
    if not {"uvicorn", "accidents.bundle"} <= imported:
        raise SystemExit("the log of the service contains no list of imports")
    return any(name.partition(".")[0] == "mlflow" for name in imported)


def median(measurements: Sequence[Measurements]) -> Measurements:
    """Median of each measurement."""
    return Measurements(
        *(statistics.median(column) for column in zip(*(vars(one).values() for one in measurements), strict=True))
    )


def ratio(comparison: Comparison, name: str, over: str, figure: str) -> float:
    """Median over the rounds of the ratio of a measurement of two servers in the same round."""
    pairs = zip(comparison.rounds[name], comparison.rounds[over], strict=True)
    return statistics.median(getattr(one, figure) / getattr(other, figure) for one, other in pairs)


def print_line(line: str) -> None:
    """Print a line without buffering."""
    sys.stdout.write(f"{line}{os.linesep}")
    sys.stdout.flush()
