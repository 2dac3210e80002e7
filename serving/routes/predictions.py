"""Predict or explain one accident."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool

from accidents.requests import InvalidRequestError
from serving.auth.authorization import ProtectedRoute
from serving.auth.roles import Role
from serving.dependencies import AppState, derives, get_request_context, get_state, parse_query
from serving.http.errors import ApiError
from serving.http.json_body import LIGHT_BYTES, JsonResponse, receive_json
from serving.model import predictor
from serving.schemas import requests, responses
from serving.schemas.openapi import any_accident_schema, error_responses, json_request, query_parameters

router = APIRouter(prefix="/v1", route_class=ProtectedRoute, tags=["predictions"])


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
    query = parse_query(request, requests.PredictQuery)
    state = get_state(request)
    async with receive_json(request, state.load) as text:
        model, context = state.require_model(), get_request_context(request)
        derivation = _derivation(state, query)
        with _invalid_as_422(state):
            slow = query.reasons or query.ask or derivation.lookups or len(text) > LIGHT_BYTES
            if slow:  # so it runs in a thread
                arguments = model, text, context, state.metrics, derivation
                explained = partial(predictor.predict, *arguments, top_reasons=query.reasons, ask=query.ask)
                response, record = await run_in_threadpool(explained)
            else:
                response, record = predictor.predict(model, text, context, state.metrics, derivation)
        state.prediction_log.add((record,), len(text))
        return JsonResponse(response)


@router.post(
    "/explain",
    response_model=responses.ExplanationResponse,
    responses=error_responses(400, 415, 422, 503),
    openapi_extra=json_request(Role.PREDICT, any_accident_schema(), requests.examples())
    | query_parameters(requests.DeriveQuery),
    summary="Explain one accident",
)
async def explain(request: Request) -> JsonResponse:
    """Predict one accident with the contributions of all topics."""
    query = parse_query(request, requests.DeriveQuery)
    state = get_state(request)
    async with receive_json(request, state.load, heavy=True) as text:
        arguments = state.require_model(), text, get_request_context(request), state.metrics
        with _invalid_as_422(state):
            response, record = await run_in_threadpool(predictor.explain, *arguments, _derivation(state, query))
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


def _derivation(state: AppState, query: requests.DeriveQuery) -> predictor.Derivation:
    derive = derives(state, query)
    return predictor.Derivation(derive, state.services.for_request() if derive and state.services else None)
