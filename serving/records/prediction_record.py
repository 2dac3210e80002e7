"""A logged prediction, and its id: a UUIDv7, which begins with the time, so that rows are appended in order."""

import os
import re
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accidents.requests.derived_facts import DerivedFact

_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62
_RANDOM_A = 0xFFF << 64
_RANDOM_B = (1 << 62) - 1
_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@dataclass(slots=True)
class PredictionRecord:
    """One prediction as it is logged.

    Attributes:
        id: `new_prediction_id()`.
        at: time of the prediction, with a time zone, in UTC.
        caller: id of the API key, or `ANONYMOUS`.
        model_sha256: SHA-256 of the model file.
        missing: number of inputs that were not given.
        content: the accident in either form, accepted by `accidents.requests.parse_request`: as JSON text, which takes
            less memory, or parsed; it must not change afterwards.
        derived: facts that were derived from it.
    """

    id: str
    at: datetime
    request_id: str
    route: str
    caller: str
    model: str
    version: str
    model_sha256: str
    type: str
    level: str
    probability: float
    threshold: float
    prediction: int
    latency_ms: float
    missing: int
    content: Any
    derived: tuple[DerivedFact, ...] = ()


def new_prediction_id() -> str:
    """A UUIDv7 of 36 characters: milliseconds since 1970, then 74 random bits."""
    random = int.from_bytes(os.urandom(10), "big")
    number = time.time_ns() // 1_000_000 << 80 | _VERSION | (random & _RANDOM_A) | _VARIANT | (random & _RANDOM_B)
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def created_at(prediction_id: str) -> float | None:
    """Unix time at which an id was created; None for text that `new_prediction_id` does not return.

    Examples:
        >>> created_at("019314c6-0000-7000-8000-000000000000")
        1731220340.736
        >>> created_at("unknown")
    """
    if _UUID7.fullmatch(prediction_id) is None:
        return None
    return int(prediction_id[:13].replace("-", ""), 16) / 1000
