"""A service for tests: the real server in a thread of the test process, ready within a second."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import requests
import uvicorn
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from accidents.configuration.serving import ServingSettings
from accidents.requests.serialisation import to_requests
from serving.application import create_app
from serving.auth import api_keys
from serving.auth.authorization import ProtectedRoute
from serving.auth.roles import Role
from serving.dependencies import AppState
from serving.model.pointer import ModelPointer, reload_request_file, shadow_pointer_file
from serving.process.server import uvicorn_options
from serving.process.supervisor import model_file_resolver
from tests.serving.service_process import PROJECT, TIMEOUT, free_port
from tests.trained import small_year

EXAMPLES = {file.stem: json.loads(file.read_text()) for file in sorted((PROJECT / "examples").glob("*.json"))}
"""The examples of the project by name."""

ACCIDENT: dict[str, Any] = EXAMPLES["high_risk"]
NDJSON_HEADERS = {"Content-Type": "application/x-ndjson"}


@dataclass
class ApiClient:
    """Client of a running service, with an API key of every role."""

    url: str
    app: FastAPI
    keys: Mapping[Role, str]
    pointer_file: Path
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def state(self) -> AppState:
        """State of the application."""
        state: AppState = self.app.state.serving
        return state

    def request(self, method: str, path: str, role: Role | None = Role.PREDICT, **kwargs: Any) -> requests.Response:
        """Send a request with the key of a role, or without one."""
        headers = dict(kwargs.pop("headers", {}))
        if role is not None:
            headers["Authorization"] = f"Bearer {self.keys[role]}"
        return self.session.request(method, self.url + path, headers=headers, timeout=TIMEOUT, **kwargs)

    def get(self, path: str, role: Role | None = Role.PREDICT, **kwargs: Any) -> requests.Response:
        """GET with the key of a role, or without one."""
        return self.request("GET", path, role, **kwargs)

    def post(self, path: str, content: Any, role: Role | None = Role.PREDICT, **kwargs: Any) -> requests.Response:
        """POST JSON with the key of a role, or without one."""
        headers = {"Content-Type": "application/json"} | kwargs.pop("headers", {})
        return self.request("POST", path, role, data=json.dumps(content), headers=headers, **kwargs)

    def metrics(self) -> dict[str, float]:
        """Values of `/metrics` by name and labels."""
        return parse_metrics(self.get("/metrics").text)


@dataclass(frozen=True)
class RouteInfo:
    """A protected route."""

    method: str
    path: str
    role: Role


def protected_routes(app: FastAPI) -> list[RouteInfo]:
    """Every route of an application that requires a role."""
    return [
        RouteInfo(method, str(one.path), one.original_route.role)
        for one in iter_route_contexts(app.routes)
        if isinstance(one.original_route, ProtectedRoute) and one.path != "/docs"
        for method in one.methods or ()
    ]


def parse_metrics(text: str) -> dict[str, float]:
    """Values in the text format of Prometheus, by name and labels."""
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def settings_for(folder: Path, **settings: Any) -> ServingSettings:
    """Settings of a service whose database is in a folder."""
    records = {"database_url": f"sqlite:///{folder}/serving.db", "flush_seconds": 0.1, "refresh_seconds": 0.2}
    records |= settings.pop("records", {})
    return ServingSettings.model_validate({"port": free_port(), **settings, "records": records})


@contextmanager
def run_server(app: FastAPI, **options: Any) -> Iterator[str]:
    """Run an application in uvicorn with its usual options; yields its URL."""
    settings: ServingSettings = app.state.serving.settings
    server = uvicorn.Server(uvicorn.Config(app, **(uvicorn_options(settings) | {"log_config": None} | options)))

    def run() -> None:
        with suppress(SystemExit):  # raised where it does not start
            server.run()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    end = time.monotonic() + TIMEOUT
    while not server.started:
        assert thread.is_alive(), "the server exited before it was ready"
        assert time.monotonic() < end, "the server is not ready"
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{settings.port}"
    finally:
        server.should_exit = True
        thread.join(TIMEOUT)


@contextmanager
def in_process_service(
    folder: Path,
    model: Path,
    *,
    pointer: ModelPointer | None = None,
    shadow: Path | None = None,
    server_options: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Iterator[ApiClient]:
    """A service of a model file, with its database in `folder`.

    Args:
        folder: for the database.
        model: the model file.
        pointer: names the model otherwise than as a file.
        shadow: the file of a shadow model.
        server_options: go to uvicorn.
        settings: the serving configuration.
    """
    pointer_file = folder / "model.json"
    (pointer or model_file_resolver(model)()).write(pointer_file)
    if shadow:
        model_file_resolver(shadow)().write(shadow_pointer_file(pointer_file))
    app = create_app(settings_for(folder, **settings), pointer_file)
    state: AppState = app.state.serving
    keys = {role: api_keys.create_key(state.engine, f"test {role}", role).text for role in Role}
    state.key_cache.refresh()
    with run_server(app, **(server_options or {})) as url, reload_on_request(model, pointer_file):
        yield ApiClient(url, app, keys, pointer_file)


@contextmanager
def reload_on_request(model: Path, pointer_file: Path) -> Iterator[None]:
    """Write the pointer at every reload request, as the supervisor does."""
    request_file, stopped = reload_request_file(pointer_file), threading.Event()

    def watch() -> None:
        seen = 0
        while not stopped.wait(0.02):
            if request_file.exists() and (modified := request_file.stat().st_mtime_ns) != seen:
                seen, at = modified, time.time()
                replace(model_file_resolver(model)(), checked_at=at).write(pointer_file)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


@cache
def synthetic_accidents(count: int = 200) -> list[dict[str, Any]]:
    """Accidents of the small synthetic year as requests in the nested form."""
    year, _ = small_year()
    return to_requests(year, year.accidents["Num_Acc"].tolist()[:count])
