"""The answer for one accident: what the model sees of it, what it says, and why.

Batch scoring takes its matrices from here, too, so that an accident has one probability whichever way it comes.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from accidents.bundle import Bundle
from accidents.errors import ModelError
from accidents.explanation.reasons import Reason, top_reasons
from accidents.features import names
from accidents.features.arrays import Arrays
from accidents.features.catalogue import FEATURES
from accidents.features.compute import compute, place_keys
from accidents.models.base import Matrix
from accidents.requests import ParsedRequest
from accidents.tables import INTERPRETATIONS


@dataclass(frozen=True)
class Answer:
    """What a model says about one accident.

    `prediction` is 1 where `probability` reaches `threshold`, and `interpretation` says it in words. `reasons` are the
    strongest ones; their contributions are in `unit`, `log-odds` before calibration or `probability`. `missing` names
    inputs that were not given, `warnings` what was given and could not be used as it stands.
    """

    prediction: int
    interpretation: str
    probability: float
    threshold: float
    reasons: tuple[Reason, ...]
    unit: str
    missing: tuple[str, ...]
    warnings: tuple[str, ...]


def answer(bundle: Bundle, request: ParsedRequest, *, reasons: int = 3) -> Answer:
    """Predict one accident.

    Args:
        bundle: the model.
        request: the accident.
        reasons: how many of the strongest reasons to work out; 0 for none, which is much faster.

    Raises:
        ModelError: the model was trained on other features than there are.
    """
    row = matrix(bundle, request.arrays)
    probability = float(bundle.probability(row)[0])
    prediction = int(probability >= bundle.threshold)
    return Answer(
        prediction=prediction,
        interpretation=INTERPRETATIONS[prediction],
        probability=probability,
        threshold=bundle.threshold,
        reasons=tuple(top_reasons(bundle, row, reasons)) if reasons else (),
        unit=bundle.model.EXPLAINED,
        missing=tuple(request.missing),
        warnings=tuple(request.warnings),
    )


def matrix(bundle: Bundle, arrays: Arrays) -> Matrix:
    """What the model sees of accidents in arrays, float32 (n, len(bundle.columns)), as `Bundle.matrix` of a frame.

    Raises:
        ModelError: the model was trained on other features than there are.
    """
    positions = _positions(bundle.level, bundle.geography, bundle.columns)
    features = compute(arrays).take(positions, axis=1)
    if bundle.encoder is None:
        return features
    return np.concatenate([features, bundle.encoder.transform(place_keys(arrays))], axis=1)


@cache
def _positions(level: str, geography: bool, columns: tuple[str, ...]) -> np.ndarray:
    """Where the columns of a model that are no encoded places stand among all features."""
    if tuple(names(level, geography)) != columns:
        changed = ", ".join(sorted({*names(level, geography)} ^ {*columns})) or "their order"
        raise ModelError(f"the model was trained on other features ({changed}): train it again")
    position = {feature.name: place for place, feature in enumerate(FEATURES)}
    return np.array([position[name] for name in names(level, geography=False)])
