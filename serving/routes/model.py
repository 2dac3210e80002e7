"""The loaded model: its properties, its inputs, and reloading."""

import time

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool

from accidents.columns import Availability
from accidents.inference.json_scoring import FLAT_COLUMN, NESTED_COLUMN
from accidents.requests.flat import FLAT_FIELDS
from accidents.requests.reader import FEATURE_COLUMNS
from accidents.requests.rows import COLUMNS, RequestPart
from serving.auth.authorization import ProtectedRoute
from serving.auth.roles import Role
from serving.dependencies import get_state
from serving.http.errors import ApiError
from serving.http.json_body import JsonResponse
from serving.model.pointer import reload_request_file, wait_for_check
from serving.schemas import requests, responses
from serving.schemas.openapi import error_responses, requires_role

router = APIRouter(prefix="/v1", route_class=ProtectedRoute, tags=["model"])
_RELOAD_TIMEOUT = 30  # seconds for the supervisor to check the registry
_OUTPUTS = ["probability (float64)", "prediction (0 or 1)", "interpretation (Priority or Non-Priority)"]


@router.get(
    "/model",
    response_model=responses.ModelDetails,
    responses=error_responses(503),
    openapi_extra=requires_role(Role.PREDICT),
    summary="Describe the model",
)
async def model(request: Request) -> JsonResponse:
    """The loaded model: version, training data, threshold, metrics, features, signature."""
    loaded = get_state(request).require_model()
    bundle = loaded.bundle
    return JsonResponse(
        {
            **loaded.info,
            "level": bundle.level,
            "geography": bundle.geography,
            "trained_at": bundle.trained_at,
            "trained_on": {
                "fingerprint": bundle.fingerprint,
                "months": bundle.months,
                "accidents": bundle.rows,
                "split": bundle.split,
            },
            "threshold": bundle.threshold,
            "rule": bundle.rule,
            "metrics": bundle.metrics,
            "evaluated_twin": bundle.evaluated_twin or None,
            "features": list(bundle.columns),
            "signature": {
                "inputs": [f"{NESTED_COLUMN} (nested)", f"{FLAT_COLUMN} (classic flat form)"],
                "outputs": _OUTPUTS,
            },
        }
    )


@router.get(
    "/input-features",
    response_model=responses.InputFeatures,
    responses=error_responses(503),
    openapi_extra=requires_role(Role.PREDICT),
    summary="Describe the inputs",
)
async def input_features(request: Request) -> JsonResponse:
    """Every column that a request may contain, by part, with its codes and range, and whether the model uses it."""
    level = get_state(request).require_model().bundle.level
    availability = Availability[level.upper()]
    parts = {
        part.value: [
            requests.column_details(column)
            | {"used": name in FEATURE_COLUMNS[part] and column.availability <= availability}
            for name, column in COLUMNS[part].items()
            if name == column.name and column.availability is not Availability.AFTER
        ]
        for part in RequestPart
    }
    lookups = get_state(request).settings.lookups
    services = {"address": lookups.geocoder is not None, "weather": lookups.weather is not None}
    return JsonResponse({"level": level, "parts": parts, "flat": sorted(FLAT_FIELDS), "lookups": services})


@router.post(
    "/admin/reload",
    response_model=responses.ReloadResult,
    responses=error_responses(503, 504),
    openapi_extra=requires_role(Role.ADMIN),
    summary="Check for a newer model now",
)
async def reload(request: Request) -> JsonResponse:
    """Check the registry now instead of at the next poll, and load the model that it names.

    Other workers of the service load it within a second.
    """
    state = get_state(request)
    loader = state.model_loader
    before, since = loader.model, time.time()
    reload_request_file(loader.pointer_file).touch()
    pointer = await wait_for_check(loader.pointer_file, since, _RELOAD_TIMEOUT)
    if pointer is None:
        raise ApiError(504, "not_asked", f"the registry was not checked within {_RELOAD_TIMEOUT} s; the model stays")
    if await run_in_threadpool(loader.check) or pointer.problem:
        raise ApiError(503, "not_taken", "the newer model could not be loaded and the present one stays; see the log")
    return JsonResponse({"model": state.require_model().info, "changed": loader.model is not before})
