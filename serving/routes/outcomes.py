"""What became of accidents: feedback on predictions, and evaluation on labelled accidents."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError

from accidents.configuration.evaluation import EvaluationSettings
from accidents.evaluation.evaluate import evaluate as evaluate_model
from accidents.evaluation.metrics import METRICS
from accidents.requests import FieldProblem, InvalidRequestError
from accidents.requests.errors import format_value
from serving.auth.authorization import GuardedRoute
from serving.auth.roles import Role
from serving.dependencies import asked, world_of
from serving.http.errors import ServingError, invalid
from serving.http.json_body import Json, json_of, listed, only
from serving.http.openapi import faults, ref, takes
from serving.model import predictor
from serving.model.model_loader import Served
from serving.records import feedback as outcomes
from serving.records.errors import RecordsError, UnknownPredictionError
from serving.records.prediction_ids import moment
from serving.schemas import requests, responses

router = APIRouter(prefix="/v1", route_class=GuardedRoute, tags=["outcomes"])
_SETTINGS = EvaluationSettings(resamples=200)
_LOOK_AGAIN = 0.1  # seconds


@router.post(
    "/evaluate",
    response_model=responses.Evaluated,
    responses=faults(400, 415, 422, 503),
    openapi_extra=takes(Role.EVALUATE, ref(requests.labelled_model())),
    summary="Measure the model",
)
async def evaluate(request: Request) -> Json:
    """Measure the model on labelled accidents: metrics with bootstrap intervals. Nothing of them is logged."""
    content = await json_of(request)
    world = world_of(request)
    accidents = listed(content, "accidents", world.settings.request.evaluation)
    labels = listed(content, "priority", world.settings.request.evaluation)
    only(content, "accidents", "priority")
    _check_labels(labels, len(accidents))
    try:
        found = await run_in_threadpool(_evaluated, world.served(), accidents, labels)
    except InvalidRequestError as error:
        raise ServingError(422, predictor.INVALID, predictor.REFUSED, error.problems) from None
    world.metrics.evaluated(found["metrics"])
    return Json(found)


def _check_labels(labels: list[Any], accidents: int) -> None:
    problems = [
        FieldProblem(f"priority[{place}]", format_value(label), "must be 0 or 1")
        for place, label in enumerate(labels)
        if isinstance(label, bool) or label not in (0, 1)
    ]
    if len(labels) != accidents:
        problems.append(FieldProblem("priority", f"{len(labels)} outcomes", f"must be one of each of the {accidents}"))
    if problems:
        raise ServingError(422, "invalid", "the outcomes cannot be used", problems)


def _evaluated(served: Served, accidents: list[Any], labels: list[int]) -> dict[str, Any]:
    probabilities = predictor.probabilities_of(served, accidents)
    priority, threshold = np.array(labels, np.int8), served.bundle.threshold
    found = evaluate_model(priority, probabilities, threshold, groups=None, settings=_SETTINGS)
    return {
        "model": served.called,
        "n": found.n,
        "threshold": found.threshold,
        "metrics": {name: getattr(found, name) for name in METRICS},
        "intervals": found.intervals,
        "confidence": found.confidence,
        "confusion": found.confusion.model_dump(),
    }


@router.post(
    "/feedback",
    response_model=responses.FeedbackTaken,
    responses=faults(400, 404, 415, 422, 503),
    openapi_extra=takes(Role.PREDICT, ref(requests.Feedback)),
    summary="Tell an outcome",
)
async def feedback(request: Request) -> Json:
    """Tell what became of an accident, by the id of its prediction; a later outcome replaces an earlier one."""
    content = await json_of(request)
    try:
        given = requests.Feedback.model_validate(content)
    except ValidationError as error:
        raise invalid(error) from None
    world = world_of(request)
    store = partial(
        outcomes.store,
        world.engine,
        given.prediction_id,
        given.priority,
        at=datetime.now(UTC),
        caller=asked(request).caller,
    )
    end = time.monotonic() + _patience(given.prediction_id, world.settings.records.flush_seconds)
    try:
        while (replaced := await run_in_threadpool(_stored, store)) is None:
            if time.monotonic() >= end:
                raise ServingError(404, "no_prediction", "no prediction has this id, or it was deleted")
            await asyncio.sleep(_LOOK_AGAIN)  # nobody else waits meanwhile
    except RecordsError:
        raise ServingError(
            503, "database", "the database does not answer; try again", headers={"Retry-After": "5"}
        ) from None
    return Json({"prediction_id": given.prediction_id, "priority": given.priority, "replaced": replaced})


def _stored(store: Callable[[], bool]) -> bool | None:
    """Whether the outcome replaces another; None where there is no such prediction."""
    try:
        return store()
    except UnknownPredictionError:
        return None


def _patience(prediction: str, flush_seconds: float) -> float:
    """How long a prediction is waited for that the log may not have written yet: only where it was made just now."""
    made = moment(prediction)
    longest = 2 * flush_seconds
    return longest if made is not None and abs(time.time() - made) < longest else 0
