"""Prediction for one accident, with reasons."""

from dataclasses import dataclass

from accidents.bundle import Bundle
from accidents.explanation.reasons import Reason, top_reasons
from accidents.knowledge.next_questions import NextQuestion, next_questions
from accidents.requests import ParsedRequest
from accidents.requests.derived_facts import DerivedFact
from accidents.tables import classify

LITTLE_KNOWN = 0.5


def is_tentative(share_known: float) -> bool:
    """Whether so little of what usually decides is known that a prediction is tentative."""
    return share_known < LITTLE_KNOWN


@dataclass(frozen=True)
class Prediction:
    """A model's prediction for one accident.

    Attributes:
        prediction: 1 where `probability` reaches `threshold`, else 0.
        interpretation: name of the predicted class.
        probability: calibrated probability of priority.
        threshold: decision threshold.
        share_known: share of what usually decides that is known, 0 to 1.
        reasons: the strongest reasons.
        unit: unit of their contributions, `log-odds` (before calibration) or `probability`.
        missing: inputs that were not given, such as `accident.lum`.
        warnings: inputs that could not be used as given.
        derived: inputs that were not given and follow from others.
        questions: unknown facts most worth asking for, the best first; None if the model cannot rank them.
    """

    prediction: int
    interpretation: str
    probability: float
    threshold: float
    share_known: float
    reasons: tuple[Reason, ...]
    unit: str
    missing: tuple[str, ...]
    warnings: tuple[str, ...]
    derived: tuple[DerivedFact, ...]
    questions: tuple[NextQuestion, ...] | None = ()


def predict_accident(bundle: Bundle, request: ParsedRequest, *, reasons: int = 3, ask: int = 0) -> Prediction:
    """Predict one accident.

    Args:
        bundle: the model.
        request: the parsed accident.
        reasons: number of the strongest reasons; 0 for none, which is much faster.
        ask: number of questions.
    """
    row = bundle.matrix(request.arrays)
    probability = float(bundle.predict_proba(row)[0])
    prediction, interpretation = classify(probability, bundle.threshold)
    questions = next_questions(bundle, request, ask) if ask else ()
    return Prediction(
        prediction=prediction,
        interpretation=interpretation,
        probability=probability,
        threshold=bundle.threshold,
        share_known=float(bundle.share_known(row, request.arrays)[0]),
        reasons=tuple(top_reasons(bundle, row, reasons)) if reasons else (),
        unit=bundle.shap_unit(row),
        missing=tuple(request.missing),
        warnings=tuple(request.warnings),
        derived=request.derived,
        questions=None if questions is None else tuple(questions),
    )
