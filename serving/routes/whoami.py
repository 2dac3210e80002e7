"""Name and role of the caller."""

from fastapi import APIRouter, Request

from serving.auth.authorization import ProtectedRoute
from serving.auth.roles import Caller, Role
from serving.http.json_body import JsonResponse
from serving.schemas import responses
from serving.schemas.openapi import error_responses, requires_role

router = APIRouter(prefix="/v1", route_class=ProtectedRoute, tags=["state"])


@router.get(
    "/whoami",
    response_model=responses.CallerInfo,
    responses=error_responses(503),
    openapi_extra=requires_role(Role.PREDICT),
    summary="Name the caller",
)
async def whoami(request: Request) -> JsonResponse:
    """Id, name and role of the API key; all `anonymous`, with role `evaluate`, where the service needs no key."""
    caller: Caller = request.scope["state"]["caller"]
    return JsonResponse({"id": caller.id, "name": caller.name, "role": caller.role})
