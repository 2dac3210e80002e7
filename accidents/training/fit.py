"""Fitting one model with given hyperparameters, and what the validation part decides about it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from accidents.bundle import Calibration
from accidents.configuration.base import Settings
from accidents.configuration.training import TrainingSettings
from accidents.features.place_encoder import PlaceEncoder
from accidents.models.base import Model, Vector
from accidents.training.calibration import calibrate, choose_threshold
from accidents.training.examples import Examples, Rows
from accidents.training.resampling import resample


@dataclass(frozen=True)
class Fitted:
    """A model with what was learned and chosen around it.

    `validated` are the probabilities of the validation part, float64, from the model that had not seen it, by which
    calibration and threshold were chosen.
    """

    model: Model[Any]
    encoder: PlaceEncoder | None
    calibration: Calibration
    threshold: float
    validated: Vector


def fit(
    model_class: type[Model[Any]],
    examples: Examples,
    training: Rows,
    validation: Rows,
    parameters: Settings,
    settings: TrainingSettings,
) -> Fitted:
    """Learn from `training`; stop, calibrate and set the threshold on `validation`.

    With `settings.refit`, model and encoder are then learned again from both, with as many trees as were found best.
    """

    def learn(rows: Rows, held_out: Rows | None, chosen: Settings) -> tuple[Model[Any], PlaceEncoder | None]:
        encoder, sample = examples.learn(rows)
        model = model_class.fit(
            resample(sample, settings.resampling, settings.seed),
            None if held_out is None else examples.apply(held_out, encoder),
            parameters=chosen,
            categories=examples.categories,
            seed=settings.seed,
            threads=settings.threads,
        )
        return model, encoder

    model, encoder = learn(training, validation, parameters)
    seen = examples.apply(validation, encoder)
    margin = model.predict_margin(seen.X, settings.threads)
    curve = calibrate(margin, seen.y)
    calibration = curve if settings.calibrate else Calibration()
    validated = calibration(margin)
    threshold = choose_threshold(validated, curve(margin), seen.y, settings.threshold)
    if settings.refit:
        model, encoder = learn(np.union1d(training, validation), None, model.refit_parameters(parameters))
    return Fitted(model, encoder, calibration, threshold, validated)
