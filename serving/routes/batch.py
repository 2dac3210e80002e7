"""Predict many accidents: a JSON batch, or JSON lines of any length in constant memory.

A body of JSON lines is stored before the first answer, because many clients send all of it before they read.
"""

import tempfile
from codecs import BOM_UTF8
from collections.abc import AsyncIterator
from typing import IO, Any

import orjson
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from serving.auth.authorization import ProtectedRoute
from serving.auth.roles import Role
from serving.dependencies import AppState, get_request_context, get_state
from serving.http.body import NDJSON
from serving.http.errors import error_detail
from serving.http.json_body import JsonResponse, forbid_extra_fields, read_json, require_list
from serving.model.model_loader import LoadedModel
from serving.model.predictor import RequestContext, predict_batch
from serving.records.prediction_record import PredictionRecord
from serving.schemas import requests, responses
from serving.schemas.openapi import error_responses, json_request, schema_ref

router = APIRouter(prefix="/v1", route_class=ProtectedRoute, tags=["predictions"])
_MAX_ON_EVENT_LOOP = 10
"""Number of accidents up to which a batch is predicted on the event loop; larger ones run in a thread."""

_SPOOL_BYTES = 4_000_000
_CHUNK_BYTES = 4_000_000
"""Bytes of JSON lines that are predicted together, unless one line is longer."""


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
    ),
    summary="Predict many accidents",
)
async def predict_many(request: Request) -> JsonResponse | StreamingResponse:
    """Predict many accidents: `accidents` in JSON, up to a limit, or JSON lines, answered line by line."""
    state = get_state(request)
    model, context = state.require_model(), get_request_context(request)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == NDJSON:
        file = await _spool_body(request)
        return StreamingResponse(_predict_lines(state, model, context, file), media_type=NDJSON)
    content = await read_json(request)
    accidents = require_list(content, "accidents", state.settings.request.batch)
    forbid_extra_fields(content, "accidents")

    def predict() -> tuple[JsonResponse, list[PredictionRecord]]:
        results, records = predict_batch(model, accidents, context, state.metrics)
        return JsonResponse({"results": results}), records

    response, records = predict() if len(accidents) <= _MAX_ON_EVENT_LOOP else await run_in_threadpool(predict)
    state.prediction_log.add(records, len(await request.body()) * len(records) // len(accidents))
    return response


async def _spool_body(request: Request) -> IO[bytes]:
    """The body in a temporary file, which is deleted when it is closed."""
    file = tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES)  # noqa: SIM115  # closed by `_predict_lines`
    try:
        async for chunk in request.stream():
            await run_in_threadpool(file.write, chunk)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


async def _predict_lines(
    state: AppState, model: LoadedModel, context: RequestContext, file: IO[bytes]
) -> AsyncIterator[bytes]:
    """Results as JSON lines, in chunks; all from one model."""
    max_line = int(state.settings.request.body_megabytes * 1_000_000)
    with file:
        while chunk := await run_in_threadpool(_predict_chunk, state, model, context, file, max_line):
            yield chunk


def _predict_chunk(
    state: AppState, model: LoadedModel, context: RequestContext, file: IO[bytes], max_line: int
) -> bytes:
    """Results of the next lines of the file; empty at its end."""
    contents: list[Any] = []
    errors: dict[int, str] = {}
    total = 0
    while (
        len(contents) < state.settings.request.batch and total < _CHUNK_BYTES and (line := file.readline(max_line + 1))
    ):
        if not line.strip():  # blank lines are ignored
            continue
        total += len(line)
        if len(line) > max_line:
            errors[len(contents)] = f"a line is longer than {max_line:,} bytes"
            while line and not line.endswith(b"\n"):
                line = file.readline(max_line)
            contents.append(None)
        else:
            try:
                contents.append(orjson.loads(line.removeprefix(BOM_UTF8)))
            except orjson.JSONDecodeError as error:
                errors[len(contents)] = f"the line is not JSON: {str(error)[:200]}"
                contents.append(None)
    if not contents:
        return b""
    results, records = predict_batch(model, contents, context, state.metrics)
    state.prediction_log.add(records, total * len(records) // len(contents))
    for index, message in errors.items():
        results[index] = {"error": error_detail("no_json", message, ())}
    return b"".join(orjson.dumps(result, option=orjson.OPT_APPEND_NEWLINE) for result in results)
