"""Figures of the benchmark of partial knowledge, from answers."""

import numpy as np
import pytest

from benchmarks.partial_knowledge import Answers, _difference, _figures

_RNG = np.random.default_rng(0)
_LABELS = (_RNG.random(2000) < 0.35).astype(np.int8)
_NOISE = _RNG.normal(size=len(_LABELS))


def _answers(strength: float) -> Answers:
    """Answers that know the label the better, the greater the strength; with the same noise."""
    return Answers(_LABELS, 1 / (1 + np.exp(-(strength * (_LABELS - 0.5) + _NOISE))), 0.5, 1.0)


def test_the_interval_of_a_difference_is_paired() -> None:
    better, own = _answers(1.6), _answers(1.5)
    gain = _figures(better)["roc_auc"] - _figures(own)["roc_auc"]
    low, high = _difference(better, own).values()
    assert 0 < low < gain < high
    width = _figures(own)["high"] - _figures(own)["low"]
    assert high - low < width / 4, "resampled together, what both have in common cancels"


def test_a_model_does_not_differ_from_itself() -> None:
    assert [*_difference(_answers(1.0), _answers(1.0)).values()] == pytest.approx([0, 0])
