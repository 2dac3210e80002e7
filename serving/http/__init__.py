"""HTTP around the routes: plain ASGI middleware, bodies, errors and the OpenAPI description."""
