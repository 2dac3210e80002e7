"""Fit what answers where a caller does not know everything: LightGBM, alike for models of all types.

It learns from labels and from a teacher who knows everything: its targets are the mean of the label and of the
probability of a LightGBM model for the whole accident, which has less noise (knowledge distillation, Hinton et al.,
2015; Lopez-Paz et al., 2016).
"""

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from accidents.bundle.calibration import Calibration
from accidents.bundle.partial_model import KnowledgeCalibration, PartialModel, unknown_share, without_unknown_places
from accidents.features import feature_matrix
from accidents.features.arrays import Arrays
from accidents.features.catalogue import CATALOGUE
from accidents.knowledge.masks import COORDINATES, FIELDS, all_but, draw_mask
from accidents.models.base import Matrix, Model, Vector
from accidents.models.lightgbm import Classifier, Parameters
from accidents.training.calibration import fit_calibration
from accidents.training.fit import fit_with_early_stopping
from accidents.training.progress import fit_progress
from accidents.training.training_data import Rows, TrainingData

_PARAMETERS = Parameters(rounds=250, learning_rate=0.1, num_leaves=31, feature_fraction=0.5)
_SHARE_OF_TREES = 0.25
"""Of the teacher, to whose log-odds the correction is added: later trees take more from fields that may be unknown."""
_SHARE_OF_LABEL = 0.5
"""Of the target: a teacher who knows everything has not learned what a place says where nothing else is known."""
_TIMES, _TIMES_OF_VALIDATION = 3, 2
"""How often training and validation accidents are masked, each time in another way."""
_CALIBRATION_MASKS = 3  # of each validation accident
_PENALTY = 1.0  # of offsets and slopes, which are small
_CALIBRATED = 20_000  # validation accidents
_ALONE, _ALONE_AT_LEAST = 0.12, 300  # share and number of accidents of which one group of fields alone is unknown
_LEAST_WEIGHT = 1e-6
_FIELD_OF = {"given_dep": "dep", "given_com": "com", "given_position": COORDINATES}


@dataclass(frozen=True)
class PartialFit:
    """A partial model, and its teacher: a booster of whole accidents with its calibration."""

    partial: PartialModel
    teacher: Model[Any]
    calibration: Calibration


def fit_partial_model(data: TrainingData, training: Rows, validation: Rows) -> PartialFit:
    """Fit teacher and correction; calibrate it and weigh knowledge on the validation set. Once for all model types.

    The correction learns from validation accidents, too, which the teacher was not fitted on. It is
    calibrated with other fields of them left out.

    Args:
        data: all accidents with `arrays`, and the settings.
        training: rows of the training set.
        validation: rows of the validation set.
    """
    key = "partial model", data.settings.calibrate, training.tobytes(), validation.tobytes()
    return data.share(key, lambda: _fit_partial_model(data, training, validation), large=False)


def _fit_partial_model(data: TrainingData, training: Rows, held_out: Rows) -> PartialFit:
    if data.arrays is None:
        raise ValueError("partial knowledge is learned from accidents before features are computed")
    settings, names, knowledge = data.settings, data.matrix_columns, data.knowledge_columns
    encoder, dataset, masked = data.fit_transform_masked(training, data.arrays, _TIMES)
    stopped = fit_with_early_stopping(Classifier, data, training, held_out, Parameters(), "none", (encoder, dataset))
    encoder, teacher = stopped.encoder, cast("Classifier", stopped.model)
    drawn, positions = np.unique(masked.rows, return_inverse=True)
    margin = teacher.predict_margin(dataset.X[drawn], settings.threads)[positions]
    del dataset
    held_out_margin = stopped.validation_margin
    curve = fit_calibration(held_out_margin, data.labels(held_out)) if settings.calibrate else Calibration()
    rng = np.random.default_rng((settings.seed, 1))
    held_out_margin, held_out_labels = held_out_margin[:_CALIBRATED], data.labels(held_out)[:_CALIBRATED]
    validation, probability = data.arrays.take(held_out[:_CALIBRATED]), curve(held_out_margin)

    def draw(times: int) -> list[Matrix]:
        masks = (draw_mask(validation, rng) for _ in range(times))
        return [feature_matrix(mask.apply(validation), names, encoder) for mask in masks]

    base = teacher.first_trees(_SHARE_OF_TREES)
    margin = np.concatenate([margin, np.tile(held_out_margin, _TIMES_OF_VALIDATION)])
    labels = np.concatenate([data.labels(training)[masked.rows], np.tile(held_out_labels, _TIMES_OF_VALIDATION)])
    X = np.concatenate([masked.X, *draw(_TIMES_OF_VALIDATION)])
    del masked
    target = (1 - _SHARE_OF_LABEL) / (1 + np.exp(-margin)) + _SHARE_OF_LABEL * labels
    correction = _fit_correction(base, X, target, data)
    nothing = (0.0,) * len(knowledge)
    equal = (1 / len(knowledge),) * len(knowledge)
    partial = PartialModel(knowledge, equal, base, correction, KnowledgeCalibration(Calibration(), nothing, nothing))

    count = min(len(probability), max(int(_ALONE * len(probability)), _ALONE_AT_LEAST))
    rows = [rng.permutation(len(probability))[:count] for _ in knowledge]
    alone = [
        feature_matrix(_without(name, validation.take(chosen)), names, encoder)
        for name, chosen in zip(knowledge, rows, strict=True)
    ]
    X = np.concatenate([*alone, *draw(_CALIBRATION_MASKS)])
    whole = np.concatenate([*(probability[chosen] for chosen in rows), np.tile(probability, _CALIBRATION_MASKS)])
    margin, known = partial.predict_margin(X, names, settings.threads), partial.knowledge(X, names)
    if settings.calibrate:
        partial = replace(partial, calibration=fit_knowledge_calibration(margin, known, whole))
    changes = (partial.calibration(margin, known) - whole)[: count * len(knowledge)].reshape(len(knowledge), count)
    return PartialFit(replace(partial, weights=_weights(changes)), teacher, curve)


