"""Fit what answers where a caller does not know everything.

It learns to answer as the model would if it knew everything: its targets are the probabilities of the model for the
whole accidents, with less noise than labels have (knowledge distillation, Hinton et al., 2015; Lopez-Paz et al., 2016).
"""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from accidents.bundle.calibration import Calibration
from accidents.bundle.partial_model import KnowledgeCalibration, PartialModel, unknown_share, without_unknown_places
from accidents.features import feature_matrix
from accidents.features.arrays import Arrays
from accidents.features.catalogue import CATALOGUE
from accidents.features.place_encoder import PlaceEncoder
from accidents.knowledge.masks import COORDINATES, FIELDS, all_but, draw_mask
from accidents.models._booster import Booster
from accidents.models.base import Matrix, Model, Vector
from accidents.models.lightgbm import Classifier, Parameters
from accidents.training.progress import fit_progress
from accidents.training.training_data import MaskedAccidents, TrainingData

_PARAMETERS = Parameters(rounds=90, learning_rate=0.18, num_leaves=31, feature_fraction=0.5)
_SHARE_OF_TREES = 0.4
"""Of the model, to whose log-odds the correction is added: later trees take more from fields that may be unknown."""
TIMES_OF_BOOSTERS, TIMES = 2, 1
"""How often training accidents are masked: trees on top of trees need more of them."""
_TIMES_OF_VALIDATION = 2
_CALIBRATION_MASKS = 1  # of each validation accident
_PENALTY = 1.0  # of offsets and slopes, which are small
_CALIBRATED = 20_000  # validation accidents
_ALONE, _ALONE_AT_LEAST = 0.12, 300  # share and number of accidents of which one group of fields alone is unknown
_LEAST_WEIGHT = 1e-6
_FIELD_OF = {"given_dep": "dep", "given_com": "com", "given_position": COORDINATES}


def fit_partial_model(
    model: Model[Any],
    encoder: PlaceEncoder | None,
    data: TrainingData,
    masked: MaskedAccidents,
    margins: tuple[Vector, Vector],
    validation: Arrays,
    probability: Vector,
) -> PartialModel:
    """Fit a correction on masked accidents; calibrate it and weigh knowledge on the validation set.

    The correction learns from validation accidents, too, which the model was not fitted on. It is
    calibrated with other fields of them left out.

    Args:
        model: fitted on the whole training accidents.
        encoder: fitted on them.
        data: all accidents, and the settings.
        masked: training accidents with fields left out.
        margins: float64 (n) and (len(validation)), log-odds of the model for training and validation accidents, whole.
        validation: the validation set.
        probability: float64 (len(validation)), calibrated probabilities of the model for it.
    """
    settings, names, knowledge = data.settings, data.matrix_columns, data.knowledge_columns
    rng = np.random.default_rng((settings.seed, 1))
    validation, probability = validation.take(np.arange(min(_CALIBRATED, len(probability)))), probability[:_CALIBRATED]

    def draw(times: int) -> list[Matrix]:
        masks = (draw_mask(validation, rng) for _ in range(times))
        return [feature_matrix(mask.apply(validation), names, encoder) for mask in masks]

    base = model.first_trees(_SHARE_OF_TREES) if isinstance(model, Booster) else None
    margin = np.concatenate([margins[0][masked.rows], np.tile(margins[1][:_CALIBRATED], _TIMES_OF_VALIDATION)])
    X = np.concatenate([masked.X, *draw(_TIMES_OF_VALIDATION)])
    correction = _fit_correction(base, X, 1 / (1 + np.exp(-margin)), data)
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
    return replace(partial, weights=_weights(changes))


def _fit_correction(base: Booster[Any] | None, X: Matrix, target: Vector, data: TrainingData) -> Classifier:
    """Fit on masked accidents and the probabilities of the whole ones, on top of a booster where there is one."""
    settings, columns = data.settings, [data.matrix_columns.index(name) for name in data.columns]
    return Classifier.fit_probabilities(
        without_unknown_places(X, data.matrix_columns),
        target,
        None if base is None else base.predict_margin(np.ascontiguousarray(X[:, columns]), settings.threads),
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
