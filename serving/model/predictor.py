"""From the content of a request to an answer and its entry in the log, for one accident or many; knows no HTTP."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from accidents.explanation.reasons import Reason, explain_prediction, top_reasons
from accidents.inference.prediction import matrix
from accidents.models.base import Matrix, Vector
from accidents.requests import FieldProblem, InvalidRequestError, ParsedRequest, ParseReport, parse_batch, parse_request
from accidents.tables import INTERPRETATIONS
from serving.http.errors import told
from serving.model.model_loader import Served
from serving.observability.metrics import Metrics
from serving.records.prediction_ids import new_id
from serving.records.prediction_log import Entry

INVALID = "invalid_accident"
REFUSED = "the accident cannot be used; correct these fields or leave them out"

Answer = dict[str, Any]
"""What a caller is told, ready for JSON."""


@dataclass(frozen=True)
class Asked:
    """By whom and how something was asked."""

    request_id: str
    route: str
    caller: str


def predict(served: Served, content: Any, asked: Asked, metrics: Metrics, *, top: int = 0) -> tuple[Answer, Entry]:
    """Answer for one accident.

    Args:
        served: the model.
        content: the accident, as JSON gives it.
        asked: for the log.
        metrics: what is counted.
        top: how many of the strongest reasons are wanted.

    Raises:
        RefusedError: the accident cannot be used.
    """
    answer, entry, row = _predicted(served, content, asked, metrics)
    if top:
        answer["reasons"] = [_reason(reason) for reason in top_reasons(served.bundle, row, top)]
        answer["unit"] = served.bundle.model.EXPLAINED
    return answer, entry


def explain(served: Served, content: Any, asked: Asked, metrics: Metrics) -> tuple[Answer, Entry]:
    """Answer for one accident, with everything that moved the model.

    Raises:
        RefusedError: the accident cannot be used.
    """
    answer, entry, row = _predicted(served, content, asked, metrics)
    found = explain_prediction(served.bundle, row)
    answer["reasons"] = [_reason(reason) for reason in found.reasons]
    answer |= {"average": found.base_value, "said": found.raw_score, "unit": found.unit}
    return answer, entry


def predict_many(
    served: Served, contents: Sequence[Any], asked: Asked, metrics: Metrics
) -> tuple[list[Answer], list[Entry]]:
    """Answer for many accidents at once, each with a prediction or with an error of its own, in their order."""
    bundle = served.bundle
    start = time.perf_counter()
    requests = parse_batch(contents)
    good = [place for place, outcome in enumerate(requests.outcomes) if isinstance(outcome, ParseReport)]
    answers = [
        {} if isinstance(outcome, ParseReport) else {"error": told(INVALID, REFUSED, outcome.problems)}
        for outcome in requests.outcomes
    ]
    if len(good) < len(contents):
        metrics.invalid(len(contents) - len(good))
    if not good:
        return answers, []
    read = time.perf_counter()
    rows = matrix(bundle, requests.arrays)
    seen = time.perf_counter()
    probabilities = bundle.probability(rows).tolist()
    end = time.perf_counter()
    noted = [note for note in requests.outcomes if isinstance(note, ParseReport)]
    metrics.steps((read - start) / len(good), (seen - read) / len(good), (end - seen) / len(good))
    metrics.predicted(probabilities, bundle.threshold, [notes.missing for notes in noted])
    entries = []
    each = (end - start) / len(good)
    for place, notes, probability in zip(good, noted, probabilities, strict=True):
        answers[place], entry = _answer(served, notes, probability, contents[place], asked, each)
        entries.append(entry)
    return answers, entries


def probabilities_of(served: Served, contents: Sequence[Any]) -> Vector:
    """Probabilities of accidents, float64 (n), of which nothing is logged.

    Raises:
        RefusedError: one of them cannot be used; its fields are named with the position of the accident.
    """
    requests = parse_batch(contents)
    problems = [
        FieldProblem(f"accidents[{place}].{problem.field}", problem.value, problem.reason)
        for place, outcome in enumerate(requests.outcomes)
        if isinstance(outcome, InvalidRequestError)
        for problem in outcome.problems
    ]
    if problems:
        raise InvalidRequestError(problems)
    return served.bundle.probability(matrix(served.bundle, requests.arrays))


def _predicted(served: Served, content: Any, asked: Asked, metrics: Metrics) -> tuple[Answer, Entry, Matrix]:
    bundle = served.bundle
    start = time.perf_counter()
    request = parse_request(content)
    read = time.perf_counter()
    row = matrix(bundle, request.arrays)
    seen = time.perf_counter()
    probability = float(bundle.probability(row)[0])
    end = time.perf_counter()
    metrics.steps(read - start, seen - read, end - seen)
    metrics.predicted([probability], bundle.threshold, [request.missing])
    return *_answer(served, request, probability, content, asked, end - start), row


def _answer(
    served: Served, noted: ParsedRequest | ParseReport, probability: float, content: Any, asked: Asked, seconds: float
) -> tuple[Answer, Entry]:
    bundle, called = served.bundle, served.called
    prediction = int(probability >= bundle.threshold)
    identifier = new_id()
    answer = {
        "prediction_id": identifier,
        "model": called,
        "level": bundle.level,
        "prediction": prediction,
        "interpretation": INTERPRETATIONS[prediction],
        "probability": probability,
        "threshold": bundle.threshold,
        "missing": noted.missing,
        "warnings": noted.warnings,
    }
    entry = Entry(
        id=identifier,
        at=datetime.now(UTC),
        request_id=asked.request_id,
        route=asked.route,
        caller=asked.caller,
        model=called["name"],
        version=called["version"],
        type=called["type"],
        level=bundle.level,
        probability=probability,
        threshold=bundle.threshold,
        prediction=prediction,
        latency_ms=1000 * seconds,
        missing=len(noted.missing),
        content=content,
    )
    return answer, entry


def _reason(reason: Reason) -> Answer:
    value = None if math.isnan(reason.value) else reason.value
    return {"topic": reason.topic, "text": reason.text, "value": value, "contribution": reason.contribution}
