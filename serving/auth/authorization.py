"""Routes that ask for a role: admin, unless a route says that less is enough."""

from collections.abc import Callable, Coroutine
from inspect import iscoroutinefunction, signature
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import Mount

from serving.auth.roles import Caller, Role
from serving.http.errors import ServingError
from serving.http.middleware import FILES, OPEN

ROLE = "x-role"
"""Key in the OpenAPI description of a route that says which role it asks for."""


class GuardedRoute(APIRoute):
    """A route that is reached with a role alone, unless its address is one of `gate.OPEN`.

    An `async` function that takes the request and nothing else gives a response and is called as it is: FastAPI would
    take longer to find no parameters than an accident takes to be read.
    """

    @property
    def role(self) -> Role:
        """The least role that may ask; admin where nothing is said."""
        return Role((self.openapi_extra or {}).get(ROLE, Role.ADMIN))

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request."""
        alone = iscoroutinefunction(self.endpoint) and [*signature(self.endpoint).parameters] == ["request"]
        alone = alone and not self.dependencies
        inner, needed = self.endpoint if alone else super().get_route_handler(), self.role
        if self.path in OPEN:
            return inner

        async def handler(request: Request) -> Response:
            caller: Caller = request.scope["state"]["caller"]
            if not caller.may(needed):
                raise ServingError(403, "role", f"needs a key of the role {needed}; this one has {caller.role}")
            return await inner(request)

        return handler


def unguarded(application: FastAPI) -> list[str]:
    """Addresses of an application that ask for no role though they are not meant to be open; there must be none."""
    return [
        str(found.path)
        for found in iter_route_contexts(application.routes)
        if not (
            isinstance(found.original_route, GuardedRoute)
            or found.path in OPEN
            or (isinstance(found.original_route, Mount) and f"{found.path}/" in FILES)
        )
    ]
