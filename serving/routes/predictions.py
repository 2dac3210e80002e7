"""One accident, or many: predictions and explanations."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import ValidationError

from accidents.requests import InvalidRequestError
from serving.auth.authorization import GuardedRoute
from serving.auth.roles import Role
from serving.dependencies import World, asked, world_of
from serving.http.errors import ServingError, invalid
from serving.http.json_body import Json, json_of, listed, only
from serving.http.json_lines import answered_lines, spooled
from serving.http.middleware import LINES
from serving.http.openapi import either, faults, in_query, ref, takes
from serving.model import predictor
from serving.model.model_loader import Served
from serving.model.predictor import Asked
from serving.records.prediction_log import Entry
from serving.schemas import requests, responses

router = APIRouter(prefix="/v1", route_class=GuardedRoute, tags=["predictions"])
_SMALL = 10
"""Accidents that are answered at once; more are answered beside the event loop, so that others need not wait."""


@contextmanager
def _refusing(world: World) -> Iterator[None]:
    """Tell a caller, and the metrics, of an accident that cannot be used."""
    try:
        yield
    except InvalidRequestError as error:
        world.metrics.invalid()
        raise ServingError(422, predictor.INVALID, predictor.REFUSED, error.problems) from None


@router.post(
    "/predict",
    response_model=responses.Prediction,
    responses=faults(400, 415, 422, 503),
    openapi_extra=takes(Role.PREDICT, either(), requests.examples()) | in_query(requests.Wanted),
    summary="Predict one accident",
)
async def predict(request: Request) -> Json:
    """Predict one accident, in the nested form or the classic flat one; `reasons` says how many of them are wanted."""
    reasons = _wanted(request)
    content = await json_of(request)
    world = world_of(request)
    served = world.served()
    by = asked(request)
    with _refusing(world):
        if reasons:  # takes its time with some models, in which others are answered
            explained = partial(predictor.predict, served, content, by, world.metrics, top=reasons)
            answer, entry = await run_in_threadpool(explained)
        else:
            answer, entry = predictor.predict(served, content, by, world.metrics)
    world.log.add((entry,), len(await request.body()))
    return Json(answer)


def _wanted(request: Request) -> int:
    """How many reasons are wanted.

    Raises:
        ServingError: 422, not so many, or none can be read.
    """
    if not request.scope["query_string"]:
        return 0
    try:
        return requests.Wanted.model_validate(dict(request.query_params)).reasons
    except ValidationError as error:
        raise invalid(error, "query") from None


@router.post(
    "/explain",
    response_model=responses.Explanation,
    responses=faults(400, 415, 422, 503),
    openapi_extra=takes(Role.PREDICT, either(), requests.examples()),
    summary="Explain one accident",
)
async def explain(request: Request) -> Json:
    """Predict one accident, and say what every fact contributes."""
    content = await json_of(request)
    world = world_of(request)
    with _refusing(world):
        answer, entry = await run_in_threadpool(
            predictor.explain, world.served(), content, asked(request), world.metrics
        )
    world.log.add((entry,), len(await request.body()))
    return Json(answer)


@router.post(
    "/predict/batch",
    response_model=responses.Predictions,
    responses=faults(400, 415, 422, 503)
    | {
        200: {
            "description": "answers in the order of the accidents",
            "content": {LINES: {"schema": {"type": "string", "description": "one prediction or error a line"}}},
        }
    },
    openapi_extra=takes(
        Role.PREDICT,
        ref(requests.batch_model()),
        **{LINES: {"schema": {"type": "string", "description": "one accident a line"}}},
    ),
    summary="Predict many accidents",
)
async def predict_batch(request: Request) -> Json | StreamingResponse:
    """Predict many accidents: `accidents` in JSON, up to a limit, or JSON lines, answered line by line."""
    world = world_of(request)
    served, by = world.served(), asked(request)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == LINES:
        file = await spooled(request)
        return StreamingResponse(answered_lines(world, served, by, file), media_type=LINES)
    content = await json_of(request)
    accidents = listed(content, "accidents", world.settings.request.batch)
    only(content, "accidents")
    if len(accidents) <= _SMALL:
        results, entries = predictor.predict_many(served, accidents, by, world.metrics)
        body = Json({"results": results})
    else:
        entries, body = await run_in_threadpool(_batch, world, served, accidents, by)
    world.log.add(entries, len(await request.body()) * len(entries) // len(accidents))
    return body


def _batch(world: World, served: Served, accidents: list[Any], by: Asked) -> tuple[list[Entry], Json]:
    results, entries = predictor.predict_many(served, accidents, by, world.metrics)
    return entries, Json({"results": results})
