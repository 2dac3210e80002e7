"""The model that answers: what it is, what it is told, and a look for a newer one."""

import time

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool

from accidents.columns import Availability
from accidents.inference.json_scoring import FLAT, NESTED
from accidents.requests.flat import FLAT_FIELDS
from accidents.requests.reader import FEATURE_COLUMNS
from accidents.requests.rows import COLUMNS, RequestPart
from serving.auth.authorization import GuardedRoute
from serving.auth.roles import Role
from serving.dependencies import world_of
from serving.http.errors import ServingError
from serving.http.json_body import Json
from serving.http.openapi import faults, needs
from serving.model.pointer import wait_for_check
from serving.schemas import requests, responses

router = APIRouter(prefix="/v1", route_class=GuardedRoute, tags=["model"])
_PATIENCE = 30  # seconds for the registry to be asked
_OUTPUTS = ["probability (float64)", "prediction (0 or 1)", "interpretation (Priority or Non-Priority)"]


@router.get(
    "/model",
    response_model=responses.Model,
    responses=faults(503),
    openapi_extra=needs(Role.PREDICT),
    summary="The model",
)
async def model(request: Request) -> Json:
    """The model that answers now: how it was trained, what it reaches, what it is told."""
    served = world_of(request).served()
    bundle = served.bundle
    return Json(
        {
            **served.called,
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
            "features": list(bundle.columns),
            "signature": {"inputs": [f"{NESTED} (nested)", f"{FLAT} (classic flat form)"], "outputs": _OUTPUTS},
        }
    )


@router.get(
    "/input-features",
    response_model=responses.InputFeatures,
    responses=faults(503),
    openapi_extra=needs(Role.PREDICT),
    summary="What a request may hold",
)
async def input_features(request: Request) -> Json:
    """Every column that a request may give, by part, with its codes and range, and whether the model uses it."""
    level = world_of(request).served().bundle.level
    parts = {
        part.value: [
            requests.facts(column)
            | {"used": name in FEATURE_COLUMNS[part] and column.availability <= Availability[level.upper()]}
            for name, column in COLUMNS[part].items()
            if name == column.name and column.availability is not Availability.AFTER
        ]
        for part in RequestPart
    }
    return Json({"level": level, "parts": parts, "flat": sorted(FLAT_FIELDS)})


@router.post(
    "/admin/reload",
    response_model=responses.Reloaded,
    responses=faults(503, 504),
    openapi_extra=needs(Role.ADMIN),
    summary="Look for a newer model now",
)
async def reload(request: Request) -> Json:
    """Ask the registry now in place of at the next poll, and take the model that it names.

    Other workers of the service take it within a second.
    """
    world = world_of(request)
    before, since = world.current.served, time.time()
    world.pointer.with_name("wanted").touch()
    pointer = await run_in_threadpool(wait_for_check, world.pointer, since, _PATIENCE)
    if pointer is None:
        raise ServingError(504, "not_asked", f"the registry was not asked within {_PATIENCE} s; the model stays")
    problem = await run_in_threadpool(world.current.look) or pointer.problem
    if problem:
        raise ServingError(503, "not_taken", "the newer model was not taken and the present one stays; see the log")
    return Json({"model": world.served().called, "changed": world.current.served is not before})
