"""The FastAPI application: middleware, routes, lifespan and the task that watches for a newer model."""

import asyncio
import base64
import copy
import gc
import hashlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.middleware import Middleware
from fastapi.middleware.cors import CORSMiddleware
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.routing import APIRoute
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as StarletteHTTPException

from accidents.configuration.serving import LookupSettings, ServingSettings
from accidents.geography.departments import OUTLINES
from serving.auth.authentication import PUBLIC_PREFIXES, AuthenticationMiddleware, Authenticator
from serving.auth.authorization import ProtectedRoute, unprotected_routes
from serving.auth.key_cache import KeyCache
from serving.dependencies import AppState
from serving.environment import POINTER_ENV, SERVER_PID_ENV, SETTINGS_ENV, SUPERVISOR_PID_ENV
from serving.http.body import BodyLimitMiddleware, DrainBodyMiddleware
from serving.http.errors import ApiError
from serving.http.forwarded import ForwardedHeadersMiddleware
from serving.http.json_body import JsonResponse
from serving.http.load import Load
from serving.http.middleware import PathPrefixMiddleware, SecurityHeadersMiddleware, TrustedHostMiddleware
from serving.model.model_loader import LoadedModel, ModelLoader
from serving.model.pointer import ModelPointer, shadow_pointer_file
from serving.model.shadow import create_shadow
from serving.observability.metrics import Metrics, unix_time
from serving.observability.resources import ResourceMetrics, disk_folders
from serving.observability.telemetry import Logger, TelemetryMiddleware
from serving.observability.tracing import create_tracing
from serving.records.database import migrate, open_database
from serving.records.prediction_log import PredictionLog
from serving.routes import batch, classic, health, model, outcomes, places, predictions, whoami
from serving.schemas.openapi import build_openapi

if TYPE_CHECKING:
    from serving.lookups.services import Services

_CHECK_SECONDS = 0.5
_GC_THRESHOLD = 50_000
_SWITCH_INTERVAL = 0.0005
"""Seconds after which worker threads release the interpreter to the event loop; Python's 0.005 would delay answers."""

_DESCRIPTION = """Was somebody killed or hospitalised in this road accident? Takes an accident under the column names of
BAAC and answers with a calibrated probability and its reasons. Trained on BAAC open data (ONISR, data.gouv.fr, Licence
Ouverte 2.0). Decision support, not a decision."""


def create_app_from_environment() -> FastAPI:
    """Application factory for uvicorn; reads what the supervisor has put into the environment."""
    return create_app(ServingSettings.model_validate_json(os.environ[SETTINGS_ENV]), Path(os.environ[POINTER_ENV]))


def create_app(settings: ServingSettings, pointer_file: Path) -> FastAPI:
    """Create an application that serves the model that `pointer_file` names.

    Args:
        settings: the serving configuration.
        pointer_file: file that holds a `ModelPointer`; it may change while the application runs. Workers share the
            counts of callers in its folder.

    Raises:
        RecordsError: the database of the service cannot be opened.
    """
    state = _create_state(settings, pointer_file)
    authenticator = Authenticator(
        state.key_cache,
        settings.caller,
        state.metrics,
        pointer_file.parent,
        anonymous=settings.anonymous,
        open_metrics=settings.open_metrics,
    )
    app = FastAPI(
        title="French road accidents",
        version="1",
        description=_DESCRIPTION,
        servers=[{"url": settings.root_path}] if settings.root_path else None,
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        redirect_slashes=False,
        middleware=[
            Middleware(SecurityHeadersMiddleware),
            *([Middleware(PathPrefixMiddleware, prefix=settings.root_path)] if settings.root_path else []),
            *([Middleware(classic.ClassicErrorsMiddleware)] if settings.classic_interface else []),
            Middleware(
                TelemetryMiddleware,
                metrics=state.metrics,
                logger=state.logger,
                static_prefixes=PUBLIC_PREFIXES,
                tracing=state.tracing,
            ),
            Middleware(ForwardedHeadersMiddleware, trusted=settings.trusted_proxies),
            Middleware(DrainBodyMiddleware),
            Middleware(TrustedHostMiddleware, hosts=(settings.host, *settings.hosts)),
            *([_cors_middleware(settings.cors_origins)] if settings.cors_origins else []),
            Middleware(AuthenticationMiddleware, authenticator=authenticator),
            Middleware(BodyLimitMiddleware, limits=settings.request),
        ],
    )
    app.state.serving = state
    app.router.route_class = ProtectedRoute
    app.openapi = lambda: build_openapi(app)  # type: ignore[method-assign]
    app.add_exception_handler(ApiError, _handle_api_error)
    app.add_exception_handler(StarletteHTTPException, _handle_http_exception)
    routers = [predictions.router, batch.router, places.router, model.router, outcomes.router, whoami.router]
    routers += [health.protected_router, health.router, *([classic.router] if settings.classic_interface else [])]
    for router in routers:  # `include_router` would resolve the routes anew for every request
        app.router.routes.extend(router.routes)
    app.mount("/page/outlines", StaticFiles(directory=OUTLINES.parent), name="outlines")
    app.mount("/page", StaticFiles(directory=health.PAGE_FOLDER), name="page")
    app.mount("/swagger", StaticFiles(packages=[("fastapi_offline", "static")]), name="swagger")
    _add_docs_route(app)
    _add_head_routes(app)
    return app


def _cors_middleware(origins: tuple[str, ...]) -> Middleware:
    """Lets pages of other origins call the API; around authentication, as a browser asks first, without a key."""
    return Middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", "Content-Encoding", "X-API-Key"],
        expose_headers=["X-Request-Id", "Retry-After"],
    )


