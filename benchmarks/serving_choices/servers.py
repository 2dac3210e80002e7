"""HTTP servers for the same application: uvicorn, as the service uses it, and granian."""

import os
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from accidents.configuration.serving import ServingSettings
from benchmarks.serving.load_test import run_load
from benchmarks.serving.servers import ServerSpec, free_port, run_server, service
from serving.environment import POINTER_ENV, SETTINGS_ENV
from serving.process.supervisor import model_file_resolver

CLIENTS = 8
_REQUESTS = 2000


@dataclass(frozen=True)
class Server:
    """Milliseconds with one client, requests a second and milliseconds with `CLIENTS`, and of processor a request."""

    name: str
    p50: float
    p99: float
    rate: float
    many_p99: float
    processor: float


def servers(model: Path, texts: list[bytes], *, rounds: int, seconds: float, folder: Path) -> list[Server]:
    """Measure both in turn, with a key, log and metrics on; medians of the rounds.

    uvicorn runs with the service's own protocol, which bounds the heads of requests and how long they may take.
    """
    measurements: dict[str, list[tuple[float, ...]]] = {}
    with ExitStack() as stack:
        started = [
            stack.enter_context(run_server(one, folder / f"{one.name}.log"))
            for one in (_of("uvicorn", model, folder), _of("granian", model, folder))
        ]
        for _ in range(rounds):
            for server in started:
                one = server.spec
                requests = [one.single(text) for text in texts[:_REQUESTS]]
                alone = run_load(one.port, requests, clients=1, seconds=seconds)
                before = server.processor_seconds()
                many = run_load(one.port, requests, clients=CLIENTS, seconds=seconds)
                used = 1000 * (server.processor_seconds() - before) / many.requests
                measurements.setdefault(one.name, []).append((alone.p50, alone.p99, many.rate, many.p99, used))
    return [Server(name, *map(median, zip(*rounds_of, strict=True))) for name, rounds_of in measurements.items()]


def _of(name: str, model: Path, folder: Path) -> ServerSpec:
    """The application of the service in a server, without the launcher."""
    own = folder / name
    own.mkdir()
    base, port = service(model, own), free_port()
    settings: dict[str, Any] = {"port": port, "caller": {"requests_per_second": 1_000_000}}
    model_file_resolver(model)().write(own / "model.json")
    environment = {
        SETTINGS_ENV: ServingSettings.model_validate(settings).model_dump_json(),
        POINTER_ENV: str(own / "model.json"),
    }
    command = {
        "uvicorn": ("-m", "serving.process.server"),
        "granian": (
            *("-m", "granian", "serving.application:create_app_from_environment", "--factory", "--interface", "asgi"),
            *("--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--loop", "uvloop", "--no-ws"),
            *("--log-level", "warning"),
        ),
    }
    return replace(base, name=name, command=command[name], port=port, environment={**base.environment, **environment})


def versions() -> str:
    """Of the servers."""
    from importlib.metadata import version

    return ", ".join(f"{name} {version(name)}" for name in ("uvicorn", "granian")) + f", {os.cpu_count()} cores"
