"""Feedback on predictions, and evaluation on labelled accidents."""

import asyncio
import math
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
from accidents.configuration.monitoring import MonitoringSettings, SeasonSettings
from accidents.evaluation.evaluate import evaluate as evaluate_predictions
from accidents.evaluation.metrics import METRICS
from accidents.monitoring.drift import compare_inputs
from accidents.monitoring.reference import count_inputs
from accidents.requests import InvalidRequestError, parse_valid
from accidents.requests.errors import Problems
from serving.auth.authorization import ProtectedRoute
from serving.auth.roles import Role
from serving.dependencies import AppState, get_request_context, get_state
from serving.http.errors import ApiError, validation_error
from serving.http.json_body import JsonResponse, invalid_field, parse_json, read_accidents, receive_json
from serving.model.predictor import INVALID_ACCIDENT, INVALID_MESSAGE, predict_probabilities
from serving.records.database import RecordsError
from serving.records.feedback import StoredOutcome, UnknownPredictionError, store_outcome
from serving.schemas import requests, responses
from serving.schemas.openapi import error_responses, json_request, schema_ref

router = APIRouter(prefix="/v1", route_class=ProtectedRoute, tags=["outcomes"])
_SETTINGS = EvaluationSettings(resamples=200)
_MONITORING = MonitoringSettings(season=SeasonSettings(accidents_of_month_at_least=1))
"""The caller has chosen the reference: each of its months counts."""

_REFERENCE = "reference"
_RETRY_SECONDS = 0.1
_MAX_WAIT_SECONDS = 2.0  # for the log to write a prediction
_DATABASE_SECONDS = 5.0  # for the whole of a request that needs the database
_MAX_FEEDBACK_FIELDS = 50


@router.post(
    "/evaluate",
    response_model=responses.EvaluationResponse,
    responses=error_responses(400, 415, 422, 503),
    openapi_extra=json_request(Role.EVALUATE, schema_ref(requests.labelled_model())),
    summary="Evaluate the model",
)
async def evaluate(request: Request) -> JsonResponse:
    """Evaluate the model on labelled accidents: metrics with bootstrap intervals. Nothing is logged.

    With `reference`, other accidents, the answer has the share of the columns that have drifted from it.
    """
    state = get_state(request)
    async with receive_json(request, state.load, heavy=True) as text:
        try:
            result = await run_in_threadpool(evaluate_labelled, state, text)
        except InvalidRequestError as error:
            raise ApiError(422, INVALID_ACCIDENT, INVALID_MESSAGE, error.problems, error.count) from None
    return JsonResponse(result)


def _check_labels(labels: list[Any], accident_count: int) -> None:
    problems = Problems()
    if len(labels) != accident_count:
        problems.add("priority", f"{len(labels)} labels", f"must be one for each of {accident_count} accidents")
    for index, label in enumerate(labels):
        if isinstance(label, bool) or label not in (0, 1):
            problems.add(f"priority[{index}]", label, "must be 0 or 1")
    if problems.count:
        raise ApiError(422, "invalid", "the labels are invalid", problems.described, problems.count)


def evaluate_labelled(state: AppState, text: bytes) -> dict[str, Any]:
    """Evaluate the model on the JSON of `accidents` and their labels, `priority`; the metrics of the service show it.

    Returns:
        Content of a `responses.EvaluationResponse`; `drift_share` is that of `accidents` against `reference`.

    Raises:
        ApiError: the text is not JSON of that form, or too long.
        InvalidRequestError: some accidents are invalid.
    """
    model = state.require_model()
    accidents, others = read_accidents(text, state.settings.request.evaluation, "priority", optional=(_REFERENCE,))
    labels = others["priority"]
    _check_labels(labels, len(accidents))
    result = evaluate_predictions(
        np.array(labels, np.int8),
        predict_probabilities(model, map(parse_json, accidents), derive=state.settings.derive_facts),
        model.bundle.threshold,
        groups=None,
        settings=_SETTINGS,
    )
    metrics = {name: getattr(result, name) for name in METRICS}
    drift_share = _drift_share(state, accidents, others[_REFERENCE]) if _REFERENCE in others else None
    state.metrics.set_evaluation(metrics | {"drift_share": drift_share})
    return {
        "model": model.info,
        "n": result.n,
        "threshold": result.threshold,
        "metrics": metrics,
        "intervals": result.intervals,
        "confidence": result.confidence,
        "confusion": result.confusion.model_dump(),
        "drift_share": drift_share,
    }


def _drift_share(state: AppState, accidents: list[bytes], reference: list[bytes]) -> float:
    """Share of the columns of accidents that have drifted from others, as monitoring finds it.

    Raises:
        InvalidRequestError: some of the others are invalid.
    """
    level, derive = state.require_model().bundle.level, state.settings.derive_facts
    window, others = (
        count_inputs(parse_valid(map(parse_json, texts), field, derive=derive), level)
        for field, texts in (("accidents", accidents), (_REFERENCE, reference))
    )
    return compare_inputs(window.counts, window.columns, others, _MONITORING).drift_share


@router.post(
    "/feedback",
    response_model=responses.StoredFeedback,
    responses=error_responses(400, 404, 415, 422, 503),
    openapi_extra=json_request(Role.PREDICT, schema_ref(requests.Feedback)),
    summary="Store an outcome",
)
async def feedback(request: Request) -> JsonResponse:
    """Store the outcome of an accident by the id of its prediction; a later outcome replaces an earlier one."""
    state = get_state(request)
    async with receive_json(request, state.load) as text:
        content = parse_json(text)
    if isinstance(content, dict) and len(content) > _MAX_FEEDBACK_FIELDS:  # pydantic would describe every one
        raise invalid_field("request", f"{len(content):,} fields", "allowed: prediction_id, priority")
    try:
        body = requests.Feedback.model_validate(content)
    except ValidationError as error:
        raise validation_error(error) from None
    store = partial(
        store_outcome,
        state.engine,
        body.prediction_id,
        body.priority,
        at=datetime.now(UTC),
        caller=get_request_context(request).caller,
    )
    try:
        async with asyncio.timeout(_DATABASE_SECONDS):
            stored = await _store_once_written(state, body.prediction_id, store)
    except (TimeoutError, RecordsError):
        message = "the database does not answer; try again"
        raise ApiError(503, "database", message, headers={"Retry-After": "5"}) from None
    if not stored.replaced:
        state.metrics.observe_outcome(stored.probability, body.priority)
    return JsonResponse({"prediction_id": body.prediction_id, "priority": body.priority, "replaced": stored.replaced})


async def _store_once_written(state: AppState, prediction_id: str, store: Callable[[], StoredOutcome]) -> StoredOutcome:
    """Store an outcome; waits a little for the log to write the prediction.

    Raises:
        ApiError: 404, there is no such prediction; 503, it is not written yet.
        RecordsError: the database does not answer.
    """
    flush_seconds = state.settings.records.flush_seconds
    deadline = time.monotonic() + min(2 * flush_seconds, _MAX_WAIT_SECONDS)
    while True:
        waiting = state.may_be_waiting(prediction_id)  # before the look into the database: it may be written meanwhile
        try:
            return await state.run_in_database_thread(store)
        except UnknownPredictionError:
            if not waiting:
                raise ApiError(404, "no_prediction", "no prediction has this id, or it was deleted") from None
        if time.monotonic() >= deadline:
            message = "the prediction is not written yet; try again"
            headers = {"Retry-After": str(math.ceil(flush_seconds))}
            raise ApiError(503, "prediction_waiting", message, headers=headers)
        await asyncio.sleep(_RETRY_SECONDS)
