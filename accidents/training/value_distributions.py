"""Learn what unknown facts might be: distributions of their values by what else is known, from training accidents."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from accidents.bundle import Bundle
from accidents.bundle.question_model import MOST_VALUES, MOST_WEIGHT, QuestionModel, ValueDistribution
from accidents.columns import MISSING, UNKNOWN
from accidents.features.array_columns import ARRAY_COLUMNS, COLUMN_POSITIONS, PUBLISHED_COLUMNS, Entity
from accidents.features.arrays import Arrays
from accidents.knowledge.masks import all_but, draw_mask
from accidents.knowledge.questions import PLACE_FIELDS, mean_gains, rows_of
from accidents.models.base import Matrix

_ACCIDENTS, _PROBES, _RANKED = 2500, 500, 40
_LEAVES, _LEAST_ROWS, _PRIOR_ROWS = 24, 20, 10
_WEIGHED, _WEIGHED_BY_FIELD, _LEAST_WEIGHT = 4000, 1000, 0.25  # accidents, those that lack a field among them
_PRIOR_STEPS = 0.7  # squared steps by which weights are shrunk: the slope is then known to about ± 0.5
_KNOWLEDGE = "known_"
_AN, _AN_NAIS = COLUMN_POSITIONS[Entity.ACCIDENT]["an"], "an_nais"
Rows = npt.NDArray[np.intp]


class _Learned(NamedTuple):
    """What is learned without asking the model.

    `fields` are distributions without gain and weight; `labels` those of the accidents of `masked`; `masked` and
    `answers` are as returned by `_answers`; `ranked` are accidents with fields left out.
    """

    fields: Sequence[ValueDistribution]
    labels: npt.NDArray[np.int8]
    masked: Matrix
    answers: Sequence[tuple[Rows, Matrix]]
    ranked: Arrays


def learn_questions(
    bundle: Bundle,
    arrays: Arrays,
    held_out: tuple[Arrays, npt.NDArray[np.int8]],
    seed: int,
) -> QuestionModel:
    """Learn the distributions of all fields that the model uses, and their weights.

    Args:
        bundle: the model.
        arrays: accidents of its training set, with all that is recorded of them.
        held_out: accidents of its validation set, likewise, and their labels.
        seed: of the accidents that are drawn, and of what is left out of them.
    """
    learned = _learn_distributions(bundle, arrays, held_out, seed)
    weights = _weights(bundle, learned)
    fields = tuple(
        one.model_copy(update={"weight": weight}) for one, weight in zip(learned.fields, weights, strict=True)
    )
    places = dict.fromkeys(PLACE_FIELDS if bundle.geography else (), 0.0)
    gains = mean_gains(replace(bundle, questions=QuestionModel(fields, places)), learned.ranked)
    return QuestionModel(
        tuple(one.model_copy(update={"gain": round(gains.get((one.entity, one.name), 0.0), 8)}) for one in fields),
        {name: round(gains.get((Entity.ACCIDENT, name), 0.0), 8) for name in places},
    )


def _learn_distributions(
    bundle: Bundle, arrays: Arrays, held_out: tuple[Arrays, npt.NDArray[np.int8]], seed: int
) -> _Learned:
    """What the encoder and the columns of the bundle decide, and not its model."""
    rng = np.random.default_rng(seed)
    whole = arrays.take(np.sort(rng.permutation(len(arrays.accident))[:_ACCIDENTS]))
    masked = draw_mask(whole, rng).apply(whole)
    X = bundle.matrix(masked)
    fields = [
        distribution
        for entity in Entity
        for name in _used_fields(bundle, entity, whole)
        for distribution in _learn(bundle, entity, name, (whole, masked), X)
    ]
    labels = held_out[1]
    drawn = np.sort(rng.permutation(len(labels))[:_WEIGHED])
    answers = _answers(bundle, fields, held_out[0].take(drawn), rng)
    return _Learned(fields, labels[drawn], *answers, masked.take(rng.permutation(len(X))[:_RANKED]))


def _used_fields(bundle: Bundle, entity: Entity, arrays: Arrays) -> Iterator[str]:
    """Fields without which columns of the model are others, besides those that say how much is known."""
    probes = arrays.take(np.arange(min(_PROBES, len(arrays.accident))))
    own = [not name.startswith(_KNOWLEDGE) for name in bundle.matrix_columns]
    everything = {name for one in Entity for name in PUBLISHED_COLUMNS[one]} | {*PLACE_FIELDS, "voie"}
    X = bundle.matrix(probes)[:, own]
    for name in PUBLISHED_COLUMNS[entity]:
        without = bundle.matrix(all_but(probes, everything - {name}).apply(probes))[:, own]
        if not np.array_equal(X, without, equal_nan=True):
            yield name


def _learn(
    bundle: Bundle, entity: Entity, name: str, accidents: tuple[Arrays, Arrays], X: Matrix
) -> Iterator[ValueDistribution]:
    """The distribution of one field, from the rows where it was left out; none where too few are recorded."""
    whole, masked = accidents
    position = COLUMN_POSITIONS[entity][name]
    (true, owner), (rows, _) = rows_of(whole, entity), rows_of(masked, entity)
    value = true[:, position].astype(np.int64)
    if name == _AN_NAIS:
        value = np.where(value >= 0, np.maximum(whole.accident[owner, _AN] - value, 0), value)
    asked = (rows[:, position] == UNKNOWN) & (value != UNKNOWN)
    recorded = value[asked & (value >= 0)]
    if len(recorded) < 2 * _LEAST_ROWS:
        return
    values, target = _representatives(value, recorded, is_code=bool(ARRAY_COLUMNS[entity][name].categories))
    chosen = np.flatnonzero(asked & (target != UNKNOWN))
    chosen = chosen[np.linspace(0, len(chosen) - 1, min(len(chosen), _ACCIDENTS)).astype(np.intp)]
    own = np.where(rows[chosen] < 0, np.nan, rows[chosen]).astype(np.float32)
    names = [*bundle.matrix_columns, *(f"row.{column}" for column in COLUMN_POSITIONS[entity])]
    nodes = _fit_tree(np.hstack([X[owner[chosen]], own]), target[chosen], names, len(values))
    yield ValueDistribution(entity=entity, name=name, gain=0.0, weight=1.0, values=tuple(values.tolist()), **nodes)


def _answers(
    bundle: Bundle, fields: Sequence[ValueDistribution], whole: Arrays, rng: np.random.Generator
) -> tuple[Matrix, list[tuple[Rows, Matrix]]]:
    """Matrix of accidents with fields left out; by field, some that lack it, and their matrix once it is known."""
    masked = draw_mask(whole, rng).apply(whole)
    answers = []
    for one in fields:
        position = COLUMN_POSITIONS[one.entity][one.name]
        (true, owner), (rows, _) = rows_of(whole, one.entity), rows_of(masked, one.entity)
        asked = (rows[:, position] == UNKNOWN) & (true[:, position] >= 0)
        concerned = np.unique(owner[asked])
        concerned = np.sort(rng.permutation(concerned)[:_WEIGHED_BY_FIELD])
        known = rows.copy()
        known[:, position] = np.where(asked, true[:, position], rows[:, position])
        column: dict[str, Any] = {one.entity.value: known}
        answers.append((concerned, bundle.matrix(replace(masked, **column).take(concerned))))
    return bundle.matrix(masked), answers


def _weights(bundle: Bundle, learned: _Learned) -> list[float]:
    """By field, Brier gain over squared step of the probability once it is known, shrunk towards 1.

    A step s towards the label y from probability p gains 2 s (y - p) - s². With the slope b of y - p on s, this is
    (2 b - 1) s² on average; b is 1 for a calibrated model.
    """
    before, weights = bundle.predict_proba(learned.masked), []
    for concerned, X in learned.answers:
        step = bundle.predict_proba(X) - before[concerned]
        slope = (step @ (learned.labels[concerned] - before[concerned]) + _PRIOR_STEPS) / (step @ step + _PRIOR_STEPS)
        weights.append(float(np.clip(2 * slope - 1, _LEAST_WEIGHT, MOST_WEIGHT).round(3)))
    return weights


def _representatives(
    value: npt.NDArray[np.int64], recorded: npt.NDArray[np.int64], *, is_code: bool
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Values that stand for all, and for each value which of them, `MISSING` if not recorded, `UNKNOWN` if none."""
    if is_code:
        codes, counts = np.unique(recorded, return_counts=True)
        values = np.sort(codes[np.argsort(-counts, kind="stable")[:MOST_VALUES]])
        nearest = np.searchsorted(values, value).clip(max=len(values) - 1)
        target = np.where(values[nearest] == value, nearest, UNKNOWN)
    else:
        shares = (np.arange(MOST_VALUES) + 0.5) / MOST_VALUES
        values = np.unique(np.quantile(recorded, shares, method="inverted_cdf"))
        target = np.searchsorted((values[1:] + values[:-1]) / 2, value)
    return values, np.where(value < 0, MISSING, target)


