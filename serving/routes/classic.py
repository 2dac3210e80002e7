"""Adapter for clients of the classic interface: `/api/v1/…`, with and without a final slash, in the classic shapes.

Only with `classic_interface` in configs/serving.yaml. Authentication, limits, validation and prediction log are those
of the other routes; docs/old-and-new-names.md lists what differs.
"""

import re
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any, TypeGuard

import orjson
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from accidents.requests import FieldProblem, InvalidRequestError
from accidents.requests.flat import FLAT_FIELDS
from serving.auth.authorization import ProtectedRoute
from serving.auth.roles import Caller, Role
from serving.dependencies import AppState, get_request_context, get_state
from serving.http.errors import JSON, ApiError
from serving.http.json_body import LIGHT_BYTES, JsonResponse, invalid_field, parse_json, receive_json
from serving.model.model_loader import LoadedModel
from serving.model.predictor import INVALID_ACCIDENT, INVALID_MESSAGE, predict_batch
from serving.records.prediction_record import PredictionRecord
from serving.routes.outcomes import evaluate_labelled
from serving.schemas import requests, responses
from serving.schemas.openapi import error_responses, json_request, requires_role, schema_ref

PREFIX = "/api/v1"
_ONE, _MANY = "features", "features_list"
_LABELLED, _REFERENCE, _LABEL = "eval_data", "ref_data", "grav"
_METRICS = {"f1_score": "f1"}
_SCHEMA = {
    "type": "object",
    "properties": {
        _ONE: schema_ref(requests.flat_model()),
        _MANY: {"type": "array", "minItems": 1, "items": schema_ref(requests.flat_model())},
    },
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": False,
}
_PATH_PART = re.compile(r"[^.\[\]]+")

router = APIRouter(prefix=PREFIX, route_class=ProtectedRoute, tags=["classic interface"])


async def predict(request: Request) -> JsonResponse:
    """Predict one accident (`features`) or several (`features_list`); either all of them are valid, or none counts."""
    state = get_state(request)
    async with receive_json(request, state.load) as text:
        light, max_accidents = len(text) <= LIGHT_BYTES, state.settings.request.batch
        body = _read_body(text, max_accidents) if light else await run_in_threadpool(_read_body, text, max_accidents)
        field, accidents = body
        model, context = state.require_model(), get_request_context(request)

        def run() -> tuple[list[dict[str, Any]], list[PredictionRecord]]:
            texts = [orjson.dumps(accident) for accident in accidents]
            options = {"derive": state.settings.derive_facts, "all_or_none": True}
            return predict_batch(model, texts, accidents, context, state.metrics, **options)

        if light and field == _ONE:
            results, records = run()
        else:  # a large body counts as a heavy request already
            async with state.load.heavy_request() if light else nullcontext():
                results, records = await run_in_threadpool(run)
        _refuse_invalid(field, results)
        state.prediction_log.add(records, len(text))
    return JsonResponse(_prediction(results[0], model) if field == _ONE else _predictions(results, model))


def _read_body(text: bytes, max_accidents: int) -> tuple[str, list[Any]]:
    """The field of the body, and the accidents in it."""
    content = parse_json(text)
    if not isinstance(content, dict) or len(content) != 1 or not content.keys() <= {_ONE, _MANY}:
        raise invalid_field("request", content, f"must be an object with '{_ONE}' or '{_MANY}', and nothing else")
    ((field, value),) = content.items()
    accidents = [value] if field == _ONE else value
    if not isinstance(accidents, list) or not 1 <= len(accidents) <= max_accidents:
        raise invalid_field(field, value, f"must be a list of 1 to {max_accidents:,} objects")
    for index, accident in enumerate(accidents):
        if not isinstance(accident, dict):
            raise invalid_field(_place(field, index), accident, "must be an object with the fields of an accident")
    return field, accidents


def _place(field: str, index: int) -> str:
    return field if field == _ONE else f"{field}[{index}]"


def _refuse_invalid(field: str, results: list[dict[str, Any]]) -> None:
    errors = [(index, result["error"]) for index, result in enumerate(results) if "error" in result]
    problems = [
        FieldProblem(f"{_place(field, index)}.{one['field']}", one["value"], one["reason"])
        for index, error in errors
        for one in error["problems"]
    ]
    if errors:
        count = sum(error.get("problem_count", len(error["problems"])) for _, error in errors)
        raise ApiError(422, INVALID_ACCIDENT, INVALID_MESSAGE, problems, count)


def _prediction(result: dict[str, Any], model: LoadedModel) -> dict[str, Any]:
    return {
        "prediction": result["prediction"],
        "probability": result["probability"],
        "model_type": model.info["type"],
    }


def _predictions(results: list[dict[str, Any]], model: LoadedModel) -> dict[str, Any]:
    return {
        "predictions": [result["prediction"] for result in results],
        "probabilities": [result["probability"] for result in results],
        "count": len(results),
        "model_type": model.info["type"],
    }


