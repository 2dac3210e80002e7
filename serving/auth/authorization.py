"""Authorization: every route requires a role, `admin` unless the route names a lower one."""

from collections.abc import Callable, Coroutine
from inspect import iscoroutinefunction, signature
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import Mount

from serving.auth.authentication import PUBLIC_PATHS, PUBLIC_PREFIXES
from serving.auth.roles import Caller, Role
from serving.http.errors import ApiError

ROLE_EXTENSION = "x-role"
"""OpenAPI extension of an operation that names the role it requires."""


class ProtectedRoute(APIRoute):
    """A route that checks the role of the caller, unless its path is in `PUBLIC_PATHS`.

    An `async` endpoint whose only parameter is the request must return a response and is called directly: resolving
    the empty list of dependencies in FastAPI takes longer than parsing an accident.
    """

    @property
    def role(self) -> Role:
        """The lowest role that may call the route."""
        return Role((self.openapi_extra or {}).get(ROLE_EXTENSION, Role.ADMIN))

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The endpoint behind the check of the role."""
        takes_request_only = (
            iscoroutinefunction(self.endpoint)
            and [*signature(self.endpoint).parameters] == ["request"]
            and not self.dependencies
        )
        endpoint = self.endpoint if takes_request_only else super().get_route_handler()
        if self.path in PUBLIC_PATHS:
            return endpoint
        required = self.role
        allowed = frozenset(role for role in Role if role.includes(required))

        async def handler(request: Request) -> Response:
            caller: Caller = request.scope["state"]["caller"]
            if caller.role not in allowed:
                raise ApiError(403, "role", f"requires an API key of role {required}; this one has role {caller.role}")
            return await endpoint(request)

        return handler


def unprotected_routes(app: FastAPI) -> list[str]:
    """Paths of an application that require no role and are not public; there must be none."""
    return [
        str(context.path)
        for context in iter_route_contexts(app.routes)
        if not (
            isinstance(context.original_route, ProtectedRoute)
            or context.path in PUBLIC_PATHS
            or (isinstance(context.original_route, Mount) and f"{context.path}/" in PUBLIC_PREFIXES)
        )
    ]
