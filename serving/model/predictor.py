"""Predict and explain accidents: from JSON content to the response and the log record. Independent of FastAPI."""

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from accidents.explanation.reasons import Reason, explain_prediction
from accidents.explanation.reasons import top_reasons as find_top_reasons
from accidents.features.arrays import Arrays
from accidents.inference.prediction import is_tentative
from accidents.knowledge.next_questions import next_questions
from accidents.models.base import Matrix, Vector
from accidents.requests import (
    ParsedBatch,
    ParsedRequest,
    ParseReport,
    parse_in_pieces,
    parse_request,
    parse_valid,
)
from accidents.requests.derived_facts import Lookups
from accidents.tables import classify
from serving.http.errors import error_detail
from serving.http.json_body import parse_json
from serving.model.model_loader import LoadedModel
from serving.model.shadow import Shadow
from serving.observability.metrics import Metrics
from serving.records.prediction_record import PredictionRecord, new_prediction_id

INVALID_ACCIDENT = "invalid_accident"
INVALID_MESSAGE = "the accident is invalid; correct these fields or leave them out"

Content = dict[str, Any]
"""JSON content of a response (`serving.schemas.responses`)."""


@dataclass(frozen=True)
class RequestContext:
    """Context of a request: for the log its id, the path of the route, and the id of the API key.

    `shadow` scores the same accidents later; None for no shadow model.
    """

    request_id: str
    route: str
    caller: str
    shadow: Shadow | None = None


@dataclass(frozen=True)
class Derivation:
    """Which facts are derived: those that follow from others, and those that the services of `lookups` know."""

    derive: bool
    lookups: Lookups | None = None


NOTHING_DERIVED = Derivation(derive=False)


def predict(
    model: LoadedModel,
    text: bytes,
    context: RequestContext,
    metrics: Metrics,
    derivation: Derivation = NOTHING_DERIVED,
    *,
    top_reasons: int = 0,
    ask: int = 0,
) -> tuple[Content, PredictionRecord]:
    """Predict one accident.

    Args:
        model: the model.
        text: the accident as JSON, nested or flat.
        context: context of the request.
        metrics: updated with the prediction and its durations.
        derivation: which facts are derived.
        top_reasons: number of the strongest reasons to add; 0 for none.
        ask: number of questions to add; 0 for none.

    Returns:
        Content of a `responses.PredictionResponse`, and the record for the log.

    Raises:
        ApiError: the text is not JSON, or too long.
        InvalidRequestError: the accident is invalid.
    """
    response, record, row, request = _predict_one(model, text, context, metrics, derivation)
    if ask:
        questions = next_questions(model.bundle, request, ask)
        response["ask"] = None if questions is None else [asdict(question) for question in questions]
    if top_reasons:
        response["reasons"] = [_reason(reason) for reason in find_top_reasons(model.bundle, row, top_reasons)]
        response["unit"] = model.bundle.shap_unit(row)
    return response, record


def explain(
    model: LoadedModel,
    text: bytes,
    context: RequestContext,
    metrics: Metrics,
    derivation: Derivation = NOTHING_DERIVED,
) -> tuple[Content, PredictionRecord]:
    """Predict one accident, with all reasons; arguments and errors are those of `predict`.

    Returns:
        Content of a `responses.ExplanationResponse`, and the record for the log.
    """
    response, record, row, _ = _predict_one(model, text, context, metrics, derivation)
    explanation = explain_prediction(model.bundle, row)
    response["reasons"] = [_reason(reason) for reason in explanation.reasons]
    base_value, raw_score = explanation.base_value, explanation.raw_score
    response |= {"base_value": base_value, "raw_score": raw_score, "unit": explanation.unit}
    response |= {"average": base_value, "said": raw_score}  # deprecated names
    return response, record


def predict_batch(
    model: LoadedModel,
    texts: Sequence[bytes],
    contents: Iterable[Any],
    context: RequestContext,
    metrics: Metrics,
    *,
    derive: bool = False,
    all_or_none: bool = False,
) -> tuple[list[Content], list[PredictionRecord]]:
    """Predict many accidents, in pieces of bounded memory.

    Args:
        model: the model.
        texts: the accidents as JSON, for the log.
        contents: the same, parsed; best a generator, so that one is in memory at a time.
        context: context of the request.
        metrics: updated with the predictions and their durations.
        derive: derive facts that follow from others, without asking a service.
        all_or_none: none counts for the shadow model where one is invalid.

    Returns:
        Content of a `responses.PredictionResponse` or `responses.AccidentError` for each accident, in order, and the
        records of the predictions.
    """
    responses: list[Content] = []
    records: list[PredictionRecord] = []
    for_shadow: list[tuple[list[PredictionRecord], Arrays]] = []
    start = time.perf_counter()
    for piece in parse_in_pieces(contents, derive=derive):
        piece_texts = texts[len(responses) : len(responses) + len(piece.results)]
        piece_responses, piece_records = _predict_piece(model, piece, piece_texts, context, metrics, start)
        responses += piece_responses
        records += piece_records
        if context.shadow and piece_records:
            for_shadow.append((piece_records, piece.arrays))
        if not all_or_none:
            _add_to_shadow(context, for_shadow)
        start = time.perf_counter()
    if len(records) == len(responses):
        _add_to_shadow(context, for_shadow)
    return responses, records


