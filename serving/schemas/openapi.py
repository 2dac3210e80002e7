"""Parts of the OpenAPI schema: request bodies, error responses and security of a route.

Requests are validated by `accidents.requests`, not by FastAPI, so the routes declare their bodies here.
"""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from accidents.configuration.serving import RequestLimits
from serving.auth.authorization import ROLE_EXTENSION
from serving.auth.roles import Role
from serving.schemas import requests, responses

_REF_TEMPLATE = "#/components/schemas/{model}"
_DESCRIPTIONS = {
    400: "the body is not valid JSON, or the Host header names another host",
    401: "the API key is missing or rejected",
    403: "the API key has another role",
    404: "not found",
    408: "the body did not arrive in time",
    413: "the body is too large",
    415: "unsupported content type or encoding",
    422: "the content is invalid",
    429: "too many requests, or too many wrong API keys",
    500: "internal error",
    503: "no model is loaded yet, the service is busy, or the database is away",
    504: "the registry did not answer in time",
    507: "the temporary folder of the service is full",
}
_COMMON_ERRORS = (400, 401, 403, 408, 413, 429, 500, 507)


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Error responses of a route: those that all routes have, and `statuses`."""
    return {
        status: {"model": responses.Error, "description": _DESCRIPTIONS[status]}
        for status in (*_COMMON_ERRORS, *statuses)
    }


def requires_role(role: Role) -> dict[str, Any]:
    """`openapi_extra` of a route that requires a role; `ProtectedRoute` enforces it."""
    return {ROLE_EXTENSION: str(role), "security": [{"bearer": []}, {"key": []}]}


def json_request(
    role: Role, schema: Mapping[str, Any], examples: Mapping[str, Any] | None = None, **other_contents: Any
) -> dict[str, Any]:
    """`openapi_extra` of a route that requires a role and takes a JSON body.

    Args:
        role: the lowest role that may call the route.
        schema: JSON schema of the body.
        examples: examples by name.
        other_contents: media type objects of further content types.
    """
    content: dict[str, Any] = {"application/json": {"schema": dict(schema)}, **other_contents}
    if examples:
        content["application/json"]["examples"] = dict(examples)
    return {**requires_role(role), "requestBody": {"required": True, "content": content}}


def query_parameters(model: type[BaseModel]) -> dict[str, Any]:
    """`openapi_extra` with the fields of a model as optional query parameters."""
    return {
        "parameters": [
            {"name": name, "in": "query", "required": False, "schema": schema}
            for name, schema in model.model_json_schema()["properties"].items()
        ]
    }


def schema_ref(model: type[BaseModel]) -> dict[str, str]:
    """Reference to the schema of a model."""
    return {"$ref": _REF_TEMPLATE.format(model=model.__name__)}


def any_accident_schema() -> dict[str, Any]:
    """Schema of an accident in either form."""
    return {"anyOf": [schema_ref(requests.accident_model()), schema_ref(requests.flat_model())]}


def build_openapi(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI schema of an application; built once and cached in `app.openapi_schema`."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            tags=app.openapi_tags,
            servers=app.servers or None,
        )
        models = (
            requests.accident_model(),
            requests.flat_model(),
            requests.batch_model(),
            requests.labelled_model(),
            requests.Feedback,
            requests.Address,
            responses.PredictionResponse,
            responses.AccidentError,
        )
        _, definitions = models_json_schema([(model, "validation") for model in models], ref_template=_REF_TEMPLATE)
        components = schema.setdefault("components", {})
        components["schemas"] = {**definitions["$defs"], **components.get("schemas", {})}
        _set_max_items(components["schemas"], app.state.serving.settings.request)
        components["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }
        app.openapi_schema = schema
    return app.openapi_schema


def _set_max_items(schemas: dict[str, Any], limits: RequestLimits) -> None:
    """Add the configured maximum number of accidents."""
    for model, max_items in ((requests.batch_model(), limits.batch), (requests.labelled_model(), limits.evaluation)):
        for field in schemas[model.__name__]["properties"].values():
            field["maxItems"] = max_items
