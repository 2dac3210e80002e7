"""Masks: which cells of accidents a caller does not know, and accidents without these cells.

A mask works on the published columns, before features are computed, so that features follow. `draw_mask` draws what
training learns from; `NAMED_MASKS` are those that figures are measured with.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from accidents.columns import UNKNOWN
from accidents.features.array_columns import PUBLISHED_COLUMNS, Entity
from accidents.features.arrays import UNKNOWN_POSITION, Arrays

Flags = npt.NDArray[np.bool_]
Generator = np.random.Generator

PLACES = ("dep", "com", "voie")
COORDINATES = "coordinates"
"""Latitude and longitude; one without the other is of no use."""

FIELDS: Mapping[Entity, tuple[str, ...]] = {
    Entity.ACCIDENT: (*PUBLISHED_COLUMNS[Entity.ACCIDENT], *PLACES, COORDINATES),
    Entity.VEHICLES: PUBLISHED_COLUMNS[Entity.VEHICLES],
    Entity.PEOPLE: PUBLISHED_COLUMNS[Entity.PEOPLE],
}
"""Fields that a caller may leave out. How many vehicles and people there are, and who was in which, is always given."""


@dataclass(frozen=True)
class Mask:
    """Unknown cells of n accidents with m vehicles and p people: bool (n, m or p; fields of `FIELDS`)."""

    accident: Flags
    vehicles: Flags
    people: Flags

    def apply(self, arrays: Arrays) -> Arrays:
        """The accidents without the unknown cells."""
        columns = len(PUBLISHED_COLUMNS[Entity.ACCIDENT])
        place = self.accident[:, columns:]
        return replace(
            arrays,
            accident=_masked(arrays.accident, self.accident[:, :columns]),
            vehicles=_masked(arrays.vehicles, self.vehicles),
            people=_masked(arrays.people, self.people),
            places=np.where(place[:, : len(PLACES)], UNKNOWN, arrays.places),
            coordinates=np.where(place[:, len(PLACES) :], UNKNOWN_POSITION, arrays.coordinates),
        )

    def where(self, chosen: Flags, other: "Mask", arrays: Arrays) -> "Mask":
        """This mask for the accidents `chosen`, bool (n), and `other` for the rest."""
        vehicles, people = (chosen[owner] for owner in _owners(arrays))
        return Mask(
            np.where(chosen[:, None], self.accident, other.accident),
            np.where(vehicles[:, None], self.vehicles, other.vehicles),
            np.where(people[:, None], self.people, other.people),
        )


def _masked(rows: npt.NDArray[np.int16], unknown: Flags) -> npt.NDArray[np.int16]:
    masked = rows.copy()
    masked[:, : unknown.shape[1]][unknown] = UNKNOWN
    return masked


def _owners(arrays: Arrays) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Accident of each vehicle and of each person."""
    accidents = np.arange(len(arrays.accident))
    return (
        np.repeat(accidents, np.diff(arrays.vehicle_starts)),
        np.repeat(accidents, np.diff(arrays.person_starts)),
    )


def _spread(arrays: Arrays, by_entity: Mapping[Entity, Flags]) -> Mask:
    """One decision an accident and field, bool (n, fields) by entity, for all vehicles and people of the accident."""
    vehicle_owners, person_owners = _owners(arrays)
    return Mask(
        by_entity[Entity.ACCIDENT],
        by_entity[Entity.VEHICLES][vehicle_owners],
        by_entity[Entity.PEOPLE][person_owners],
    )


def all_but(arrays: Arrays, known: Collection[str]) -> Mask:
    """Every field but those of these names is unknown."""
    count = len(arrays.accident)
    return _spread(arrays, {entity: np.tile(~np.isin(names, [*known]), (count, 1)) for entity, names in FIELDS.items()})


def at_random(arrays: Arrays, rate: npt.ArrayLike, rng: Generator) -> Mask:
    """Each field is unknown with a probability, a number or float (n), for all vehicles or people of an accident."""
    rates = np.broadcast_to(np.asarray(rate, dtype=np.float64), len(arrays.accident))[:, None]
    return _spread(arrays, {entity: rng.random((len(rates), len(names))) < rates for entity, names in FIELDS.items()})


def cells_at_random(arrays: Arrays, rate: npt.ArrayLike, rng: Generator) -> Mask:
    """As `at_random`, each vehicle and person for itself."""
    rates = np.broadcast_to(np.asarray(rate, dtype=np.float64), len(arrays.accident))
    of_rows = (rates, *(rates[owner] for owner in _owners(arrays)))
    flags = (
        rng.random((len(rate), len(names))) < rate[:, None]
        for rate, names in zip(of_rows, FIELDS.values(), strict=True)
    )
    return Mask(*flags)


