"""The FastAPI application: routes, layers, the model that is watched for, and what begins and ends with it."""

import asyncio
import base64
import gc
import hashlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.middleware import Middleware
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as StarletteHTTPException

from accidents.configuration.serving import ServingSettings
from serving.auth.authentication import Doorkeeper
from serving.auth.authorization import GuardedRoute, unguarded
from serving.auth.key_cache import KeyRing
from serving.dependencies import World
from serving.environment import PARENT, POINTER, SERVER, SETTINGS
from serving.http.drain_body import Leftovers
from serving.http.errors import ServingError
from serving.http.hosts import Heads, Hosts
from serving.http.json_body import Json
from serving.http.middleware import Access, Bodies, Headers, Telemetry
from serving.http.openapi import describe
from serving.model.model_loader import Current, Served
from serving.model.pointer import Pointer
from serving.observability.metrics import Metrics
from serving.observability.request_log import Logger
from serving.records.database import migrate, opened
from serving.records.prediction_log import PredictionLog
from serving.routes import health, model, outcomes, predictions

_LOOK_SECONDS = 0.5
_OBJECTS_BETWEEN_COLLECTIONS = 50_000
_SECONDS_OF_A_THREAD = 0.0005
"""After which explanations, batches and the log let the event loop go on; Python's 0.005 would make answers late."""

_DESCRIPTION = """Was somebody killed or hospitalised in this road accident? Asked in the words of BAAC, answered with a
calibrated probability and its reasons. Trained on BAAC open data (ONISR, data.gouv.fr, Licence Ouverte 2.0).
Decision support, not a decision."""


def from_environment() -> FastAPI:
    """The application of a process that the launcher has started."""
    return create(ServingSettings.model_validate_json(os.environ[SETTINGS]), Path(os.environ[POINTER]))


def create(settings: ServingSettings, pointer: Path) -> FastAPI:
    """An application that serves the model that the file `pointer` names.

    Raises:
        RecordsError: the database of the service cannot be opened.
    """
    world = _world(settings, pointer)
    doorkeeper = Doorkeeper(
        world.ring, settings.caller, world.metrics, anonymous=settings.anonymous, open_metrics=settings.open_metrics
    )
    application = FastAPI(
        title="French road accidents",
        version="1",
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=_life,
        redirect_slashes=False,
        middleware=[
            Middleware(Headers),
            Middleware(Telemetry, metrics=world.metrics, logger=world.logger),
            Middleware(Leftovers),
            Middleware(Hosts, names=(settings.host, *settings.hosts)),
            Middleware(Heads),
            Middleware(Access, doorkeeper=doorkeeper),
            Middleware(Bodies, limits=settings.request),
        ],
    )
    application.state.world = world
    application.router.route_class = GuardedRoute
    application.openapi = lambda: describe(application)  # type: ignore[method-assign]
    application.add_exception_handler(ServingError, _refused)
    application.add_exception_handler(StarletteHTTPException, _http)
    for routes in (predictions.router, model.router, outcomes.router, health.guarded, health.router):
        application.router.routes.extend(routes.routes)  # included whole, they would be built anew for every request
    application.mount("/page", StaticFiles(directory=health.PAGE), name="page")
    application.mount("/swagger", StaticFiles(packages=[("fastapi_offline", "static")]), name="swagger")
    _add_documentation(application)
    return application


def _world(settings: ServingSettings, pointer: Path) -> World:
    metrics, logger = Metrics(), Logger()
    engine = opened(settings.records)
    migrate(engine)
    failed = False

    def changed(served: Served | None, found: Pointer | None, problem: str) -> None:
        nonlocal failed
        told = problem or (found.problem if found else "")
        if served:
            bundle, called = served.bundle, served.called
            metrics.model(
                (called["name"], called["version"], called["type"], bundle.level),
                bundle.metrics.get("test", {}),
                served.loaded_at,
            )
        metrics.checked(found.checked_at if found else 0.0, failed=bool(told))
        if told and not failed:
            logger.warning("model not taken", problem=told)
        failed = bool(told)

    return World(
        settings=settings,
        current=Current(pointer, changed),
        engine=engine,
        log=PredictionLog(engine, settings.records),
        ring=KeyRing(engine, settings.records.refresh_seconds),
        metrics=metrics,
        logger=logger,
    )


@asynccontextmanager
async def _life(application: FastAPI) -> AsyncIterator[None]:
    """Load the model, watch for a newer one, and in the end write what is still to be written."""
    world: World = application.state.world
    if forgotten := unguarded(application):
        raise RuntimeError(f"routes that ask for no role: {', '.join(forgotten)}")
    await run_in_threadpool(world.current.look)
    # Models and modules stay; looking through them for garbage again and again would make single answers late.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    sys.setswitchinterval(_SECONDS_OF_A_THREAD)
    watching = asyncio.create_task(_watch(world))
    if served := world.current.served:
        world.logger.event("ready", model=served.called)
    try:
        yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await run_in_threadpool(world.log.close, world.settings.stop_seconds)
        world.ring.close()
        world.engine.dispose()


async def _watch(world: World) -> None:
    """Take newer models, tell the other workers of the log, and end with the process that has started the server."""
    parent = int(os.environ.get(PARENT, "0"))
    server = int(os.environ.get(SERVER, "0"))
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        if parent and _parent_of(server) != parent:
            world.logger.warning("the launching process is gone")
            # The server first: it would start workers that end again and again.
            for process in (server, os.getpid()):
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGTERM)
            return
        world.tell_log()
        before = world.current.served
        await run_in_threadpool(world.current.look)
        after = world.current.served
        if after is not before and after is not None:
            world.logger.event("model", model=after.called)


def _parent_of(process: int) -> int:
    try:
        return psutil.Process(process).ppid()
    except psutil.NoSuchProcess:
        return 0


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ServingError)  # noqa: S101  # registered for it alone
    return Json(error.content(_id(request)), status_code=error.status, headers=error.headers)


async def _http(request: Request, error: Exception) -> Response:
    """What the framework refuses by itself: addresses and methods that there are not."""
    status = getattr(error, "status_code", 500)
    words = {
        404: ("not_found", "there is nothing under this address"),
        405: ("method", "this method is not allowed here"),
    }
    code, message = words.get(status, ("refused", str(getattr(error, "detail", "refused"))))
    headers = getattr(error, "headers", None) or {}
    return Json(ServingError(status, code, message).content(_id(request)), status_code=status, headers=headers)


def _id(request: Request) -> str:
    return str(request.scope["state"]["request_id"])


def _add_documentation(application: FastAPI) -> None:
    """Swagger UI from this machine; its one script in the page is named to browsers by its checksum."""
    page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title=application.title,
        swagger_js_url="/swagger/swagger-ui-bundle.js",
        swagger_css_url="/swagger/swagger-ui.css",
        swagger_favicon_url="/swagger/favicon.png",
    )
    script = re.findall(rb"<script>(.*?)</script>", bytes(page.body), re.DOTALL)[0]
    checksum = base64.b64encode(hashlib.sha256(script).digest()).decode()
    page.headers["Content-Security-Policy"] = (
        f"default-src 'self'; script-src 'self' 'sha256-{checksum}'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"
    )

    @application.get("/docs", include_in_schema=False)
    async def documentation() -> Response:
        return page
