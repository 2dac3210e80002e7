"""Fit one model with given hyperparameters; calibrate it and choose its threshold on the validation set."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from accidents.bundle import Calibration
from accidents.features.place_encoder import PlaceEncoder
from accidents.models.base import Model, Vector
from accidents.settings import Settings
from accidents.training.calibration import choose_threshold, fit_calibration, fit_knowledge_calibration
from accidents.training.resampling import resample
from accidents.training.training_data import Rows, TrainingData

_CALIBRATION_MASKS = 8  # of each validation accident


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

    The threshold is that of whole accidents: under calibrated probabilities one threshold is one weighing of false
    alarms against missed accidents, whatever is known.

    If `data.settings.refit`, model and encoder are then fitted on both sets, without early stopping.

    Args:
        model_class: class of the model type.
        data: all accidents, and the settings.
        training: rows of the training set.
        validation: rows of the validation set.
        parameters: hyperparameters.
    """
    settings = data.settings

    def fit(rows: Rows, validation: Rows | None, parameters: Settings) -> tuple[Model[Any], PlaceEncoder | None]:
        encoder, dataset = data.fit_transform(rows)
        model = model_class.fit(
            resample(dataset, settings.resampling, settings.seed),
            None if validation is None else data.transform(validation, encoder, masks=1),
            parameters=parameters,
            categorical_features=data.categorical_features,
            seed=settings.seed,
            threads=settings.threads,
        )
        return model, encoder

    model, encoder = fit(training, validation, parameters)
    dataset = data.transform(validation, encoder, masks=_CALIBRATION_MASKS)
    margin = model.predict_margin(dataset.X, settings.threads)
    whole = slice(len(validation))
    margin_of_whole, y = margin[whole], dataset.y[whole]
    fitted_calibration = fit_calibration(margin_of_whole, y)
    if columns := data.knowledge_columns:
        known = dataset.X[:, [data.columns.index(name) for name in columns]]
        fitted_calibration = fit_knowledge_calibration(margin, known, columns, dataset.y)
    calibration = fitted_calibration if settings.calibrate else Calibration()
    probabilities = calibration(margin_of_whole)
    threshold = choose_threshold(probabilities, fitted_calibration(margin_of_whole), y, settings.threshold)
    if settings.refit:
        model, encoder = fit(np.union1d(training, validation), None, model.refit_parameters(parameters))
    return FittedModel(model, encoder, calibration, threshold, probabilities)