async def evaluate(request: Request) -> JsonResponse:
    """Evaluate the model on `eval_data`, accidents with `grav`: 1 for priority, 0 for none.

    With `ref_data`, such accidents or others, the answer has the share of the columns that have drifted from it.
    """
    state = get_state(request)
    async with receive_json(request, state.load, heavy=True) as text:
        try:
            result = await run_in_threadpool(_evaluate, state, text)
        except InvalidRequestError as error:
            raise ApiError(422, INVALID_ACCIDENT, INVALID_MESSAGE, error.problems, error.count) from None
    metrics = {name: result["metrics"][_METRICS.get(name, name)] for name in responses.ClassicMetrics.model_fields}
    drift_share, model_type = result["drift_share"], result["model"]["type"]
    return JsonResponse({"metrics": metrics, "col_drift_share": drift_share, "model_type": model_type})


def _evaluate(state: AppState, text: bytes) -> dict[str, Any]:
    content = parse_json(text)
    known = isinstance(content, dict) and content.keys() <= {_LABELLED, _REFERENCE}
    rows, reference = (content.get(_LABELLED), content.get(_REFERENCE)) if known else (None, None)
    if not _are_objects(rows) or not (reference is None or _are_objects(reference)):
        reason = (
            f"must be an object with '{_LABELLED}', a list of accidents with 'grav', and such a list '{_REFERENCE}'"
        )
        raise invalid_field("request", content, f"{reason} or none")
    labelled = {
        "accidents": _without_label(rows),
        "priority": [row.get(_LABEL) for row in rows],
        "reference": reference and _without_label(reference),
    }
    return evaluate_labelled(state, orjson.dumps(labelled))


def _are_objects(value: Any) -> TypeGuard[list[dict[str, Any]]]:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)


def _without_label(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != _LABEL} for row in rows]


async def health(request: Request) -> JsonResponse:
    """The process is alive."""
    now = datetime.now(UTC).isoformat()
    return JsonResponse({"status": "healthy", "service": "predict", "version": request.app.version, "timestamp": now})


async def models(request: Request) -> JsonResponse:
    """The type of the loaded model, and its name and version."""
    info = get_state(request).require_model().info
    return JsonResponse({"loaded_model_type": info["type"], "source": f"{info['name']} {info['version']}"})


async def input_features(request: Request) -> JsonResponse:
    """The fields of `features`."""
    get_state(request).require_model()
    return JsonResponse({"input_features": sorted(FLAT_FIELDS), "source": "columns of BAAC and of the flat form"})


async def me(request: Request) -> JsonResponse:
    """The caller as a classic user: API keys have a name and a role, and neither e-mail address nor password."""
    caller: Caller = request.scope["state"]["caller"]
    role = "admin" if caller.role is Role.ADMIN else "user"
    user = {"id": caller.id, "username": caller.name, "email": None, "full_name": None, "role": role}
    return JsonResponse(user | {"is_active": True})


def _add_routes() -> None:
    post = {
        "methods": ["POST"],
        "response_model": responses.ClassicPrediction | responses.ClassicPredictions,
        "responses": error_responses(400, 415, 422, 503),
        "openapi_extra": json_request(Role.PREDICT, _SCHEMA),
    }
    get = {
        "methods": ["GET"],
        "response_model": dict[str, Any],
        "responses": error_responses(503),
        "openapi_extra": requires_role(Role.PREDICT),
    }
    rows = {"type": "array", "items": {"type": "object"}}
    labelled = {"type": "object", "properties": {_LABELLED: rows, _REFERENCE: rows}}
    evaluation = post | {
        "response_model": responses.ClassicEvaluation,
        "openapi_extra": json_request(Role.EVALUATE, labelled | {"required": [_LABELLED]}),
    }
    for path, endpoint, options in (
        ("/predict", predict, post),
        ("/predict/batch", predict, post),
        ("/predict/evaluate", evaluate, evaluation),
        ("/predict/health", health, {"methods": ["GET"], "response_model": dict[str, str]}),
        ("/predict/models", models, get),
        ("/predict/input-features", input_features, get),
        ("/auth/me", me, get),
    ):
        router.add_api_route(path, endpoint, **options)
        router.add_api_route(f"{path}/", endpoint, include_in_schema=False, **options)


_add_routes()


class ClassicErrorsMiddleware:
    """Adds `detail` to errors below `/api/v1/`: a sentence, or for status 422 a list as FastAPI writes it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http" or not scope["path"].startswith(f"{PREFIX}/"):
            await self.app(scope, receive, send)
            return
        start: Message = {}

        async def send_with_detail(message: Message) -> None:
            is_error = message["type"] == "http.response.start" and message["status"] >= 400
            if is_error and (b"content-type", JSON) in message["headers"]:
                start.update(message)  # its length is known with the body, which errors send in one piece
                return
            if start:
                body = _with_detail(message["body"], start["status"])
                headers = [pair for pair in start["headers"] if pair[0] != b"content-length"]
                await send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
                message = {**message, "body": body}
                start.clear()
            await send(message)

        await self.app(scope, receive, send_with_detail)


def _with_detail(body: bytes, status: int) -> bytes:
    content = orjson.loads(body)
    error = content["error"]
    detail: Any = error["message"]
    if status == 422:
        detail = [
            {"type": error["code"], "loc": _location(one["field"]), "msg": one["reason"], "input": one["value"]}
            for one in error["problems"]
        ]
    return orjson.dumps({"detail": detail, **content})


def _location(field: str) -> list[str | int]:
    """The path of a field as FastAPI writes it.

    Examples:
        >>> _location("features_list[2].catv")
        ['body', 'features_list', 2, 'catv']
    """
    return ["body", *(int(part) if part.isdecimal() else part for part in _PATH_PART.findall(field))]
