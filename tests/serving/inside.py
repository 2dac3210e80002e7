"""A service for tests in a thread of their own process: the real server, up within a second."""

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
from serving.application import create
from serving.auth.authorization import GuardedRoute
from serving.auth.roles import Role
from serving.dependencies import World
from serving.process.server import options
from serving.process.supervisor import of_file
from serving.records import api_keys
from tests.serving.world import PATIENCE, PROJECT, free_port
from tests.trained import small_year

EXAMPLES = {file.stem: json.loads(file.read_text()) for file in sorted((PROJECT / "examples").glob("*.json"))}
"""The examples of the project by name."""

ACCIDENT: dict[str, Any] = EXAMPLES["high_risk"]
LINES = {"Content-Type": "application/x-ndjson"}


@dataclass
class Api:
    """A service that answers, and a key of every role."""

    url: str
    application: FastAPI
    keys: Mapping[Role, str]
    pointer: Path
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def world(self) -> World:
        """What the application works with."""
        found: World = self.application.state.world
        return found

    def ask(self, method: str, path: str, role: Role | None = Role.PREDICT, **others: Any) -> requests.Response:
        """Ask with a key of a role, or without one."""
        headers = dict(others.pop("headers", {}))
        if role is not None:
            headers["Authorization"] = f"Bearer {self.keys[role]}"
        return self.session.request(method, self.url + path, headers=headers, timeout=PATIENCE, **others)

    def get(self, path: str, role: Role | None = Role.PREDICT, **others: Any) -> requests.Response:
        """GET with a key of a role, or without one."""
        return self.ask("GET", path, role, **others)

    def post(self, path: str, content: Any, role: Role | None = Role.PREDICT, **others: Any) -> requests.Response:
        """POST some JSON with a key of a role, or without one."""
        headers = {"Content-Type": "application/json"} | others.pop("headers", {})
        return self.ask("POST", path, role, data=json.dumps(content), headers=headers, **others)

    def figures(self) -> dict[str, float]:
        """What Prometheus would read, by name and labels as they are written."""
        text = self.get("/metrics").text
        return read_figures(text)


@dataclass(frozen=True)
class Route:
    """A route that asks for a role."""

    method: str
    path: str
    role: Role


def guarded(application: FastAPI) -> list[Route]:
    """Every route of an application that asks for a role, HEAD beside each GET."""
    found = [one for one in iter_route_contexts(application.routes) if one.path != "/docs"]
    routes = [
        Route(method, str(one.path), one.original_route.role)
        for one in found
        if isinstance(one.original_route, GuardedRoute)
        for method in one.methods or ()
    ]
    return routes + [Route("HEAD", one.path, one.role) for one in routes if one.method == "GET"]


def read_figures(text: str) -> dict[str, float]:
    """Figures in the text form of Prometheus, by name and labels as they are written."""
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def settings_in(folder: Path, **settings: Any) -> ServingSettings:
    """Settings of a service whose database is in a folder."""
    records = {"database_url": f"sqlite:///{folder}/serving.db", "flush_seconds": 0.1, "refresh_seconds": 0.2}
    records |= settings.pop("records", {})
    return ServingSettings.model_validate({"port": free_port(), **settings, "records": records})


@contextmanager
def serving(application: FastAPI) -> Iterator[str]:
    """The server of an application; yields its address."""
    settings: ServingSettings = application.state.world.settings
    server = uvicorn.Server(uvicorn.Config(application, **(options(settings) | {"log_config": None})))

    def run() -> None:
        with suppress(SystemExit):  # where it does not start
            server.run()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    end = time.monotonic() + PATIENCE
    while not server.started:
        assert thread.is_alive(), "the server has ended before it answered"
        assert time.monotonic() < end, "the server does not answer"
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{settings.port}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE)


@contextmanager
def inside(folder: Path, model: Path, **settings: Any) -> Iterator[Api]:
    """A service of a model file, with its database in `folder`."""
    pointer = folder / "model.json"
    of_file(model)().write(pointer)
    application = create(settings_in(folder, **settings), pointer)
    world: World = application.state.world
    made = {role: api_keys.create(world.engine, f"test {role}", role).text for role in Role}
    world.ring.refresh()
    with serving(application) as url, looking(model, pointer):
        yield Api(url, application, made, pointer)


@contextmanager
def looking(model: Path, pointer: Path) -> Iterator[None]:
    """What the launching process does when it is asked to look."""
    wanted, ended = pointer.with_name("wanted"), threading.Event()

    def look() -> None:
        seen = 0
        while not ended.wait(0.02):
            if wanted.exists() and (stamp := wanted.stat().st_mtime_ns) != seen:
                seen, at = stamp, time.time()
                replace(of_file(model)(), checked_at=at).write(pointer)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@cache
def accidents(count: int = 200) -> list[dict[str, Any]]:
    """Accidents of the small synthetic year as requests in the nested form."""
    year, _ = small_year()
    return to_requests(year, year.accidents["Num_Acc"].tolist()[:count])