def _fit_correction(base: Classifier, X: Matrix, target: Vector, data: TrainingData) -> Classifier:
    """Fit on masked accidents, whose matrix is changed, and on what to answer for them, on top of a booster."""
    settings, columns = data.settings, [data.matrix_columns.index(name) for name in data.columns]
    margin = base.predict_margin(np.ascontiguousarray(X[:, columns]), settings.threads)
    return Classifier.fit_probabilities(
        without_unknown_places(X, data.matrix_columns, overwrite=True),
        target,
        margin,
        parameters=_PARAMETERS,
        seed=settings.seed,
        threads=settings.threads,
        progress=fit_progress(data.report, "trees of the correction"),
    )


def _weights(changes: npt.NDArray[np.float64]) -> tuple[float, ...]:
    """Root mean square changes of the probability, a row for each group that alone is unknown, as shares of the sum."""
    size = np.sqrt(np.square(changes).mean(axis=1)) + _LEAST_WEIGHT
    return tuple(float(share) for share in size / size.sum())


def _without(knowledge: str, arrays: Arrays) -> Arrays:
    """Accidents of which the fields of one column of knowledge alone are unknown."""
    return all_but(arrays, _ALL_FIELDS - _fields_of(knowledge)).apply(arrays)


_ALL_FIELDS = frozenset(name for names in FIELDS.values() for name in names)


def _fields_of(knowledge: str) -> set[str]:
    """Fields that a column of knowledge is about; a department is known where the commune or position is."""
    feature: Any = CATALOGUE[knowledge]
    fields = {_FIELD_OF.get(name, name) for name in feature.columns}
    finer = {"dep": {"com", COORDINATES}, "com": {COORDINATES}}
    return fields.union(*(finer.get(name, set()) for name in fields))


def fit_knowledge_calibration(
    margin: Vector, known: npt.NDArray[np.floating], probability: Vector
) -> KnowledgeCalibration:
    """Fit beta calibration that moves with what is known.

    Args:
        margin: float64 (n), log-odds of masked accidents.
        known: float32 (n, k), their columns of knowledge.
        probability: float64 (n), calibrated probabilities of the same accidents, whole.
    """
    from sklearn.linear_model import LogisticRegression

    unknown = unknown_share(known)
    terms = np.column_stack([*Calibration.terms(margin), unknown, unknown * margin[:, None]])
    regression = LogisticRegression(C=_PENALTY, solver="newton-cholesky").fit(
        np.tile(terms, (2, 1)),
        np.repeat([1, 0], len(margin)),
        sample_weight=np.concatenate([probability, 1 - probability]),
    )
    low, high, *moves = map(float, regression.coef_[0])
    count = known.shape[1]
    curve = Calibration(max(low, 0.0), max(high, 0.0), float(regression.intercept_[0]))
    return KnowledgeCalibration(curve, tuple(moves[:count]), tuple(moves[count:]))
