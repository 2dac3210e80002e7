"""What is read from the body of a request, and how answers are written."""

from typing import Any

import orjson
from fastapi import Request, Response

from serving.errors import ServingError


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
    found = content.get(name) if isinstance(content, dict) else None
    if not isinstance(found, list) or not found:
        raise ServingError(422, "invalid", f"must be an object whose '{name}' is a list of at least one item")
    if len(found) > most:
        raise ServingError(422, "too_many", f"'{name}' has {len(found):,} items; allowed are {most:,} at a time")
    return found


def only(content: dict[str, Any], *names: str) -> None:
    """Refuse keys that an object does not have.

    Raises:
        ServingError: 422, there is one.
    """
    unknown = sorted(content.keys() - set(names))
    if unknown:
        listed_names = ", ".join(names)
        raise ServingError(422, "unknown_field", f"'{unknown[0][:60]}' is no field; allowed: {listed_names}")
