"""From margins to decisions: calibration and threshold, both chosen on the validation part."""

import numpy as np
import numpy.typing as npt

from accidents.bundle import Calibration
from accidents.configuration.training import ThresholdRule
from accidents.models.base import Vector


def calibrate(margin: Vector, y: npt.NDArray[np.int8]) -> Calibration:
    """Fit the curve of beta calibration to the margins. It rises, so that no ranking changes.

    Where one end of the fitted curve would fall, Platt's curve is taken, which has the same slope at both ends; where
    that falls too, which takes a model without any skill, margins are left as they are.
    """
    from sklearn.linear_model import LogisticRegression

    curve = LogisticRegression(C=np.inf).fit(np.column_stack(Calibration.terms(margin)), y)
    low, high = (float(slope) for slope in curve.coef_[0])
    if min(low, high) < 0:
        curve = LogisticRegression(C=np.inf).fit(margin[:, None], y)
        low = high = float(curve.coef_[0, 0])
    return Calibration(low, high, float(curve.intercept_[0])) if min(low, high) >= 0 else Calibration()


def choose_threshold(probability: Vector, chance: Vector, y: npt.NDArray[np.int8], rule: ThresholdRule) -> float:
    """Find the threshold that `rule` asks for; an accident is priority if its probability is at least that.

    A required recall or precision holds for the labels of these accidents; the best F1 is that expected under
    `chance`. The F1 of a few thousand labels has its peak somewhere on a ragged plateau, and a threshold from there
    costs up to .003 of F1 on other accidents. Of equally good thresholds the highest is taken; where none reaches the
    required precision, it is the one of greatest precision.

    Args:
        probability: float64 (n), what the threshold will be compared with.
        chance: float64 (n), calibrated probabilities of the same accidents, in the same order of rank.
        y: int8 (n), their labels.
        rule: what is wanted.
    """
    from sklearn.metrics import precision_recall_curve

    if rule.best is not None:
        ranked = np.argsort(-probability, kind="stable")
        expected = np.cumsum(chance[ranked])
        f1 = 2 * expected / (np.arange(1, len(ranked) + 1) + expected[-1])
        return float(probability[ranked[np.argmax(f1)]])
    precision, recall, thresholds = precision_recall_curve(y, probability)
    precision, recall = precision[:-1], recall[:-1]
    if rule.recall_at_least is not None:
        merit = np.where(recall >= rule.recall_at_least, precision, -1.0)
    else:
        required = min(rule.precision_at_least or 0.0, precision.max())
        merit = np.where(precision >= required, recall, -1.0)
    best = len(merit) - 1 - int(np.argmax(merit[::-1]))
    return float(thresholds[best])
