"""The OpenAPI description of routes: bodies, answers and errors in the words of `serving.schemas`."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from accidents.configuration.serving import RequestLimits
from serving.auth.authorization import ROLE
from serving.auth.roles import Role
from serving.schemas import requests, responses

REF = "#/components/schemas/{model}"
_WORDS = {
    400: "the body is no JSON, or the service is addressed by a name that is not its own",
    401: "no key, or none that is let in",
    403: "the key has another role",
    404: "there is no such thing",
    408: "the body did not arrive in time",
    413: "the body is too large",
    415: "another type of content or encoding",
    422: "the content is refused",
    429: "too many requests, or too many wrong keys",
    500: "a fault of the service",
    503: "no model is loaded yet, or the database is away",
    504: "the registry was not asked in time",
}
_ALWAYS = (400, 401, 403, 408, 413, 429, 500)


def faults(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """How a route may refuse, besides what every route may."""
    return {status: {"model": responses.Error, "description": _WORDS[status]} for status in (*_ALWAYS, *statuses)}


def needs(role: Role) -> dict[str, Any]:
    """Description of a route that is open to `role`."""
    return {ROLE: str(role), "security": [{"bearer": []}, {"key": []}]}


def takes(
    role: Role, schema: Mapping[str, Any], examples: Mapping[str, Any] | None = None, **others: Any
) -> dict[str, Any]:
    """Description of a route that is open to `role` and takes a JSON body; `others` are further types of content."""
    content: dict[str, Any] = {"application/json": {"schema": dict(schema)}, **others}
    if examples:
        content["application/json"]["examples"] = dict(examples)
    return {**needs(role), "requestBody": {"required": True, "content": content}}


def in_query(model: type[BaseModel]) -> dict[str, Any]:
    """Description of the fields of a model that may stand in the address; each has a default."""
    return {
        "parameters": [
            {"name": name, "in": "query", "required": False, "schema": schema}
            for name, schema in model.model_json_schema()["properties"].items()
        ]
    }


def ref(model: type[BaseModel]) -> dict[str, str]:
    """Where the schema of a model stands."""
    return {"$ref": REF.format(model=model.__name__)}


def either() -> dict[str, Any]:
    """An accident in either form."""
    return {"anyOf": [ref(requests.accident_model()), ref(requests.flat_model())]}


def describe(application: FastAPI) -> dict[str, Any]:
    """The whole description of an application, made once."""
    if application.openapi_schema is None:
        found = get_openapi(
            title=application.title,
            version=application.version,
            description=application.description,
            routes=application.routes,
            tags=application.openapi_tags,
        )
        models = (
            requests.accident_model(),
            requests.flat_model(),
            requests.batch_model(),
            requests.labelled_model(),
            requests.Feedback,
            responses.Prediction,
            responses.Refused,
        )
        _, schemas = models_json_schema([(model, "validation") for model in models], ref_template=REF)
        parts = found.setdefault("components", {})
        parts["schemas"] = {**schemas["$defs"], **parts.get("schemas", {})}
        _bound(parts["schemas"], application.state.world.settings.request)
        parts["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }
        application.openapi_schema = found
    return application.openapi_schema


def _bound(schemas: dict[str, Any], limits: RequestLimits) -> None:
    """Say how many accidents a request may hold, which is configured."""
    for model, most in ((requests.batch_model(), limits.batch), (requests.labelled_model(), limits.evaluation)):
        for listed in schemas[model.__name__]["properties"].values():
            listed["maxItems"] = most
