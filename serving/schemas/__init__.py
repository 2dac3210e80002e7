"""OpenAPI schema: pydantic models of requests (derived from the column specification) and responses."""