def _create_state(settings: ServingSettings, pointer_file: Path) -> AppState:
    metrics, logger = Metrics(), Logger()
    engine = open_database(settings.records)
    migrate(engine)
    failed = False

    def report_check(model: LoadedModel | None, pointer: ModelPointer | None, error: str) -> None:
        nonlocal failed
        message = error or (pointer.problem if pointer else "")
        if model:
            bundle, info = model.bundle, model.info
            labels = (info["name"], info["version"], info["type"], bundle.level)
            trained_at = unix_time(bundle.trained_at)
            test_metrics = bundle.metrics.get("test", {})
            metrics.set_model(labels, test_metrics, trained_at=trained_at, loaded_at=model.loaded_at)
        metrics.observe_model_check(pointer.checked_at if pointer else 0.0, failed=bool(message))
        if message and not failed:
            logger.warning("model rejected", error=message)
        failed = bool(message)

    return AppState(
        settings=settings,
        load=Load(settings.load, settings.workers),
        model_loader=ModelLoader(pointer_file, report_check),
        engine=engine,
        prediction_log=PredictionLog(engine, settings.records),
        key_cache=KeyCache(engine, settings.records.refresh_seconds, settings.records.key_grace_seconds),
        metrics=metrics,
        resources=ResourceMetrics(metrics.registry, disk_folders(engine)),
        logger=logger,
        tracing=create_tracing(),
        services=_lookup_services(settings.lookups),
        shadow=create_shadow(settings, shadow_pointer_file(pointer_file), engine, metrics, logger),
    )


def _lookup_services(settings: LookupSettings) -> "Services | None":
    if not settings.configured:
        return None
    from serving.lookups.services import Services  # few services are configured to ask others

    return Services(settings)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Load the model and watch for a newer one; at shutdown, flush the prediction log."""
    state: AppState = app.state.serving
    if paths := unprotected_routes(app):
        raise RuntimeError(f"routes that require no role: {', '.join(paths)}")
    await run_in_threadpool(state.model_loader.check)
    if state.shadow:
        await run_in_threadpool(state.shadow.loader.check)
    # Models and modules are never freed; scanning them again and again would delay single answers.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD)
    sys.setswitchinterval(_SWITCH_INTERVAL)
    watch_task = asyncio.create_task(_watch_model(state))
    if loaded := state.model_loader.model:
        state.logger.info("ready", model=loaded.info)
    try:
        yield
    finally:
        watch_task.cancel()
        with suppress(asyncio.CancelledError):
            await watch_task
        if state.shadow:
            await run_in_threadpool(state.shadow.close, state.settings.stop_seconds)
        await run_in_threadpool(state.prediction_log.close, state.settings.stop_seconds)
        if state.tracing:
            await run_in_threadpool(state.tracing.close)
        state.close()


async def _watch_model(state: AppState) -> None:
    """Load newer models, publish the counts of the log to other workers, and stop with the supervisor."""
    supervisor = int(os.environ.get(SUPERVISOR_PID_ENV, "0"))
    server = int(os.environ.get(SERVER_PID_ENV, "0"))
    while True:
        await asyncio.sleep(_CHECK_SECONDS)
        if supervisor and _parent_pid(server) != supervisor:
            state.logger.warning("supervisor process is gone")
            # The server first: it would restart the workers.
            for process in (server, os.getpid()):
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGTERM)
            return
        state.update_metrics()
        before = state.model_loader.model
        await run_in_threadpool(state.model_loader.check)
        if state.shadow:
            await run_in_threadpool(state.shadow.loader.check)
        after = state.model_loader.model
        if after is not before and after is not None:
            state.logger.info("model loaded", model=after.info)


def _parent_pid(process: int) -> int:
    try:
        return psutil.Process(process).ppid()
    except psutil.NoSuchProcess:
        return 0


async def _handle_api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101  # registered for this class only
    error.release_frames()
    return JsonResponse(error.body(_request_id(request)), status_code=error.status, headers=error.headers)


async def _handle_http_exception(request: Request, error: Exception) -> Response:
    """Errors of the framework itself: unknown paths and methods."""
    status = getattr(error, "status_code", 500)
    messages = {
        404: ("not_found", "nothing exists at this path"),
        405: ("method", "this method is not allowed here"),
    }
    code, message = messages.get(status, ("refused", str(getattr(error, "detail", "refused"))))
    headers = getattr(error, "headers", None) or {}
    return await _handle_api_error(request, ApiError(status, code, message, headers=headers))


def _request_id(request: Request) -> str:
    return str(request.scope["state"]["request_id"])


def _add_docs_route(app: FastAPI) -> None:
    """Swagger UI from local files; the Content-Security-Policy allows its one inline script by SHA-256."""
    page = get_swagger_ui_html(
        openapi_url="openapi.json",  # relative: a proxy may serve the page below a path prefix
        title=app.title,
        swagger_js_url="swagger/swagger-ui-bundle.js",
        swagger_css_url="swagger/swagger-ui.css",
        swagger_favicon_url="swagger/favicon.png",
    )
    script = re.findall(rb"<script>(.*?)</script>", bytes(page.body), re.DOTALL)[0]
    script_hash = base64.b64encode(hashlib.sha256(script).digest()).decode()
    page.headers["Content-Security-Policy"] = (
        f"default-src 'self'; script-src 'self' 'sha256-{script_hash}'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"
    )

    @app.get("/docs", include_in_schema=False)
    async def documentation() -> Response:
        return page


def _add_head_routes(app: FastAPI) -> None:
    """Answer HEAD like GET, as Starlette's own routes do; uvicorn leaves out the body."""
    for route in [*app.router.routes]:
        if isinstance(route, APIRoute) and "GET" in (route.methods or ()):
            head = copy.copy(route)
            head.methods, head.include_in_schema = {"HEAD"}, False
            app.router.routes.append(head)
