"""Comparison of the model that answers with a shadow model, on the accidents of live requests."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from accidents.configuration.evaluation import EvaluationSettings
from accidents.evaluation.bootstrap import confidence_interval
from accidents.evaluation.evaluate import paired_differences
from accidents.evaluation.results import Interval, MetricDifference

Floats = npt.NDArray[np.float64]

MIN_OUTCOMES = 50
"""Accidents with a known outcome, and of each outcome a tenth of them, below which no model is called better."""

_JUDGED = "brier"
_QUANTILES = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class LiveComparison:
    """How two models have answered for the same accidents.

    Attributes:
        accidents: number of accidents.
        agreement: share of accidents for which both predict the same class, with its interval.
        only_shadow: share of accidents that the shadow model alone predicts priority.
        only_answer: share of accidents that the answering model alone predicts priority.
        shift: mean probability of the shadow model minus that of the answers, with its interval.
        mean_difference: mean absolute difference of the probabilities.
        quantiles: 5, 50 and 95 percent quantile of the difference, shadow minus answer.
        outcomes: number of accidents whose outcome is known.
        differences: metrics on those, shadow minus answer, with paired bootstrap intervals; empty without outcomes of
            both classes.
        better: `shadow` or `answer`, where the interval of the Brier score leaves out 0; `neither` where it does not;
            `unknown` with too few outcomes.
    """

    accidents: int
    agreement: float
    agreement_interval: Interval | None
    only_shadow: float
    only_answer: float
    shift: float
    shift_interval: Interval | None
    mean_difference: float
    quantiles: tuple[float, ...]
    outcomes: int
    differences: Mapping[str, MetricDifference]
    better: str

    def as_dict(self) -> dict[str, Any]:
        """All figures, ready for JSON."""
        return asdict(self) | {"differences": {name: one.model_dump() for name, one in self.differences.items()}}

    def conclusion(self) -> str:
        """One sentence: which of the two was better, as far as outcomes tell."""
        if self.better == "unknown":
            return f"{self.outcomes:,} outcomes do not tell which was better: it takes {MIN_OUTCOMES}, of both kinds."
        brier = self.differences[_JUDGED]
        low, high = brier.interval or (np.nan, np.nan)
        change = f"Brier score {brier.value:+.4f} ({low:+.4f} to {high:+.4f}) against that of the answers"
        verdict = {
            "shadow": "The shadow model was better",
            "answer": "The answering model was better",
            "neither": "Neither was significantly better",
        }[self.better]
        return f"{verdict}: {change}, {self.outcomes:,} outcomes."


def compare_live(
    answers: Floats,
    shadows: Floats,
    thresholds: tuple[Floats, Floats],
    outcomes: Floats,
    settings: EvaluationSettings,
) -> LiveComparison:
    """Compare two models by their answers for the same accidents.

    Args:
        answers: probabilities of the model that answered, float64 (n), n >= 1.
        shadows: those of the shadow model, in the same order.
        thresholds: decision thresholds of both, float64 (n) each.
        outcomes: 1 priority, 0 not, NaN where it is not known, float64 (n).
        settings: resamples, confidence, bins and seed.
    """
    predicted, shadow_predicted = answers >= thresholds[0], shadows >= thresholds[1]
    agrees, difference = (predicted == shadow_predicted).astype(float), shadows - answers
    known = np.isfinite(outcomes)
    labels = outcomes[known].astype(np.int8)
    differences = {}
    if len(np.unique(labels)) == 2:
        pair = ((shadows[known], float(thresholds[1][-1])), (answers[known], float(thresholds[0][-1])))
        differences = paired_differences(labels, *pair, settings=settings)
    return LiveComparison(
        accidents=len(answers),
        agreement=float(agrees.mean()),
        agreement_interval=_mean_interval(agrees, settings, lowest=0.0),
        only_shadow=float((shadow_predicted & ~predicted).mean()),
        only_answer=float((predicted & ~shadow_predicted).mean()),
        shift=float(difference.mean()),
        shift_interval=_mean_interval(difference, settings, lowest=-1.0),
        mean_difference=float(np.abs(difference).mean()),
        quantiles=tuple(np.quantile(difference, _QUANTILES).tolist()),
        outcomes=len(labels),
        differences=differences,
        better=_better(labels, differences),
    )


def _better(labels: npt.NDArray[np.int8], differences: Mapping[str, MetricDifference]) -> str:
    interval = differences[_JUDGED].interval if differences else None
    rarest = min(int(labels.sum()), int(len(labels) - labels.sum()))
    if interval is None or len(labels) < MIN_OUTCOMES or rarest < MIN_OUTCOMES // 10:
        return "unknown"
    low, high = interval
    return "shadow" if high < 0 else "answer" if low > 0 else "neither"


def _mean_interval(values: Floats, settings: EvaluationSettings, *, lowest: float) -> Interval | None:
    """Percentile bootstrap interval of a mean."""
    generator = np.random.default_rng(settings.seed)
    means = [values[generator.integers(0, len(values), len(values))].mean() for _ in range(settings.resamples)]
    return confidence_interval(float(values.mean()), np.array(means), settings.confidence, lowest=lowest)
