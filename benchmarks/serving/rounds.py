"""Rounds over HTTP: in every one each server is asked in turn by one client, by several, and for batches."""

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

from benchmarks.serving.contenders import SERVICE, Contender, Running, running
from benchmarks.serving.load import ask, measured

CLIENTS, BATCH = 8, 1000
_BATCHES = 10
_COMPARED = 200
_PROFILE = "PYTHONPROFILEIMPORTTIME"


@dataclass(frozen=True)
class Figures:
    """What one server did in one round, or in all of them at the median.

    `p50`, `p99` are milliseconds of a request with one client; `many_p50`, `many_p99` and `rate` (requests a second)
    those with `CLIENTS`; `accidents` are accidents a second in batches of `BATCH`. `processor` is milliseconds of
    processor time of all processes of the server a request, with `CLIENTS`. `asking` is the greatest share of a
    processor that asking took.
    """

    p50: float
    p99: float
    rate: float
    many_p50: float
    many_p99: float
    accidents: float
    processor: float
    asking: float


@dataclass(frozen=True)
class Contest:
    """By server: seconds until it was ready, the greatest difference of its probabilities, and figures by round."""

    seconds: dict[str, list[float]]
    differences: dict[str, float]
    rounds: dict[str, list[Figures]]
    mlflow_imported: bool


def contest(
    contenders: Sequence[Contender],
    texts: Sequence[bytes],
    expected: npt.NDArray[np.float64],
    *,
    rounds: int,
    seconds: float,
    starts: int,
    folder: Path,
) -> Contest:
    """Start everything, compare answers, and measure.

    Args:
        contenders: the servers, the service among them.
        texts: accidents in JSON.
        expected: their probabilities.
        rounds: how often each is measured.
        seconds: how long each measurement takes.
        starts: how often the service is started.
        folder: for what they write.
    """
    own = next(one for one in contenders if one.name == SERVICE)
    imported = _imports_mlflow(own, texts[0], folder)
    took = {
        one.name: [_seconds_to_start(one, folder) for _ in range(starts - 1 if one is own else 0)] for one in contenders
    }
    found: dict[str, list[Figures]] = {one.name: [] for one in contenders}
    with ExitStack() as stack:
        servers = []
        for one in contenders:
            servers.append(stack.enter_context(running(one, folder / f"{one.port}.log")))
            took[one.name].append(servers[-1].seconds)
        differences = {one.name: _difference(one, texts, expected) for one in contenders if one.answers}
        for number in range(rounds):
            for server in servers:
                figures = _measure(server, texts, seconds)
                found[server.contender.name].append(figures)
                say(
                    f"round {number + 1}, {server.contender.name}: {figures.p50:.2f} ms, {figures.rate:,.0f} requests/s"
                )
    return Contest(took, differences, found, imported)


def _measure(server: Running, texts: Sequence[bytes], seconds: float) -> Figures:
    one = server.contender
    requests = [one.single(text) for text in texts[: BATCH * 2]]
    batches = [one.batch(texts[start : start + BATCH]) for start in range(0, BATCH * _BATCHES, BATCH)]
    alone = measured(one.port, requests, clients=1, seconds=seconds)
    before = server.processor_seconds()
    many = measured(one.port, requests, clients=CLIENTS, seconds=seconds)
    used = server.processor_seconds() - before
    batch = measured(one.port, [batch for batch in batches if batch], clients=1, seconds=seconds)
    return Figures(
        p50=alone.p50,
        p99=alone.p99,
        rate=many.rate,
        many_p50=many.p50,
        many_p99=many.p99,
        accidents=batch.rate * BATCH,
        processor=1000 * used / many.asked,
        asking=max(alone.busy, many.busy),
    )


def _difference(one: Contender, texts: Sequence[bytes], expected: npt.NDArray[np.float64]) -> float:
    """The greatest difference between answers, one by one and in batches, and what the model says of frames."""
    assert one.answers  # noqa: S101
    single = [one.answers(orjson.loads(ask(one.port, one.single(text))))[0] for text in texts[:_COMPARED]]
    batches = [
        one.answers(orjson.loads(ask(one.port, one.batch(texts[start : start + BATCH]))))
        for start in range(0, len(texts), BATCH)
    ]
    many = np.concatenate(batches)
    return float(max(np.abs(np.array(single) - expected[:_COMPARED]).max(), np.abs(many - expected).max()))


def _seconds_to_start(one: Contender, folder: Path) -> float:
    with running(one, folder / f"{one.port}.log") as server:
        return server.seconds


def _imports_mlflow(own: Contender, text: bytes, folder: Path) -> bool:
    """Whether the processes of the service import mlflow: Python itself is told to list what they import."""
    log = folder / "imports.log"
    with running(own, log, {_PROFILE: "1"}):
        ask(own.port, own.single(text))
    imported = {line.rpartition("|")[2].strip() for line in log.read_text().splitlines() if "import time:" in line}
    if not {"uvicorn", "accidents.bundle"} <= imported:
        raise SystemExit("the service does not say what it imports")
    return any(name.partition(".")[0] == "mlflow" for name in imported)


def median(figures: Sequence[Figures]) -> Figures:
    """Each figure at its median."""
    return Figures(
        *(statistics.median(column) for column in zip(*(vars(one).values() for one in figures), strict=True))
    )


def ratio(contest: Contest, name: str, over: str, figure: str) -> float:
    """A figure of one server over that of another, at the median of the rounds, each in the same round."""
    pairs = zip(contest.rounds[name], contest.rounds[over], strict=True)
    return statistics.median(getattr(one, figure) / getattr(other, figure) for one, other in pairs)


def say(line: str) -> None:
    """Print at once."""
    sys.stdout.write(f"{line}{os.linesep}")
    sys.stdout.flush()
