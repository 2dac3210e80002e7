"""Fit one model with given hyperparameters; calibrate it and choose its threshold on the validation set."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from accidents.bundle import Calibration
from accidents.features.place_encoder import PlaceEncoder
from accidents.models.base import Model, Vector
from accidents.settings import Settings
from accidents.training.calibration import choose_threshold, fit_calibration
from accidents.training.resampling import resample
from accidents.training.training_data import Rows, TrainingData


@dataclass(frozen=True)
class FittedModel:
    """A fitted model with encoder, calibration and decision threshold.

    `validation_probabilities` (float64) are the calibrated probabilities of the validation set before the refit, by
    which the threshold was chosen.
    """

    model: Model[Any]
    encoder: PlaceEncoder | None
    calibration: Calibration
    threshold: float
    validation_probabilities: Vector


def fit_model(
    model_class: type[Model[Any]],
    data: TrainingData,
    training: Rows,
    validation: Rows,
    parameters: Settings,
) -> FittedModel:
    """Fit on the training set; stop early, calibrate and choose the threshold on the validation set.

    If `data.settings.refit`, model and encoder are then fitted on both sets, without early stopping.

    Args:
        model_class: class of the model type.
        data: all accidents, and the settings.
        training: rows of the training set.
        validation: rows of the validation set.
        parameters: hyperparameters.
    """
    settings = data.settings
    model, encoder = fit_rows(model_class, data, training, parameters, validation)
    dataset = data.transform(validation, encoder)
    margin = model.predict_margin(dataset.X, settings.threads)
    fitted_calibration = fit_calibration(margin, dataset.y)
    calibration = fitted_calibration if settings.calibrate else Calibration()
    probabilities = calibration(margin)
    threshold = choose_threshold(probabilities, fitted_calibration(margin), dataset.y, settings.threshold)
    if settings.refit:
        rows = np.union1d(training, validation)
        model, encoder = fit_rows(model_class, data, rows, model.refit_parameters(parameters))
    return FittedModel(model, encoder, calibration, threshold, probabilities)


def fit_rows(
    model_class: type[Model[Any]],
    data: TrainingData,
    rows: Rows,
    parameters: Settings,
    validation: Rows | None = None,
) -> tuple[Model[Any], PlaceEncoder | None]:
    """Fit place encoder and model on `rows`; with the rows of a validation set, stop early on it."""
    settings = data.settings
    encoder, dataset = data.fit_transform(rows)
    model = model_class.fit(
        resample(dataset, settings.resampling, settings.seed),
        None if validation is None else data.transform(validation, encoder),
        parameters=parameters,
        categorical_features=data.categorical_features,
        seed=settings.seed,
        threads=settings.threads,
    )
    return model, encoder
