"""Predict or explain one accident."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError

from accidents.requests import InvalidRequestError
from serving.auth.authorization import ProtectedRoute
from serving.auth.roles import Role
from serving.dependencies import AppState, get_request_context, get_state
from serving.http.errors import ApiError, validation_error
from serving.http.json_body import LIGHT_BYTES, JsonResponse, receive_json
from serving.model import predictor
from serving.schemas import requests, responses
from serving.schemas.openapi import any_accident_schema, error_responses, json_request, query_parameters

router = APIRouter(prefix="/v1", route_class=ProtectedRoute, tags=["predictions"])

_NO_QUERY = requests.PredictQuery()


@router.post(
    "/predict",
    response_model=responses.PredictionResponse,
    responses=error_responses(400, 415, 422, 503),
    openapi_extra=json_request(Role.PREDICT, any_accident_schema(), requests.examples())
    | query_parameters(requests.PredictQuery),
    summary="Predict one accident",
)
async def predict(request: Request) -> JsonResponse:
    """Predict one accident in the nested or the flat form; `reasons` and `ask` are numbers of reasons and questions."""
    query = _query(request)
    state = get_state(request)
    async with receive_json(request, state.load) as text:
        model, context = state.require_model(), get_request_context(request)
        with _invalid_as_422(state):
            if query.reasons or query.ask or len(text) > LIGHT_BYTES:  # slow, so it runs in a thread
                more = {"top_reasons": query.reasons, "ask": query.ask}
                slow = partial(predictor.predict, model, text, context, state.metrics, **more)
                response, record = await run_in_threadpool(slow)
            else:
                response, record = predictor.predict(model, text, context, state.metrics)
        state.prediction_log.add((record,), len(text))
        return JsonResponse(response)


@router.post(
    "/explain",
    response_model=responses.ExplanationResponse,
    responses=error_responses(400, 415, 422, 503),
    openapi_extra=json_request(Role.PREDICT, any_accident_schema(), requests.examples()),
    summary="Explain one accident",
)
async def explain(request: Request) -> JsonResponse:
    """Predict one accident with the contributions of all topics."""
    state = get_state(request)
    async with receive_json(request, state.load, heavy=True) as text:
        model, context = state.require_model(), get_request_context(request)
        with _invalid_as_422(state):
            response, record = await run_in_threadpool(predictor.explain, model, text, context, state.metrics)
        state.prediction_log.add((record,), len(text))
        return JsonResponse(response)


@contextmanager
def _invalid_as_422(state: AppState) -> Iterator[None]:
    """Count an invalid accident and answer with status 422."""
    try:
        yield
    except InvalidRequestError as error:
        state.metrics.count_invalid()
        raise ApiError(
            422, predictor.INVALID_ACCIDENT, predictor.INVALID_MESSAGE, error.problems, error.count
        ) from None


def _query(request: Request) -> requests.PredictQuery:
    """The query parameters, 0 by default.

    Raises:
        ApiError: 422, one is not a number in the allowed range.
    """
    if not request.scope["query_string"]:
        return _NO_QUERY
    try:
        return requests.PredictQuery.model_validate(dict(request.query_params))
    except ValidationError as error:
        raise validation_error(error, "query") from None
