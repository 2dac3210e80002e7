"""Fit one model with given hyperparameters; calibrate it and choose its threshold on held-out accidents."""

from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np

from accidents.bundle import Calibration
from accidents.features.place_encoder import PlaceEncoder
from accidents.memory import release_memory
from accidents.models.base import Dataset, Model, OutOfBagModel, Vector
from accidents.settings import Settings
from accidents.training.calibration import choose_threshold, fit_calibration
from accidents.training.joint_fit import fit_on
from accidents.training.progress import fit_progress
from accidents.training.resampling import resample
from accidents.training.training_data import Rows, TrainingData


@dataclass(frozen=True)
class FittedModel:
    """A fitted model with encoder, calibration and decision threshold.

    `validation_probabilities` (float64) are the calibrated probabilities of the validation set, of a model that was not
    fitted on it, by which the threshold was chosen; `seconds` are wall seconds of all fits.
    """

    model: Model[Any]
    encoder: PlaceEncoder | None
    calibration: Calibration
    threshold: float
    validation_probabilities: Vector
    seconds: float


@dataclass(frozen=True)
class EarlyStoppedModel:
    """A model of the training set, stopped early on the validation set, and its log-odds for the latter, float64."""

    model: Model[Any]
    encoder: PlaceEncoder | None
    validation_margin: Vector
    seconds: float


def fit_model(
    model_class: type[Model[Any]],
    data: TrainingData,
    training: Rows,
    validation: Rows,
    parameters: Settings,
) -> FittedModel:
    """Fit on the training set; stop early, calibrate and choose the threshold on the validation set.

    If `data.settings.refit`, model and encoder are then fitted on both sets, without early stopping. A type that has
    predictions out of bag is fitted on both sets at once, and its validation set is that of trees without it.

    Args:
        model_class: class of the model type.
        data: all accidents, and the settings.
        training: rows of the training set.
        validation: rows of the validation set.
        parameters: hyperparameters.
    """
    settings, started, earlier = data.settings, perf_counter(), 0.0
    both = np.union1d(training, validation)
    if settings.refit and issubclass(model_class, OutOfBagModel) and settings.resampling == "none":
        model, encoder, margin = _fit_out_of_bag(model_class, data, both, validation, parameters)
    else:
        stopped = fit_with_early_stopping(model_class, data, training, validation, parameters)
        model, encoder, margin = stopped.model, stopped.encoder, stopped.validation_margin
        started, earlier = perf_counter(), stopped.seconds
        if settings.refit:
            model, encoder = fit_rows(model_class, data, both, model.refit_parameters(parameters))
    y = data.labels(validation)
    fitted_calibration = fit_calibration(margin, y)
    calibration = fitted_calibration if settings.calibrate else Calibration()
    probabilities = calibration(margin)
    threshold = choose_threshold(probabilities, fitted_calibration(margin), y, settings.threshold)
    seconds = earlier + perf_counter() - started
    return FittedModel(model, encoder, calibration, threshold, probabilities, seconds)


def fit_with_early_stopping(
    model_class: type[Model[Any]],
    data: TrainingData,
    training: Rows,
    validation: Rows,
    parameters: Settings,
    resampling: str | None = None,
    fitted: tuple[PlaceEncoder | None, Dataset] | None = None,
) -> EarlyStoppedModel:
    """Fit on the training set, with early stopping on the validation set; once for all who ask for the same.

    Args:
        model_class: class of the model type.
        data: all accidents, and the settings.
        training: rows of the training set.
        validation: rows of the validation set.
        parameters: hyperparameters.
        resampling: of the training set; None: as in the settings.
        fitted: result of `data.fit_transform(training)`, where there is one.
    """
    resampling = resampling or data.settings.resampling

    def fit() -> EarlyStoppedModel:
        started = perf_counter()
        encoder, whole = fitted or data.fit_transform(training)
        held_out = data.transform(validation, encoder)
        model = _fit(model_class, data, whole, held_out, parameters, resampling)
        margin = model.predict_margin(held_out.X, data.settings.threads)
        return EarlyStoppedModel(model, encoder, margin, perf_counter() - started)

    recipe = model_class.__module__, parameters.model_dump_json(), resampling
    return data.share(("stopped", *recipe, training.tobytes(), validation.tobytes()), fit, large=False)


def fit_rows(
    model_class: type[Model[Any]], data: TrainingData, rows: Rows, parameters: Settings
) -> tuple[Model[Any], PlaceEncoder | None]:
    """Fit place encoder and model on `rows`, without early stopping."""
    encoder, dataset = data.fit_transform(rows)
    return _fit(model_class, data, dataset, None, parameters, data.settings.resampling), encoder


def _fit_out_of_bag(
    model_class: type[OutOfBagModel[Any]], data: TrainingData, rows: Rows, held_out: Rows, parameters: Settings
) -> tuple[Model[Any], PlaceEncoder | None, Vector]:
    """Fit on `rows`; the log-odds of those of them in `held_out` are of trees that have not drawn them."""
    settings = data.settings
    encoder, dataset = data.fit_transform(rows)
    release_memory()
    model, margin = model_class.fit_out_of_bag(
        replace(dataset, overwrite=not data.shares_matrices),
        np.searchsorted(rows, held_out),
        parameters=parameters,
        seed=settings.seed,
        threads=settings.threads,
        progress=fit_progress(data.report, model_class.STEPS),
    )
    return model, encoder, margin


def _fit(
    model_class: type[Model[Any]],
    data: TrainingData,
    training: Dataset,
    validation: Dataset | None,
    parameters: Settings,
    resampling: str,
) -> Model[Any]:
    settings = data.settings
    # A model answers for values that it has imputed as for missing ones.
    training = replace(training, overwrite=not data.shares_matrices)
    release_memory()
    return fit_on(
        data.engine,
        model_class,
        resample(training, resampling, settings.seed),
        validation,
        parameters=parameters,
        categorical_features=data.categorical_features,
        seed=settings.seed,
        threads=settings.threads,
        report=data.report,
    )
