"""Liveness, readiness, metrics and the web page."""

from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from serving.auth.authentication import keys_unavailable
from serving.auth.authorization import ProtectedRoute
from serving.auth.roles import Role
from serving.dependencies import get_state
from serving.http.json_body import JsonResponse
from serving.observability.metrics import CONTENT_TYPE
from serving.schemas import responses
from serving.schemas.openapi import error_responses, requires_role

PAGE_FOLDER = Path(__file__).resolve().parents[1] / "page"
_CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

router = APIRouter(tags=["state"])
protected_router = APIRouter(route_class=ProtectedRoute, tags=["state"])


@router.get("/health", response_model=responses.Health, summary="Liveness")
async def health() -> JsonResponse:
    """The process is alive."""
    return JsonResponse({"status": "alive"})


@router.get("/ready", response_model=responses.Readiness, responses=error_responses(503), summary="Readiness")
async def ready(request: Request) -> JsonResponse:
    """A model is loaded, and keys can be verified; else 503. Predictions are answered without the database."""
    state = get_state(request)
    model = state.require_model()
    if state.key_cache.expired and not state.settings.anonymous:
        raise keys_unavailable()
    database = "available" if state.database_available else "unavailable"
    return JsonResponse({"status": "ready", "model": model.info, "database": database})


@protected_router.get(
    "/metrics",
    response_class=Response,
    responses=error_responses() | {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    openapi_extra=requires_role(Role.PREDICT),
    summary="Prometheus metrics",
)
def metrics(request: Request) -> Response:
    """Metrics of all workers in the text format of Prometheus."""
    state = get_state(request)
    state.update_metrics()
    return Response(state.metrics.render(), media_type=CONTENT_TYPE)


@router.get("/", include_in_schema=False)
async def page() -> FileResponse:
    """The web page."""
    headers = {"Content-Security-Policy": _CONTENT_SECURITY_POLICY, "Cache-Control": "no-cache"}
    return FileResponse(PAGE_FOLDER / "index.html", headers=headers)
