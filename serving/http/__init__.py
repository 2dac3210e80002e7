"""HTTP concerns: connection limits, middleware, request bodies, JSON, errors and the OpenAPI schema."""
