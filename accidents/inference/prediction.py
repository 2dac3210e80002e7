"""The prediction for one accident, with its reasons."""

from dataclasses import dataclass

from accidents.bundle import Bundle
from accidents.explanation.reasons import Reason, top_reasons
from accidents.requests import ParsedRequest
from accidents.tables import INTERPRETATIONS


@dataclass(frozen=True)
class Prediction:
    """A model's prediction for one accident.

    `prediction` is 1 where `probability` reaches `threshold`, and `interpretation` is its name. `reasons` are the
    strongest ones; their contributions are in `unit`, `log-odds` before calibration or `probability`. `missing` names
    inputs that were not given, `warnings` those that could not be used as given.
    """

    prediction: int
    interpretation: str
    probability: float
    threshold: float
    reasons: tuple[Reason, ...]
    unit: str
    missing: tuple[str, ...]
    warnings: tuple[str, ...]


def predict_accident(bundle: Bundle, request: ParsedRequest, *, reasons: int = 3) -> Prediction:
    """Predict one accident.

    Args:
        bundle: the model.
        request: the accident.
        reasons: number of strongest reasons to work out; 0 for none, which is much faster.
    """
    row = bundle.matrix(request.arrays)
    probability = float(bundle.predict_proba(row)[0])
    prediction = int(probability >= bundle.threshold)
    return Prediction(
        prediction=prediction,
        interpretation=INTERPRETATIONS[prediction],
        probability=probability,
        threshold=bundle.threshold,
        reasons=tuple(top_reasons(bundle, row, reasons)) if reasons else (),
        unit=bundle.model.SHAP_UNIT,
        missing=tuple(request.missing),
        warnings=tuple(request.warnings),
    )
