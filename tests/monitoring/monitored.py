"""A small model with the reference of its training, for the tests of monitoring."""

from dataclasses import replace
from functools import cache

import numpy as np

from accidents.bundle import Bundle
from accidents.monitoring.monitor import Window
from accidents.monitoring.reference import build_reference
from accidents.monitoring.windows import window_of_accidents
from tests.trained import small_models, small_year


@cache
def monitored_model() -> Bundle:
    """A small LightGBM model of the small year, with its reference."""
    trained = small_models()["lightgbm"].trained
    return replace(trained.bundle, reference=build_reference(small_year()[0], trained.predictions, "call"))


@cache
def whole_window() -> Window:
    """The small year itself as a window; outcomes are those of the test set."""
    return window_of_accidents(small_year()[0], monitored_model())


def resampled(count: int, seed: int = 0) -> Window:
    """Accidents of the small year, drawn without replacement."""
    return taken(whole_window(), np.random.default_rng(seed).permutation(len(whole_window().days))[:count])


def held_out(times: int = 1) -> Window:
    """The accidents of the test set, each several times."""
    return taken(whole_window(), np.repeat(np.flatnonzero(np.isfinite(whole_window().labels)), times))


def taken(window: Window, rows: np.ndarray) -> Window:
    """Some accidents of a window."""
    return Window(window.arrays.take(rows), window.probability[rows], window.labels[rows], window.days[rows])
