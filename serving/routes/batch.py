"""Predict many accidents: a JSON batch, or JSON lines of any length in constant memory.

A body of JSON lines is stored before the first answer, because many clients send all of it before they read.
"""

from codecs import BOM_UTF8
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing
from functools import partial
from typing import IO, Any

import orjson
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from serving.auth.authorization import ProtectedRoute
from serving.auth.roles import Role
from serving.dependencies import AppState, derives, get_request_context, get_state, parse_query
from serving.http.body import NDJSON
from serving.http.errors import ApiError, error_detail
from serving.http.json_body import LIGHT_BYTES, JsonResponse, parse_json, read_accidents, receive_json
from serving.http.load import SpooledBody
from serving.model.model_loader import LoadedModel
from serving.model.predictor import RequestContext, predict_batch
from serving.records.prediction_record import PredictionRecord
from serving.schemas import requests, responses
from serving.schemas.openapi import error_responses, json_request, query_parameters, schema_ref

router = APIRouter(prefix="/v1", route_class=ProtectedRoute, tags=["predictions"])
_MAX_ON_EVENT_LOOP = 10
"""Number of accidents up to which a batch is predicted on the event loop; larger ones run in a thread."""

_CHUNK_BYTES = 4_000_000
"""Bytes of JSON lines that are predicted together, unless one line is longer."""

_CHUNK_LINES = 1_000
_WRITTEN_BYTES = 250_000
"""Bytes of results that are handed to the connection together."""


@router.post(
    "/predict/batch",
    response_model=responses.Predictions,
    responses=error_responses(400, 415, 422, 503)
    | {
        200: {
            "description": "results in the order of the accidents",
            "content": {NDJSON: {"schema": {"type": "string", "description": "one prediction or error a line"}}},
        }
    },
    openapi_extra=json_request(
        Role.PREDICT,
        schema_ref(requests.batch_model()),
        **{NDJSON: {"schema": {"type": "string", "description": "one accident a line"}}},
    )
    | query_parameters(requests.DeriveQuery),
    summary="Predict many accidents",
)
async def predict_many(request: Request) -> JsonResponse | StreamingResponse:
    """Predict many accidents: `accidents` in JSON, up to a limit, or JSON lines, answered line by line."""
    state = get_state(request)
    derive = derives(state, parse_query(request, requests.DeriveQuery))
    model, context = state.require_model(), get_request_context(request)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == NDJSON:
        return await _answer_lines(request, state, model, context, derive=derive)
    async with receive_json(request, state.load, heavy=True) as text:
        if len(text) > LIGHT_BYTES:
            accidents, _ = await run_in_threadpool(read_accidents, text, state.settings.request.batch)
        else:
            accidents, _ = read_accidents(text, state.settings.request.batch)

        def predict() -> tuple[JsonResponse, list[PredictionRecord]]:
            contents = map(parse_json, accidents)
            results, records = predict_batch(model, accidents, contents, context, state.metrics, derive=derive)
            return JsonResponse({"results": results}), records

        on_event_loop = len(accidents) <= _MAX_ON_EVENT_LOOP and len(text) <= LIGHT_BYTES
        response, records = predict() if on_event_loop else await run_in_threadpool(predict)
        state.prediction_log.add(records, len(text) * len(records) // len(accidents))
        return response


async def _answer_lines(
    request: Request, state: AppState, model: LoadedModel, context: RequestContext, *, derive: bool
) -> StreamingResponse:
    """Store the body, so that the response starts only if all of it could be stored."""
    async with AsyncExitStack() as resources:
        await resources.enter_async_context(state.load.stream())
        body = resources.enter_context(SpooledBody(state.load))
        async for piece in request.stream():
            await body.write(piece)
        lines = _predict_lines(state, model, context, await body.rewind(), derive=derive)
        return _LinesResponse(lines, resources.pop_all())


class _LinesResponse(StreamingResponse):
    """A response of JSON lines that frees its resources as soon as it ends, also where the client is gone."""

    media_type = NDJSON

    def __init__(self, lines: AsyncIterator[bytes], resources: AsyncExitStack) -> None:
        super().__init__(lines)
        self._resources = resources

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        async with self._resources, aclosing(self.body_iterator):  # type: ignore[type-var]
            await super().__call__(scope, receive, send)


async def _predict_lines(
    state: AppState, model: LoadedModel, context: RequestContext, file: IO[bytes], *, derive: bool
) -> AsyncIterator[bytes]:
    """Results as JSON lines, in chunks; all from one model."""
    predict = partial(_predict_chunk, state, model, context, file, derive=derive)
    while True:
        async with state.load.piece_of_stream():
            results = await run_in_threadpool(predict)
        if results is None:
            return
        for piece in _join_lines(results):
            yield piece


def _join_lines(lines: Sequence[bytes]) -> Iterator[bytes]:
    """The lines in pieces that a slow reader can take in time."""
    piece: list[bytes] = []
    size = 0
    for line in lines:
        piece.append(line)
        size += len(line)
        if size >= _WRITTEN_BYTES:
            yield b"".join(piece)
            piece, size = [], 0
    if piece:
        yield b"".join(piece)


def _predict_chunk(
    state: AppState, model: LoadedModel, context: RequestContext, file: IO[bytes], *, derive: bool
) -> list[bytes] | None:
    """Results of the next lines of the file, none where they are blank; None at its end."""
    max_line = int(state.settings.request.body_megabytes * 1_000_000)
    lines: list[bytes] = []
    errors: dict[int, ApiError] = {}
    total = 0
    while len(lines) < _CHUNK_LINES and total < _CHUNK_BYTES and (line := file.readline(max_line + 1)):
        total += len(line)
        if not line.strip():  # blank lines are ignored
            continue
        if len(line) > max_line:
            errors[len(lines)] = ApiError(413, "no_json", f"a line is longer than {max_line:,} bytes")
            while line and not line.endswith(b"\n"):
                line = file.readline(max_line)
            line = b""
        lines.append(line.removeprefix(BOM_UTF8))

    if not total:
        return None

    def contents() -> Iterator[Any]:
        for index, line in enumerate(lines):
            try:
                yield None if index in errors else parse_json(line)
            except ApiError as error:
                errors[index] = error.with_traceback(None)
                yield None

    results, records = predict_batch(model, lines, contents(), context, state.metrics, derive=derive)
    state.prediction_log.add(records, total * len(records) // max(len(lines), 1))
    for index, error in errors.items():
        results[index] = {"error": error_detail(error.code, error.message)}
    return [orjson.dumps(result, option=orjson.OPT_APPEND_NEWLINE) for result in results]