def _fit_tree(X: Matrix, target: npt.NDArray[np.int64], names: list[str], count: int) -> dict[str, Any]:
    """Nodes of a decision tree with the shares of the `count` values, shrunk towards those of all rows."""
    from sklearn.tree import DecisionTreeClassifier

    fitted = DecisionTreeClassifier(max_leaf_nodes=_LEAVES, min_samples_leaf=_LEAST_ROWS, random_state=0).fit(X, target)
    tree = fitted.tree_
    counts = np.zeros((tree.node_count, count))
    present = fitted.classes_ >= 0
    counts[:, fitted.classes_[present]] = tree.value[:, 0, present] * tree.n_node_samples[:, None]
    shares = (counts + _PRIOR_ROWS * counts[0] / len(X)) / (tree.n_node_samples[:, None] + _PRIOR_ROWS)
    leaf = tree.children_left < 0
    used = np.unique(tree.feature[~leaf])
    default = np.where(tree.missing_go_to_left, tree.children_left, tree.children_right)
    above = np.nextafter(tree.threshold, np.inf)  # these trees go left up to the threshold, ours below it
    above = np.minimum(above, np.finfo(np.float32).max)  # infinite where a split is on whether a value is missing
    return {
        "columns": tuple(names[position] for position in used),
        "feature": tuple(np.where(leaf, -1, np.searchsorted(used, tree.feature)).tolist()),
        "threshold": tuple(np.where(leaf, 0, above).tolist()),
        "left": tuple(tree.children_left.tolist()),
        "right": tuple(tree.children_right.tolist()),
        "default": tuple(default.tolist()),
        "shares": tuple(tuple(row) for row in shares.round(4).tolist()),
    }
