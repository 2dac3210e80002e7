"""Whether the service lives and is ready, its figures, and the page for people."""

from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from serving.auth.authorization import GuardedRoute
from serving.auth.roles import Role
from serving.dependencies import world_of
from serving.http.json_body import Json
from serving.http.openapi import faults, needs
from serving.observability.metrics import CONTENT_TYPE
from serving.schemas import responses

PAGE = Path(__file__).resolve().parents[1] / "page"
POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

router = APIRouter(tags=["state"])
guarded = APIRouter(route_class=GuardedRoute, tags=["state"])


@router.get("/health", response_model=responses.Alive, summary="Does the process answer?")
async def health() -> Json:
    """The process answers."""
    return Json({"status": "alive"})


@router.get("/ready", response_model=responses.Ready, responses=faults(503), summary="Is a model loaded?")
async def ready(request: Request) -> Json:
    """A model is loaded and answers; 503 until then."""
    return Json({"status": "ready", "model": world_of(request).served().called})


@guarded.get(
    "/metrics",
    response_class=Response,
    responses=faults() | {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    openapi_extra=needs(Role.PREDICT),
    summary="Figures for Prometheus",
)
def metrics(request: Request) -> Response:
    """Figures of all workers, in the text form of Prometheus."""
    world = world_of(request)
    world.tell_log()
    return Response(world.metrics.render(), media_type=CONTENT_TYPE)


@router.get("/", include_in_schema=False)
async def page() -> FileResponse:
    """The page for people."""
    return FileResponse(PAGE / "index.html", headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"})
