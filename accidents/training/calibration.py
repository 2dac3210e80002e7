"""Calibration and decision threshold, both chosen on the validation set."""

import numpy as np
import numpy.typing as npt

from accidents.bundle import Calibration
from accidents.configuration.training import ThresholdRule
from accidents.models.base import Vector


def fit_calibration(margin: Vector, y: npt.NDArray[np.int8]) -> Calibration:
    """Fit beta calibration to log-odds; the curve rises, so that the ranking stays.

    If a fitted slope is negative, Platt scaling is used instead, which has one slope; if that is negative too, which
    takes a model without any skill, the log-odds are left as they are.

    Args:
        margin: float64 (n), log-odds of the model.
        y: int8 (n), labels.
    """
    from sklearn.linear_model import LogisticRegression

    regression = LogisticRegression(C=np.inf).fit(np.column_stack(Calibration.terms(margin)), y)
    low, high = (float(slope) for slope in regression.coef_[0])
    if min(low, high) < 0:
        regression = LogisticRegression(C=np.inf).fit(margin[:, None], y)
        low = high = float(regression.coef_[0, 0])
    return Calibration(low, high, float(regression.intercept_[0])) if min(low, high) >= 0 else Calibration()


def choose_threshold(probability: Vector, calibrated: Vector, y: npt.NDArray[np.int8], rule: ThresholdRule) -> float:
    """Choose the decision threshold by a rule; an accident is priority if its probability is at least that.

    Recall and precision are those of the labels. The F1 is the expected one under the calibrated probabilities: the F1
    of a few thousand labels has its peak somewhere on a ragged plateau, and a threshold from there costs up to .003 of
    F1 on other accidents. Of equally good thresholds the highest is chosen; where none reaches the required precision,
    that of the greatest precision.

    Args:
        probability: float64 (n), the probabilities that the threshold will be compared with.
        calibrated: float64 (n), calibrated probabilities of the same accidents, ranked alike.
        y: int8 (n), labels.
        rule: best F1, or a required recall or precision.
    """
    from sklearn.metrics import precision_recall_curve

    if rule.best is not None:
        ranking = np.argsort(-probability, kind="stable")
        expected = np.cumsum(calibrated[ranking])
        f1 = 2 * expected / (np.arange(1, len(ranking) + 1) + expected[-1])
        return float(probability[ranking[np.argmax(f1)]])
    precision, recall, thresholds = precision_recall_curve(y, probability)
    precision, recall = precision[:-1], recall[:-1]
    if rule.recall_at_least is not None:
        score = np.where(recall >= rule.recall_at_least, precision, -1.0)
    else:
        required = min(rule.precision_at_least or 0.0, precision.max())
        score = np.where(precision >= required, recall, -1.0)
    best = len(score) - 1 - int(np.argmax(score[::-1]))
    return float(thresholds[best])
