"""Explanation of one prediction: its strongest reasons, and the waterfall from base value to raw score."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from accidents.bundle import Bundle
from accidents.explanation.topics import KNOWLEDGE, PLACE, describe_value, display_column, feature_topic


@dataclass(frozen=True)
class Reason:
    """A topic and its contribution to a prediction.

    Attributes:
        topic: what the columns behind it are about, such as `light`.
        text: the column of greatest contribution with its value, such as `light: daylight`.
        value: of that column.
        contribution: SHAP values summed over all columns of the topic, in log-odds before calibration or in
            probability, whichever the model type explains; positive values speak for priority.
    """

    topic: str
    text: str
    value: float
    contribution: float

    def __str__(self) -> str:
        """Format as `light: daylight (-0.31)`."""
        return f"{self.text} ({self.contribution:+.2f})"


@dataclass(frozen=True)
class Waterfall:
    """A prediction as a sum: `base_value` plus the contributions of all `reasons` is `raw_score`.

    Attributes:
        base_value: mean output of the model, in `unit`.
        reasons: all topics, the strongest first.
        raw_score: output of the model before calibration, in `unit`.
        unit: `log-odds` or `probability`.
        probability: calibrated probability of priority.
        threshold: decision threshold of the model.
    """

    base_value: float
    reasons: tuple[Reason, ...]
    raw_score: float
    unit: str
    probability: float
    threshold: float


def top_reasons(bundle: Bundle, row: npt.NDArray[np.float32], top: int = 3) -> list[Reason]:
    """Explain the prediction of one accident by its strongest reasons.

    Args:
        bundle: the model.
        row: one row of `bundle.matrix`, float32 (k) or (1, k).
        top: greatest number of reasons.

    Returns:
        The reasons of greatest absolute contribution, the strongest first, without what is known: that is no fact of
        the accident.
    """
    matrix = row.reshape(1, -1)
    reasons = _all_reasons(bundle, bundle.described(matrix)[0], bundle.shap_values(matrix)[0, :-1])
    return [reason for reason in reasons if reason.topic != KNOWLEDGE][:top]


def explain_prediction(bundle: Bundle, row: npt.NDArray[np.float32]) -> Waterfall:
    """Explain the prediction of one accident in full.

    Args:
        bundle: the model.
        row: one row of `bundle.matrix`, float32 (k) or (1, k).
    """
    matrix = np.ascontiguousarray(row.reshape(1, -1))
    contributions = bundle.shap_values(matrix)[0]
    return Waterfall(
        base_value=float(contributions[-1]),
        reasons=tuple(_all_reasons(bundle, bundle.described(matrix)[0], contributions[:-1])),
        raw_score=float(contributions.sum()),
        unit=bundle.shap_unit(matrix),
        probability=float(bundle.predict_proba(matrix)[0]),
        threshold=bundle.threshold,
    )


def _all_reasons(
    bundle: Bundle, values: npt.NDArray[np.float32], contributions: npt.NDArray[np.float64]
) -> list[Reason]:
    positions: dict[str, list[int]] = {}
    for position, column in enumerate(bundle.matrix_columns):
        positions.setdefault(feature_topic(column), []).append(position)
    reasons = [_reason(topic, bundle.matrix_columns, values, contributions, own) for topic, own in positions.items()]
    return sorted(reasons, key=lambda reason: -abs(reason.contribution))


def _reason(
    topic: str,
    columns: tuple[str, ...],
    values: npt.NDArray[np.float32],
    contributions: npt.NDArray[np.float64],
    positions: list[int],
) -> Reason:
    total = float(contributions[positions].sum())
    if topic == PLACE:  # a known place speaks for the unknown ones in it
        positions = [position for position in positions if not np.isnan(values[position])] or positions
    strongest = columns[max(positions, key=lambda position: contributions[position] * np.sign(total))]
    shown = display_column(strongest) if display_column(strongest) in columns else strongest
    value = float(values[columns.index(shown)])
    return Reason(topic, describe_value(shown, value), value, total)