_WHEN = ("jour", "mois", "an", "hrmn")
_WHERE = ("dep", "com", COORDINATES)
_PARTIES = ("catv", "catu")
_ROAD_FORM = ("circ", "nbv", "vosp", "prof", "plan", "surf", "infra", "situ")
_ROAD = (*_ROAD_FORM, "catr", "vma", "voie")
_PEOPLE_DETAILS = tuple(name for name in FIELDS[Entity.PEOPLE] if name != "catu")
_ALL = {name for names in FIELDS.values() for name in names}

KNOWN: Mapping[str, Collection[str]] = {
    "everything": _ALL,
    "all but the road form": _ALL - {*_ROAD_FORM},
    "no road": _ALL - {*_ROAD},
    "what the page asks first": (*_WHEN, *_WHERE, *_PARTIES, "agg", "lum", "col", "int", "catr", "vma"),
    "bystander": (*_WHEN, *_WHERE, *_PARTIES),
    "bystander, department alone": (*_WHEN, "dep", *_PARTIES),
    "department alone": _ALL - {"com", "voie", COORDINATES},
    "commune without coordinates": _ALL - {COORDINATES},
    "people by role": _ALL - {*_PEOPLE_DETAILS},
}
"""Fields that a caller knows, by a name of the case."""

NAMED_MASKS: Mapping[str, Callable[[Arrays, Generator], Mask]] = {
    **{name: lambda arrays, _, known=known: all_but(arrays, known) for name, known in KNOWN.items()},  # type: ignore[misc]
    "a third missing at random": lambda arrays, rng: at_random(arrays, 1 / 3, rng),
    "two thirds missing at random": lambda arrays, rng: at_random(arrays, 2 / 3, rng),
    "a third of the cells missing at random": lambda arrays, rng: cells_at_random(arrays, 1 / 3, rng),
}
"""Masks that figures are measured with, by a name of the case."""

_BLOCKS: tuple[tuple[tuple[str, ...], float], ...] = (
    (("jour", "mois", "an"), 0.3),
    (("hrmn",), 0.3),
    (("lum", "atm", "surf"), 1.0),
    (("agg",), 1.0),
    (("int", "col"), 1.0),
    (("catr", "vma", "voie"), 0.8),
    (("circ", "nbv", "vosp", "prof", "plan", "infra", "situ"), 1.3),
    (("obs", "obsm", "choc", "manv", "motor"), 1.3),
    (("catv",), 0.25),
    (_PEOPLE_DETAILS, 1.3),
    (("catu",), 0.25),
)
"""Fields that a caller knows or does not know together, and how often they are unknown, relative to one another."""

_PLACE_LEVELS: tuple[tuple[tuple[str, ...], float], ...] = (
    ((), 0.32),
    ((COORDINATES,), 0.12),
    ((COORDINATES, "com", "voie"), 0.46),
    ((COORDINATES, "com", "voie", "dep"), 0.1),
)
"""Fields of the place that are unknown, and their probability."""

_IN_BLOCKS, _SINGLE_TOO, _MOST, _BY_CELL = 0.9, 0.05, 0.9, 0.4


def draw_mask(arrays: Arrays, rng: Generator) -> Mask:
    """Draw what callers leave out, one case an accident.

    Nine accidents in ten lose whole blocks of fields: an accident draws a share from a Beta(0.5, 0.5) distribution,
    each of `_BLOCKS` is unknown with this probability times its factor, and the place is known as in `_PLACE_LEVELS`.
    The rest, and 5 % of those with blocks, lose single fields with a probability drawn from 0 to 0.9, in two of five
    of them each vehicle or person by itself.
    """
    count = len(arrays.accident)
    in_blocks = rng.random(count) < _IN_BLOCKS
    share = rng.beta(0.5, 0.5, count)
    unknown = {entity: np.zeros((count, len(names)), dtype=np.bool_) for entity, names in FIELDS.items()}

    def lose(names: Collection[str], accidents: Flags) -> None:
        for entity, fields in FIELDS.items():
            unknown[entity] |= accidents[:, None] & np.isin(fields, [*names])

    for names, factor in _BLOCKS:
        lose(names, in_blocks & (rng.random(count) < share * factor))
    level = rng.choice(len(_PLACE_LEVELS), count, p=[probability for _, probability in _PLACE_LEVELS])
    for number, (names, _) in enumerate(_PLACE_LEVELS):
        lose(names, in_blocks & (level == number))
    single = ~in_blocks | (rng.random(count) < _SINGLE_TOO)
    rate = np.where(single, rng.random(count) * _MOST, 0)
    by_cell = rng.random(count) < _BY_CELL
    blocks = _spread(arrays, unknown)
    singles = cells_at_random(arrays, rate, rng).where(by_cell, at_random(arrays, rate, rng), arrays)
    return Mask(*(one | two for one, two in zip(vars(blocks).values(), vars(singles).values(), strict=True)))