def _add_to_shadow(context: RequestContext, pieces: list[tuple[list[PredictionRecord], Arrays]]) -> None:
    while context.shadow and pieces:
        context.shadow.add(*pieces.pop(0))


def _predict_piece(
    model: LoadedModel,
    piece: ParsedBatch,
    texts: Sequence[bytes],
    context: RequestContext,
    metrics: Metrics,
    start: float,
) -> tuple[list[Content], list[PredictionRecord]]:
    bundle, valid = model.bundle, piece.valid_positions
    responses = [
        {}
        if isinstance(outcome, ParseReport)
        else {"error": error_detail(INVALID_ACCIDENT, INVALID_MESSAGE, outcome.problems, outcome.count)}
        for outcome in piece.results
    ]
    if len(valid) < len(texts):
        metrics.count_invalid(len(texts) - len(valid))
    if not valid:
        return responses, []
    parsed = time.perf_counter()
    rows = bundle.matrix(piece.arrays)
    computed = time.perf_counter()
    probabilities = bundle.predict_proba(rows).tolist()
    shares = bundle.share_known(rows, piece.arrays).tolist()
    end = time.perf_counter()
    reports = [outcome for outcome in piece.results if isinstance(outcome, ParseReport)]
    count = len(valid)
    metrics.observe_steps((parsed - start) / count, (computed - parsed) / count, (end - computed) / count)
    metrics.observe_predictions(probabilities, bundle.threshold, [report.missing for report in reports])
    records = []
    for index, report, probability, share in zip(valid, reports, probabilities, shares, strict=True):
        seconds = (end - start) / count
        responses[index], record = _response_and_record(
            model, report, probability, share, texts[index], context, seconds
        )
        records.append(record)
    return responses, records


def predict_probabilities(model: LoadedModel, contents: Iterable[Any], *, derive: bool = False) -> Vector:
    """Probabilities of accidents, float64 (n), in pieces of bounded memory, without log and metrics.

    With `derive` facts are derived as by `predict_batch`.

    Raises:
        InvalidRequestError: some accidents are invalid; their fields are prefixed with `accidents[i].`.
    """
    return np.concatenate(
        [model.bundle.predict(arrays) for arrays in parse_valid(contents, "accidents", derive=derive)]
    )


def _predict_one(
    model: LoadedModel, text: bytes, context: RequestContext, metrics: Metrics, derivation: Derivation
) -> tuple[Content, PredictionRecord, Matrix, ParsedRequest]:
    bundle = model.bundle
    content = parse_json(text)
    start = time.perf_counter()
    request = parse_request(content, derive=derivation.derive, lookups=derivation.lookups)
    parsed = time.perf_counter()
    row = bundle.matrix(request.arrays)
    computed = time.perf_counter()
    probability = float(bundle.predict_proba(row)[0])
    share = float(bundle.share_known(row, request.arrays)[0])
    end = time.perf_counter()
    metrics.observe_steps(parsed - start, computed - parsed, end - computed)
    metrics.observe_predictions([probability], bundle.threshold, [request.missing])
    response, record = _response_and_record(model, request, probability, share, text, context, end - start)
    if context.shadow:
        context.shadow.add((record,), request.arrays)
    return response, record, row, request


def _response_and_record(
    model: LoadedModel,
    report: ParsedRequest | ParseReport,
    probability: float,
    share_known: float,
    text: bytes,
    context: RequestContext,
    seconds: float,
) -> tuple[Content, PredictionRecord]:
    bundle, info = model.bundle, model.info
    prediction, interpretation = classify(probability, bundle.threshold)
    prediction_id = new_prediction_id()
    response = {
        "prediction_id": prediction_id,
        "model": info,
        "level": bundle.level,
        "prediction": prediction,
        "interpretation": interpretation,
        "probability": probability,
        "threshold": bundle.threshold,
        "share_known": share_known,
        "tentative": is_tentative(share_known),
        "missing": report.missing,
        "warnings": report.warnings,
        "derived": [vars(fact) for fact in report.derived],
    }
    record = PredictionRecord(
        id=prediction_id,
        at=datetime.now(UTC),
        request_id=context.request_id,
        route=context.route,
        caller=context.caller,
        model=info["name"],
        version=info["version"],
        model_sha256=model.pointer.digest,
        type=info["type"],
        level=bundle.level,
        probability=probability,
        threshold=bundle.threshold,
        prediction=prediction,
        latency_ms=1000 * seconds,
        missing=len(report.missing),
        content=text,
        derived=report.derived,
    )
    return response, record


def _reason(reason: Reason) -> Content:
    value = None if math.isnan(reason.value) else reason.value
    return {"topic": reason.topic, "text": reason.text, "value": value, "contribution": reason.contribution}
