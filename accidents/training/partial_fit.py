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
from accidents.models.base import Model, Vector
from accidents.models.lightgbm import Classifier, Parameters
from accidents.training.progress import fit_progress
from accidents.training.training_data import MaskedAccidents, TrainingData

_PARAMETERS = Parameters(rounds=150, learning_rate=0.14, num_leaves=31)
TIMES_OF_BOOSTERS, TIMES = 2, 1
"""How often training accidents are masked: trees on top of trees need more of them."""
_CALIBRATION_MASKS = 6  # of each validation accident
_PENALTY = 1.0  # of offsets and slopes, which are small
_CALIBRATED = 20_000  # validation accidents
_WEIGHED = 500  # accidents
_LEAST_WEIGHT = 1e-6
_FIELD_OF = {"given_dep": "dep", "given_com": "com", "given_position": COORDINATES}


def fit_partial_model(
    model: Model[Any],
    encoder: PlaceEncoder | None,
    data: TrainingData,
    masked: MaskedAccidents,
    margin: Vector,
    validation: Arrays,
    probability: Vector,
) -> PartialModel:
    """Fit a correction on masked training accidents; calibrate it and weigh knowledge on the validation set.

    Args:
        model: fitted on the whole training accidents.
        encoder: fitted on them.
        data: all accidents, and the settings.
        masked: training accidents with fields left out.
        margin: float64 (n), log-odds of the model for all training accidents, whole.
        validation: the validation set.
        probability: float64 (len(validation)), calibrated probabilities of the model for it.
    """
    settings, names, knowledge = data.settings, data.matrix_columns, data.knowledge_columns
    base = model if isinstance(model, Booster) else None
    columns = [names.index(name) for name in data.columns]
    correction = Classifier.fit_probabilities(
        without_unknown_places(masked.X, names),
        1 / (1 + np.exp(-margin[masked.rows])),
        None if base is None else base.predict_margin(np.ascontiguousarray(masked.X[:, columns]), settings.threads),
        parameters=_PARAMETERS,
        seed=settings.seed,
        threads=settings.threads,
        progress=fit_progress(data.report, "trees of the correction"),
    )
    nothing = (0.0,) * len(knowledge)
    equal = (1 / len(knowledge),) * len(knowledge)
    partial = PartialModel(knowledge, equal, base, correction, KnowledgeCalibration(Calibration(), nothing, nothing))
    if settings.calibrate:
        rng = np.random.default_rng((settings.seed, 1))
        calibrated = np.arange(min(_CALIBRATED, len(probability)))
        whole = validation.take(calibrated)
        masks = (draw_mask(whole, rng) for _ in range(_CALIBRATION_MASKS))
        X = np.concatenate([feature_matrix(mask.apply(whole), names, encoder) for mask in masks])
        calibration = fit_knowledge_calibration(
            partial.predict_margin(X, names, settings.threads),
            partial.knowledge(X, names),
            np.tile(probability[calibrated], _CALIBRATION_MASKS),
        )
        partial = replace(partial, calibration=calibration)
    some = np.arange(min(_WEIGHED, len(probability)))
    return replace(partial, weights=_weights(partial, encoder, data, validation.take(some), probability[some]))


def _weights(
    partial: PartialModel,
    encoder: PlaceEncoder | None,
    data: TrainingData,
    arrays: Arrays,
    probability: Vector,
) -> tuple[float, ...]:
    """Root mean square change of the probability where the fields of one column of knowledge alone are unknown."""
    changes = []
    for name in partial.columns:
        masked = all_but(arrays, _ALL_FIELDS - _fields_of(name)).apply(arrays)
        X = feature_matrix(masked, data.matrix_columns, encoder)
        change = partial.predict_proba(X, data.matrix_columns, data.settings.threads) - probability
        changes.append(np.sqrt(np.square(change).mean()) + _LEAST_WEIGHT)
    return tuple(float(change) for change in np.array(changes) / np.sum(changes))


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
