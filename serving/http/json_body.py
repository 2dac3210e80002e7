"""JSON bodies of requests and responses."""

from codecs import BOM_UTF8
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from accidents.requests import FieldProblem
from accidents.requests.errors import format_value, truncate
from accidents.requests.json_items import split_lists
from serving.http.errors import ApiError
from serving.http.load import Load, SpooledBody

LIGHT_BYTES = 65_536
"""Size up to which a body is kept in memory while it arrives; a larger one makes any request a heavy one."""

_MAX_VALUES = 150_000
"""Values of one accident; one with a thousand vehicles and a thousand people has some 35,000."""

_COUNTED_ITEMS = 3
"""Multiple of the allowed number of items up to which items are counted."""


class JsonResponse(Response):
    """A JSON response written by orjson; NaN is written as null. FastAPI's `ORJSONResponse` is deprecated."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Serialise the content."""
        return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)


@asynccontextmanager
async def receive_json(request: Request, load: Load, *, heavy: bool = False) -> AsyncIterator[bytes]:
    """The text of a JSON body; while the block holds it, a heavy request or a large body counts for `load`.

    Args:
        request: the request.
        load: limits of the worker.
        heavy: whether the request takes much time or memory for a small body, too.

    Raises:
        ApiError: 415 for another content type, 503 where the worker is busy, 507 without space for a large body.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        message = f"content-type {content_type[:60]!r} is not supported; send application/json"
        raise ApiError(415, "content_type", message)
    async with AsyncExitStack() as stack:
        pieces, size = list[bytes](), 0
        spooled: SpooledBody | None = None
        async for piece in request.stream():
            pieces.append(piece)
            size += len(piece)
            if size > LIGHT_BYTES:
                spooled = spooled or stack.enter_context(SpooledBody(load))
                await spooled.write(b"".join(pieces))
                pieces.clear()
        if heavy or spooled:
            await stack.enter_async_context(load.heavy_request())
        if spooled:
            file = await spooled.rewind()
            text = await run_in_threadpool(file.read)
        else:
            text = b"".join(pieces)
        yield text.removeprefix(BOM_UTF8)


def parse_json(text: bytes, max_values: int = _MAX_VALUES) -> Any:
    """Parse JSON of a bounded number of values, which bounds the memory of the result.

    Raises:
        ApiError: 400 for invalid JSON, which includes NaN and Infinity; 413 for too many values.
    """
    if len(text) > max_values and sum(map(text.count, (b",", b"{", b"["))) > max_values:
        raise ApiError(413, "too_large", f"more than {max_values:,} values in one object; send less at a time")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ApiError(400, "no_json", f"invalid JSON: {str(error)[:200]}") from None


def read_accidents(
    text: bytes, max_items: int, *others: str, optional: tuple[str, ...] = ()
) -> tuple[list[bytes], dict[str, list[Any]]]:
    """The list `accidents` of a JSON object, and further lists, each of 1 to `max_items` items.

    Args:
        text: the JSON.
        max_items: number of items that are allowed.
        others: names of further lists, of values.
        optional: names of further lists of accidents, which may be null or left out.

    Returns:
        The JSON of each accident, to be parsed one by one, and the other lists by name; that of optional ones, too.

    Raises:
        ApiError: 400 for invalid JSON; 413 for too many values; 422 where a list is missing, no list, empty or too
            long, or there is another field.
    """
    fields = ("accidents", *others, *optional)
    try:
        outline, spans = split_lists(text, _COUNTED_ITEMS * max_items)
    except ValueError as error:
        raise invalid_field("accidents", f"a list that {error}", f"allowed are 1 to {max_items:,} items") from None
    content = parse_json(outline, _MAX_VALUES + 2 * _COUNTED_ITEMS * max_items)
    if unknown := sorted(content.keys() - set(fields)) if isinstance(content, dict) else ():
        _require_list(content, "accidents", max_items)
        raise invalid_field(unknown[0], content[unknown[0]], f"unknown field; allowed: {', '.join(fields)}")
    lists = {field: _require_list(content, field, max_items) for field in ("accidents", *others)}
    more = {field: _require_list(content, field, max_items) for field in optional if content.get(field) is not None}

    def item(value: Any) -> bytes:
        """The JSON of an item; lists stand for those that were split off."""
        return text[slice(*spans[value[0]].tolist())] if isinstance(value, list) else orjson.dumps(value)

    accidents = [item(value) for value in lists.pop("accidents")]
    shown = {
        name: [item(one).decode(errors="replace") if isinstance(one, list) else one for one in values]
        for name, values in lists.items()
    }
    return accidents, shown | {name: [item(one) for one in values] for name, values in more.items()}


def _require_list(content: Any, field: str, max_items: int) -> list[Any]:
    items = content.get(field) if isinstance(content, dict) else content
    if not isinstance(items, list) or not items or not isinstance(content, dict):
        raise invalid_field(field, items, f"must be an object whose '{field}' is a list of 1 to {max_items:,} items")
    if len(items) > max_items:
        raise invalid_field(field, f"a list of {len(items):,}", f"allowed are 1 to {max_items:,} items at a time")
    return items


def invalid_field(field: str, value: Any, reason: str) -> ApiError:
    """A 422 for one invalid field."""
    problem = FieldProblem(truncate(field) or "''", format_value(value), reason)
    return ApiError(422, "invalid", "the request is invalid; correct this field", (problem,))
