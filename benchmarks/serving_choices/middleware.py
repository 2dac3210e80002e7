"""Time of middleware: plain ASGI, and the same work in Starlette's BaseHTTPMiddleware.

Both use the authenticator, metrics and log of the service, around one route that returns its body.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any
from uuid import uuid4

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from accidents.configuration.serving import RecordSettings, ServingSettings
from benchmarks.serving_choices.timing import microseconds
from serving.auth import api_keys
from serving.auth.authentication import AuthenticationMiddleware, Authenticator
from serving.auth.key_cache import KeyCache
from serving.auth.roles import Role
from serving.http.body import BodyLimitMiddleware
from serving.http.forwarded import ForwardedHeadersMiddleware
from serving.http.middleware import SECURITY_HEADERS, SecurityHeadersMiddleware
from serving.observability.metrics import Metrics
from serving.observability.telemetry import Logger, TelemetryMiddleware
from serving.records.database import migrate, open_database

_REPEATS = 1000
_REFRESH_SECONDS = 60.0


def middleware_times(text: bytes, folder: Path) -> dict[str, float]:
    """Microseconds of a request without HTTP, by kind of layer.

    Args:
        text: what is sent.
        folder: for a database of keys and a log.
    """
    settings = ServingSettings.model_validate({"caller": {"requests_per_second": 1_000_000}})
    engine = open_database(RecordSettings.model_validate({"database_url": f"sqlite:///{folder}/layers.db"}), {})
    migrate(engine)
    scope = _scope(text, api_keys.create_key(engine, "benchmark", Role.PREDICT).text)
    key_cache, loop = KeyCache(engine, _REFRESH_SECONDS), asyncio.new_event_loop()
    try:
        with (folder / "layers.log").open("w") as log, redirect_stderr(log):
            kinds = _kinds(settings, key_cache, folder)
            applications = {name: Starlette(routes=_routes(), middleware=kind) for name, kind in kinds.items()}
            calls = {name: _call(loop, application, scope, text) for name, application in applications.items()}
            return microseconds(calls, _REPEATS)
    finally:
        loop.close()
        key_cache.close()
        engine.dispose()


def _kinds(settings: ServingSettings, key_cache: KeyCache, folder: Path) -> dict[str, list[Middleware]]:
    metrics, logger = Metrics(), Logger()
    authenticator = Authenticator(key_cache, settings.caller, metrics, folder, anonymous=False, open_metrics=False)
    return {
        "no layer": [],
        "plain ASGI": [
            Middleware(SecurityHeadersMiddleware),
            Middleware(TelemetryMiddleware, metrics=metrics, logger=logger, static_prefixes=()),
            Middleware(ForwardedHeadersMiddleware, trusted=()),
            Middleware(AuthenticationMiddleware, authenticator=authenticator),
            Middleware(BodyLimitMiddleware, limits=settings.request),
        ],
        "BaseHTTPMiddleware": [
            Middleware(BaseHTTPMiddleware, dispatch=dispatch)
            for dispatch in (_headers, _telemetry(metrics, logger), _access(authenticator), _bodies(settings))
        ],
    }


def _routes() -> list[Route]:
    async def answer(request: Request) -> Response:
        return Response(await request.body(), media_type="application/json")

    return [Route("/v1/predict", answer, methods=["POST"])]


def _scope(text: bytes, key: str) -> dict[str, Any]:
    headers = {"host": "127.0.0.1", "content-type": "application/json", "content-length": str(len(text))}
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/predict",
        "raw_path": b"/v1/predict",
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in (headers | {"x-api-key": key}).items()],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8080),
    }


def _call(
    loop: asyncio.AbstractEventLoop, application: Starlette, scope: dict[str, Any], text: bytes
) -> Callable[[], object]:
    async def send(message: Any) -> None:
        if message["type"] == "http.response.start" and message["status"] != 200:
            raise SystemExit(f"the layers answer {message['status']}")

    def call() -> None:
        messages = iter([{"type": "http.request", "body": text, "more_body": False}])

        async def receive() -> Any:
            message = next(messages, None)
            return message if message else await asyncio.Event().wait()

        loop.run_until_complete(application({**scope, "state": {}}, receive, send))

    return call


async def _headers(request: Request, call_next: RequestResponseEndpoint) -> Response:
    response = await call_next(request)
    for name, value in SECURITY_HEADERS:
        response.headers.setdefault(name.decode(), value.decode())
    return response


def _telemetry(metrics: Metrics, logger: Logger) -> Any:
    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        started = time.perf_counter()
        request.scope["state"]["request_id"] = uuid4().hex
        response = await call_next(request)
        response.headers["x-request-id"] = request.scope["state"]["request_id"]
        seconds = time.perf_counter() - started
        metrics.observe_request(request.url.path, request.method, response.status_code, seconds)
        logger.request(request.scope, request.url.path, response.status_code, seconds)
        return response

    return dispatch


def _access(authenticator: Authenticator) -> Any:
    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        request.scope["state"]["caller"] = authenticator.authenticate(request.scope)
        return await call_next(request)

    return dispatch


def _bodies(settings: ServingSettings) -> Any:
    most = int(settings.request.body_megabytes * 1_000_000)

    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        if int(request.headers.get("content-length", "0")) > most:
            return Response(status_code=413)
        if len(await request.body()) > most:
            return Response(status_code=413)
        return await call_next(request)

    return dispatch
