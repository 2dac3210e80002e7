"""Places by address, for the web page."""

from time import monotonic

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError

from accidents.geography.departments import department_of_commune
from accidents.requests.derived_facts import LookupFailedError
from serving.auth.authorization import ProtectedRoute
from serving.auth.roles import Role
from serving.dependencies import get_state
from serving.http.errors import ApiError, validation_error
from serving.http.json_body import JsonResponse, parse_json, receive_json
from serving.schemas import requests, responses
from serving.schemas.openapi import error_responses, json_request, schema_ref

router = APIRouter(prefix="/v1", route_class=ProtectedRoute, tags=["predictions"])


@router.post(
    "/geocode",
    response_model=responses.Places,
    responses=error_responses(400, 404, 415, 422, 503),
    openapi_extra=json_request(Role.PREDICT, schema_ref(requests.Address)),
    summary="Find places by address",
)
async def geocode(request: Request) -> JsonResponse:
    """Places of an address, from the configured geocoder; 404 where none is configured, 503 where it fails."""
    state = get_state(request)
    async with receive_json(request, state.load) as text:
        try:
            query = requests.Address.model_validate(parse_json(text))
        except ValidationError as error:
            raise validation_error(error, "body") from None
    if state.services is None or state.settings.lookups.geocoder is None:
        raise ApiError(404, "no_geocoder", "no geocoder is configured (lookups.geocoder in configs/serving.yaml)")
    end = monotonic() + state.settings.lookups.timeout_seconds
    try:
        found = await run_in_threadpool(state.services.places, query.address, None, query.limit, end)
    except LookupFailedError as error:
        raise ApiError(503, "lookup_failed", str(error)) from None
    places = [vars(place) | {"department": department_of_commune(place.commune), "score": score}
              for place, score in found]  # fmt: skip
    return JsonResponse({"places": places})
