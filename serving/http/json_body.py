"""JSON bodies of requests and responses."""

from codecs import BOM_UTF8
from typing import Any

import orjson
from fastapi import Request, Response

from accidents.requests import FieldProblem
from accidents.requests.errors import format_value, truncate
from serving.http.errors import ApiError


class JsonResponse(Response):
    """A JSON response written by orjson; NaN is written as null. FastAPI's `ORJSONResponse` is deprecated."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Serialise the content."""
        return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)


async def read_json(request: Request) -> Any:
    """The parsed JSON body of a request.

    Raises:
        ApiError: 415 for another content type, 400 for invalid JSON, which includes NaN and Infinity.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        message = f"content-type {content_type[:60]!r} is not supported; send application/json"
        raise ApiError(415, "content_type", message)
    try:
        return orjson.loads((await request.body()).removeprefix(BOM_UTF8))
    except orjson.JSONDecodeError as error:
        raise ApiError(400, "no_json", f"the body is not JSON: {str(error)[:200]}") from None


def require_list(content: Any, field: str, max_items: int) -> list[Any]:
    """The list `field` of a JSON object, of 1 to `max_items` items.

    Raises:
        ApiError: 422, it is missing, no list, empty or too long.
    """
    items = content.get(field) if isinstance(content, dict) else content
    if not isinstance(items, list) or not items or not isinstance(content, dict):
        raise _invalid_field(field, items, f"must be an object whose '{field}' is a list of 1 to {max_items:,} items")
    if len(items) > max_items:
        raise _invalid_field(field, f"a list of {len(items):,}", f"allowed are 1 to {max_items:,} items at a time")
    return items


def forbid_extra_fields(content: dict[str, Any], *allowed: str) -> None:
    """Refuse fields of a JSON object that are not allowed.

    Raises:
        ApiError: 422, there is such a field.
    """
    unknown = sorted(content.keys() - set(allowed))
    if unknown:
        raise _invalid_field(unknown[0], content[unknown[0]], f"unknown field; allowed: {', '.join(allowed)}")


def _invalid_field(field: str, value: Any, reason: str) -> ApiError:
    problem = FieldProblem(truncate(field), format_value(value), reason)
    return ApiError(422, "invalid", "the request is invalid; correct this field", (problem,))
