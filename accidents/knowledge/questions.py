"""Which unknown facts are most worth asking for, by what their answers would change.

The Brier score of a calibrated probability p is expected to be p (1 - p). An answer v moves p to p(v), whose mean is p:
on average the score falls by the variance of p(v). An answer may be "not recorded", which gains nothing. Where a model
is not calibrated for every fact, answers gain more or less than that: each field has a weight, learned with labels.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from accidents.bundle import Bundle
from accidents.columns import UNKNOWN
from accidents.features.array_columns import COLUMN_POSITIONS, Entity
from accidents.features.arrays import Arrays
from accidents.knowledge.masks import COORDINATES
from accidents.knowledge.place_values import PlaceValue, place_values
from accidents.models.base import Matrix, Vector

PLACE_FIELDS = ("dep", "com", COORDINATES)
MOST_CANDIDATES = 50
"""Greatest number of facts that are considered for one accident."""
MOST_SCORED = 24
"""Greatest number of them, best first by mean gain, whose values are put into the model."""

_SMALLEST_SHARE = 0.02  # rarer values change no ranking
_AN, _AN_NAIS = COLUMN_POSITIONS[Entity.ACCIDENT]["an"], "an_nais"


@dataclass(frozen=True)
class Question:
    """An unknown fact of an accident.

    Attributes:
        entity: whose fact it is.
        index: of the vehicle or person in the request; 0 for the accident.
        name: of the field, one of `masks.FIELDS`.
        gain: expected fall of the Brier score once the answer is known; not negative.
    """

    entity: Entity
    index: int
    name: str
    gain: float


@dataclass(frozen=True)
class _Candidate:
    """A field with the values, or places, that it may have; shares add up to the probability that it is recorded."""

    entity: Entity
    index: int
    name: str
    mean_gain: float
    shares: Vector
    values: Sequence[int] = ()
    places: Sequence[PlaceValue] = ()
    weight: float = 1.0


def rank_questions(
    bundle: Bundle,
    arrays: Arrays,
    count: int,
    *,
    most_scored: int = MOST_SCORED,
    can_ask: Callable[[Entity, int, str], bool] = lambda *_: True,
) -> list[Question]:
    """Rank the unknown facts of one accident by their expected gain.

    Vehicles of which, and of whose people, the same is known are one question, of the first of them; so are people of
    whom, and of whose vehicle, the same is known. The order of vehicles and people changes no gain.

    Args:
        bundle: the model; without `questions` there is no ranking.
        arrays: one accident.
        count: greatest number of questions to return.
        most_scored: greatest number of facts whose values are put into the model.
        can_ask: whether a field of an entity with an index can be asked for.

    Returns:
        Questions with a gain, the greatest first.
    """
    if bundle.questions is None or count < 1:
        return []
    found = (
        one for one in _candidates(bundle, arrays, bundle.matrix(arrays)) if can_ask(one.entity, one.index, one.name)
    )
    candidates = sorted(found, key=lambda one: -one.mean_gain)[: min(MOST_CANDIDATES, most_scored)]
    if not candidates:
        return []
    probability = bundle.predict(_variants(arrays, candidates))
    owner = np.repeat(np.arange(len(candidates)), [len(one.shares) for one in candidates])
    shares = np.concatenate([one.shares for one in candidates])
    recorded = np.bincount(owner, shares)
    mean = np.bincount(owner, shares * probability) / recorded
    variance = np.bincount(owner, shares * (probability - mean[owner]) ** 2)
    gains = variance * [one.weight for one in candidates]
    order = np.argsort(-gains, kind="stable")[:count]
    chosen = ((candidates[number], float(gains[number])) for number in order if gains[number] > 0)
    return [Question(one.entity, one.index, one.name, gain) for one, gain in chosen]


def mean_gains(bundle: Bundle, arrays: Arrays) -> Mapping[tuple[Entity, str], float]:
    """Mean gain of each field over accidents and their vehicles or people where it is unknown."""
    gains: dict[tuple[Entity, str], list[float]] = {}
    for position in range(len(arrays.accident)):
        one = arrays.take(np.array([position]))
        for question in rank_questions(bundle, one, MOST_CANDIDATES, most_scored=MOST_CANDIDATES):
            gains.setdefault((question.entity, question.name), []).append(question.gain)
    return {field: float(np.mean(values)) for field, values in gains.items()}


def rows_of(arrays: Arrays, entity: Entity) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.intp]]:
    """The rows of an entity, and the accident of each."""
    accidents = np.arange(len(arrays.accident))
    match entity:
        case Entity.ACCIDENT:
            return arrays.accident, accidents
        case Entity.VEHICLES:
            return arrays.vehicles, np.repeat(accidents, np.diff(arrays.vehicle_starts))
    return arrays.people, np.repeat(accidents, np.diff(arrays.person_starts))


def _candidates(bundle: Bundle, arrays: Arrays, row: Matrix) -> Iterator[_Candidate]:
    """Unknown facts; `row` is the accident's row of the matrix, after whose computation derived columns are there."""
    if bundle.questions is None:
        return
    year, all_positions = int(arrays.accident[0, _AN]), bundle.questions.positions(bundle.matrix_columns)
    for entity, distributions in bundle.questions.by_entity.items():
        rows, _ = rows_of(arrays, entity)
        first = _distinct(arrays, entity)[:MOST_CANDIDATES]
        own = np.where(rows[first] < 0, np.nan, rows[first]).astype(np.float32)
        context = np.hstack([np.repeat(row, len(first), axis=0), own])
        for one in distributions:
            asked = np.flatnonzero(rows[first, COLUMN_POSITIONS[entity][one.name]] == UNKNOWN)
            if not len(asked) or (one.name == _AN_NAIS and year < 0):
                continue
            positions = all_positions[entity, one.name]
            all_shares = one.shares_of(np.ascontiguousarray(context[asked][:, positions]))
            for index, shares in zip(first[asked].tolist(), all_shares, strict=True):
                likely = np.flatnonzero(shares >= _SMALLEST_SHARE)
                if len(likely) > 1:
                    values = [year - one.values[k] if one.name == _AN_NAIS else one.values[k] for k in likely]
                    yield _Candidate(entity, index, one.name, one.gain, shares[likely], values, weight=one.weight)
    if bundle.encoder is not None:
        for name, gain in bundle.questions.place_gains.items():
            places = place_values(bundle.encoder, name, arrays)
            if len(places) > 1:
                shares = np.array([place.share for place in places])
                yield _Candidate(Entity.ACCIDENT, 0, name, gain, shares, places=places)


