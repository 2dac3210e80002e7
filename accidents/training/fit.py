"""Fit one model with given hyperparameters; calibrate it and choose its threshold on the validation set."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from accidents.bundle import Calibration
from accidents.bundle.partial_model import PartialModel
from accidents.features.place_encoder import PlaceEncoder
from accidents.memory import release_memory
from accidents.models._booster import Booster
from accidents.models.base import Dataset, Model, Vector
from accidents.settings import Settings
from accidents.training.calibration import choose_threshold, fit_calibration
from accidents.training.joint_fit import fit_on
from accidents.training.partial_fit import TIMES, TIMES_OF_BOOSTERS, fit_partial_model
from accidents.training.resampling import resample
from accidents.training.training_data import Rows, TrainingData


@dataclass(frozen=True)
class FittedModel:
    """A fitted model with encoder, calibration, decision threshold, and what answers where not everything is known.

    `validation_probabilities` (float64) are the calibrated probabilities of the validation set before the refit, by
    which the threshold was chosen.
    """

    model: Model[Any]
    encoder: PlaceEncoder | None
    calibration: Calibration
    threshold: float
    validation_probabilities: Vector
    partial: PartialModel | None


def fit_model(
    model_class: type[Model[Any]],
    data: TrainingData,
    training: Rows,
    validation: Rows,
    parameters: Settings,
) -> FittedModel:
    """Fit on the training set; stop early, calibrate and choose the threshold on the validation set.

    With `data.arrays`, what answers where not everything is known learns from this model. If `data.settings.refit`,
    model and encoder are then fitted on both sets, without early stopping.

    Args:
        model_class: class of the model type.
        data: all accidents, and the settings.
        training: rows of the training set.
        validation: rows of the validation set.
        parameters: hyperparameters.
    """
    settings = data.settings
    masked = None
    if data.arrays is None:
        encoder, whole = data.fit_transform(training)
    else:
        encoder, whole, masked = data.fit_transform_masked(training, data.arrays, _times(model_class))
    dataset = data.transform(validation, encoder)
    model = _fit(model_class, data, whole, dataset, parameters)
    y, margin = dataset.y, model.predict_margin(dataset.X, settings.threads)
    del dataset
    fitted_calibration = fit_calibration(margin, y)
    calibration = fitted_calibration if settings.calibrate else Calibration()
    probabilities = calibration(margin)
    threshold = choose_threshold(probabilities, fitted_calibration(margin), y, settings.threshold)
    partial = None
    if data.arrays is not None and masked is not None:
        margins = model.predict_margin(whole.X, settings.threads), margin
        partial = fit_partial_model(model, encoder, data, masked, margins, data.arrays.take(validation), probabilities)
    del whole, masked  # memory for the refit
    if settings.refit:
        rows = np.union1d(training, validation)
        model, encoder = fit_rows(model_class, data, rows, model.refit_parameters(parameters))
    return FittedModel(model, encoder, calibration, threshold, probabilities, partial)


def fit_partial(
    model_class: type[Model[Any]],
    data: TrainingData,
    training: Rows,
    validation: Rows,
    parameters: Settings,
    calibration: Calibration,
) -> PartialModel | None:
    """Fit what answers where not everything is known, as `fit_model` does, without early stopping.

    Args:
        model_class: class of the model type.
        data: all accidents, and the settings; without `data.arrays` there is nothing to fit.
        training: rows of the training set.
        validation: rows of the validation set.
        parameters: hyperparameters.
        calibration: that of the model.
    """
    if data.arrays is None:
        return None
    encoder, whole, masked = data.fit_transform_masked(training, data.arrays, _times(model_class))
    model, threads = _fit(model_class, data, whole, None, parameters), data.settings.threads
    margin = model.predict_margin(data.transform(validation, encoder).X, threads)
    margins = model.predict_margin(whole.X, threads), margin
    return fit_partial_model(model, encoder, data, masked, margins, data.arrays.take(validation), calibration(margin))


def _times(model_class: type[Model[Any]]) -> int:
    return TIMES_OF_BOOSTERS if issubclass(model_class, Booster) else TIMES


def fit_rows(
    model_class: type[Model[Any]], data: TrainingData, rows: Rows, parameters: Settings
) -> tuple[Model[Any], PlaceEncoder | None]:
    """Fit place encoder and model on `rows`, without early stopping."""
    encoder, dataset = data.fit_transform(rows)
    return _fit(model_class, data, dataset, None, parameters), encoder


def _fit(
    model_class: type[Model[Any]],
    data: TrainingData,
    training: Dataset,
    validation: Dataset | None,
    parameters: Settings,
) -> Model[Any]:
    settings = data.settings
    # A model answers for values that it has imputed as for missing ones.
    training = replace(training, overwrite=data.shared is None)
    release_memory()
    return fit_on(
        data.engine,
        model_class,
        resample(training, settings.resampling, settings.seed),
        validation,
        parameters=parameters,
        categorical_features=data.categorical_features,
        seed=settings.seed,
        threads=settings.threads,
        report=data.report,
    )
