"""From margins to decisions: calibration and threshold, both chosen on the validation part."""

import numpy as np
import numpy.typing as npt

from accidents.bundle import Calibration
from accidents.configuration.training import ThresholdRule
from accidents.models.base import Vector


def calibrate(margin: Vector, y: npt.NDArray[np.int8]) -> Calibration:
    """Fit a logistic curve to the margins (Platt, 1999). It rises, so that no ranking changes.

    Where the fitted curve would fall, which takes a model without any skill, margins are left as they are.
    """
    from sklearn.linear_model import LogisticRegression

    curve = LogisticRegression(C=np.inf).fit(margin[:, None], y)
    slope = float(curve.coef_[0, 0])
    return Calibration(slope, float(curve.intercept_[0])) if slope > 0 else Calibration()


def choose_threshold(probability: Vector, y: npt.NDArray[np.int8], rule: ThresholdRule) -> float:
    """Find the threshold that `rule` asks for; an accident is priority if its probability is at least that.

    Of equally good thresholds the highest is taken. Where no threshold reaches the required precision, it is the one
    of greatest precision.
    """
    from sklearn.metrics import precision_recall_curve

    precision, recall, thresholds = precision_recall_curve(y, probability)
    precision, recall = precision[:-1], recall[:-1]
    if rule.recall_at_least is not None:
        merit = np.where(recall >= rule.recall_at_least, precision, -1.0)
    elif rule.precision_at_least is not None:
        enough = precision >= min(rule.precision_at_least, precision.max())
        merit = np.where(enough, recall, -1.0)
    else:
        merit = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    best = len(merit) - 1 - int(np.argmax(merit[::-1]))
    return float(thresholds[best])
