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
    """The small year itself as a window; every accident counts as held out, so that there are enough outcomes."""
    accidents, features = small_year()
    labels = accidents.accidents["priority"].to_numpy(np.float64)
    window = window_of_accidents(accidents, monitored_model())
    probability = monitored_model().predict(features)
    return replace(window, probability=probability, labels=np.where(labels < 0, np.nan, labels))


def resampled(count: int, seed: int = 0) -> Window:
    """Accidents of the small year, drawn with replacement."""
    return taken(whole_window(), np.sort(np.random.default_rng(seed).integers(len(whole_window().days), size=count)))


def taken(window: Window, rows: np.ndarray) -> Window:
    """Some accidents of a window."""
    return Window(window.arrays.take(rows), window.probability[rows], window.labels[rows], window.days[rows])
