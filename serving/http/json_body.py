"""What is read from the body of a request, and how answers are written."""

from typing import Any

import orjson
from fastapi import Request, Response

from accidents.requests import FieldProblem
from accidents.requests.errors import format_value, truncate
from serving.http.errors import ServingError


class Json(Response):
    """An answer in JSON; a number that is none is written as null."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The bytes of an answer."""
        return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)


async def json_of(request: Request) -> Any:
    """The content of a JSON body.

    Raises:
        ServingError: 415 for another type of content, 400 where it is no JSON.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ServingError(415, "content_type", f"content-type {kind[:60]!r} is not read; send application/json")
    return parsed(await request.body())


def parsed(text: bytes) -> Any:
    """The content of a JSON text.

    Raises:
        ServingError: 400, it is none; NaN and Infinity are no JSON.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ServingError(400, "no_json", f"the body is no JSON: {str(error)[:200]}") from None


def listed(content: Any, name: str, most: int) -> list[Any]:
    """A list in an object, of 1 to `most` items.

    Raises:
        ServingError: 422, there is none, or it is too long.
    """
    found = content.get(name) if isinstance(content, dict) else content
    if not isinstance(found, list) or not found or not isinstance(content, dict):
        raise _invalid(name, found, f"must be an object whose '{name}' is a list of 1 to {most:,} items")
    if len(found) > most:
        raise _invalid(name, f"a list of {len(found):,}", f"allowed are 1 to {most:,} items at a time")
    return found


def only(content: dict[str, Any], *names: str) -> None:
    """Refuse keys that an object does not have.

    Raises:
        ServingError: 422, there is one.
    """
    unknown = sorted(content.keys() - set(names))
    if unknown:
        raise _invalid(unknown[0], content[unknown[0]], f"unknown field; allowed: {', '.join(names)}")


def _invalid(field: str, value: Any, reason: str) -> ServingError:
    problem = FieldProblem(truncate(field), format_value(value), reason)
    return ServingError(422, "invalid", "the request cannot be used; correct this field", (problem,))