def _distinct(arrays: Arrays, entity: Entity) -> npt.NDArray[np.intp]:
    """The first row of each group of interchangeable rows of one accident, the groups in an order of their content."""
    if entity is Entity.ACCIDENT:
        return np.zeros(1, dtype=np.intp)
    people, owners = [row.tobytes() for row in arrays.people], arrays.person_vehicle_ids.tolist()
    in_vehicle: dict[int, list[bytes]] = {}
    for person, owner in sorted(zip(people, owners, strict=True)):
        in_vehicle.setdefault(owner, []).append(person)
    vehicles = {
        name: [row.tobytes(), *in_vehicle.get(name, ())]
        for name, row in zip(arrays.vehicle_ids.tolist(), arrays.vehicles, strict=True)
    }
    contents = [*vehicles.values()]
    if entity is Entity.PEOPLE:
        contents = [[person, *vehicles.get(owner, ())] for person, owner in zip(people, owners, strict=True)]
    first: dict[tuple[bytes, ...], int] = {}
    for position, content in enumerate(contents):
        first.setdefault(tuple(content), position)
    return np.array([first[content] for content in sorted(first)], dtype=np.intp)


def _variants(arrays: Arrays, candidates: Sequence[_Candidate]) -> Arrays:
    """The accident once for each value of each candidate, with this value."""
    count = sum(len(one.shares) for one in candidates)
    variants = arrays.take(np.zeros(count, dtype=np.intp))
    by_entity = {
        Entity.ACCIDENT: variants.accident[:, None],
        Entity.VEHICLES: variants.vehicles.reshape(count, -1, variants.vehicles.shape[1]),
        Entity.PEOPLE: variants.people.reshape(count, -1, variants.people.shape[1]),
    }
    first = 0
    for one in candidates:
        for row, place in enumerate(one.places, first):
            place.put(variants, row)
        if one.values:
            rows = slice(first, first + len(one.values))
            by_entity[one.entity][rows, one.index, COLUMN_POSITIONS[one.entity][one.name]] = np.array(one.values)
        first += len(one.shares)
    return variants
