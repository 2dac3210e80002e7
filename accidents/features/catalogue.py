"""The catalogue of features: every column of a model with name, name for users, formula and level.

A feature is one entry here and nothing else. No feature uses the injuries (`grav`), an identifier or the order of rows.
No feature depends on whether a value about a person is missing: it is missing for people who fled, or by habit of the
police force, and would leak the outcome. So one group of people is never counted, and a person with missing values is
treated like that group: 25 to 44 years old, male, with equipment, trip and action without a feature. The width of the
carriageway, kilometre posts, addresses and minutes of the hour depend on how the form was filled in, and are not used.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from itertools import chain

from accidents.columns import LEVELS
from accidents.features import code_groups
from accidents.features.array_columns import Entity
from accidents.features.cells import CELLS
from accidents.features.code_groups import CYCLES, HEAVY_VEHICLES, POWERED_TWO_WHEELERS, Party
from accidents.features.knowledge_columns import KNOWN
from accidents.features.place_columns import PlaceColumn
from accidents.features.specification import (
    Aggregate,
    Aggregation,
    Cross,
    Feature,
    Lookup,
    OrdinalAggregate,
    Ratio,
)

Where = Iterable[int] | int
_VEHICLES, _PEOPLE = Entity.VEHICLES, Entity.PEOPLE
_DRIVER, _PASSENGER, _PEDESTRIAN = 1, 2, 3  # catu
_WOMAN = 2  # sexe


def _conditions(where: Mapping[str, Where]) -> dict[str, frozenset[int]]:
    return {name: frozenset([codes] if isinstance(codes, int) else codes) for name, codes in where.items()}


def _code(column: str, description: str, name: str = "") -> Aggregate:
    """An unchanged column of the accident."""
    return Aggregate(name or column, description, Entity.ACCIDENT, Aggregation.MAX, column)


def _count(entity: Entity, name: str, description: str, **where: Where) -> Aggregate:
    return Aggregate(name, description, entity, Aggregation.COUNT, where=_conditions(where))


def _any(entity: Entity, name: str, description: str, **where: Where) -> Aggregate:
    return Aggregate(name, description, entity, Aggregation.ANY, where=_conditions(where))


def _of_vehicle(aggregation: Aggregation, column: str, name: str, description: str) -> Aggregate:
    """A code of the lightest (`MIN`) or heaviest (`MAX`) vehicle."""
    return Aggregate(name, description, _VEHICLES, aggregation, column, order_by="kind")


def _ordinal(
    column: str,
    default: float,
    aggregation: Aggregation,
    name: str,
    description: str,
    order_by: str | None = None,
    **where: Where,
) -> OrdinalAggregate:
    conditions = _conditions(where)
    return OrdinalAggregate(name, description, _PEOPLE, aggregation, column, order_by, conditions, default)


_band = partial(_ordinal, "band", code_groups.REFERENCE_BAND)
_age = partial(_ordinal, "age", code_groups.REFERENCE_AGE)


def _cycle(of: Aggregate, first: int, period: int) -> tuple[Lookup, ...]:
    """Sine and cosine of a cyclic code."""

    def wave(short: str, word: str, function: Callable[[float], float]) -> Lookup:
        table = {code: function(2 * math.pi * code / period) for code in range(first, first + period)}
        rule = f"{short}(2 pi {of.name} / {period})"
        return Lookup(f"{of.name}_{short}", f"{of.description} ({word})", of, table, rule=rule)

    return wave("sin", "sine", math.sin), wave("cos", "cosine", math.cos)


_HOUR, _WEEKDAY, _MONTH = _code("hour", "hour"), _code("weekday", "day of the week"), _code("mois", "month", "month")
_LIGHT, _WEATHER, _SURFACE = _code("lum", "light"), _code("atm", "weather"), _code("surf", "road surface")
_ROAD, _BUILT_UP, _COLLISION = _code("catr", "road category"), _code("agg", "built-up area"), _code("col", "collision")

_TIME = (
    _HOUR,
    *_cycle(_HOUR, 0, 24),
    Lookup.grouped("daytime", "time of day", _HOUR, code_groups.DAYTIME),
    _WEEKDAY,
    *_cycle(_WEEKDAY, 0, 7),
    Lookup("weekend", "weekend", _WEEKDAY, {day: float(day >= 5) for day in range(7)}, rule="1 if weekday is 5 or 6"),
    _MONTH,
    *_cycle(_MONTH, 1, 12),
    Lookup.grouped("season", "season", _MONTH, code_groups.SEASON),
)

_ROAD_AND_WEATHER = (
    _LIGHT,
    _WEATHER,
    Lookup.grouped("weather", "kind of weather", _WEATHER, code_groups.WEATHER),
    _SURFACE,
    Lookup.grouped("surface", "kind of road surface", _SURFACE, code_groups.SURFACE),
    _ROAD,
    Lookup.grouped("road", "kind of road", _ROAD, code_groups.ROAD),
    _BUILT_UP,
    _COLLISION,
    _code("int", "junction"),
    _code("circ", "traffic"),
    _code("nbv", "number of lanes"),
    _code("vosp", "reserved lane"),
    _code("prof", "gradient"),
    _code("plan", "curvature"),
    _code("infra", "infrastructure"),
    _code("situ", "where on the road"),
    _code("vma", "speed limit in km/h"),
    Cross("road_built_up", "road category and built-up area", _ROAD, _BUILT_UP),
    Cross("light_built_up", "light and built-up area", _LIGHT, _BUILT_UP),
    Cross("collision_built_up", "collision and built-up area", _COLLISION, _BUILT_UP),
)

_ALL_VEHICLES, _ALL_PEOPLE = _count(_VEHICLES, "vehicles", "vehicles"), _count(_PEOPLE, "people", "people")
_LIGHTEST = Aggregate("lightest_party", "lightest party", _PEOPLE, Aggregation.MIN, "party")
_HEAVIEST = Aggregate("heaviest_party", "heaviest party", _PEOPLE, Aggregation.MAX, "party")
_PAIR = Cross("parties", "lightest and heaviest party", _LIGHTEST, _HEAVIEST)

_PARTICIPANTS = (
    _ALL_VEHICLES,
    _count(_VEHICLES, "bicycles", "bicycles", kind=Party.BICYCLE),
    _count(_VEHICLES, "personal_devices", "personal mobility devices", kind=Party.PERSONAL_DEVICE),
    _count(_VEHICLES, "mopeds", "mopeds", kind=Party.MOPED),
    _count(_VEHICLES, "light_motorcycles", "motorcycles up to 125 cm3", kind=Party.LIGHT_MOTORCYCLE),
    _count(_VEHICLES, "motorcycles", "motorcycles over 125 cm3", kind=Party.MOTORCYCLE),
    _count(_VEHICLES, "cars", "cars", kind=Party.CAR),
    _count(_VEHICLES, "vans", "vans", kind=Party.VAN),
    _count(_VEHICLES, "buses", "buses", kind=Party.BUS),
    _count(_VEHICLES, "lorries", "lorries", kind=Party.LORRY),
    _any(_PEOPLE, "any_pedestrian", "a pedestrian is involved", catu=_PEDESTRIAN),
    _any(_VEHICLES, "any_cycle", "a bicycle or personal device is involved", kind=CYCLES),
    _any(_VEHICLES, "any_two_wheeler", "a powered two-wheeler is involved", kind=POWERED_TWO_WHEELERS),
    _any(_VEHICLES, "any_heavy", "a heavy vehicle is involved", kind=HEAVY_VEHICLES),
    Aggregate("lightest_vehicle", "lightest vehicle", _VEHICLES, Aggregation.MIN, "kind"),
    Aggregate("heaviest_vehicle", "heaviest vehicle", _VEHICLES, Aggregation.MAX, "kind"),
    _LIGHTEST,
    _HEAVIEST,
    _PAIR,
    Cross("parties_collision", "lightest and heaviest party, and collision", _PAIR, _COLLISION),
    _ALL_PEOPLE,
    Ratio("people_per_vehicle", "people per vehicle", _ALL_PEOPLE, _ALL_VEHICLES),
    _count(_PEOPLE, "drivers", "drivers", catu=_DRIVER),
    _count(_PEOPLE, "passengers", "passengers", catu=_PASSENGER),
    _count(_PEOPLE, "pedestrians", "pedestrians", catu=_PEDESTRIAN),
    _count(_PEOPLE, "car_passengers", "passengers of cars", catu=_PASSENGER, party=Party.CAR),
    _count(_PEOPLE, "motorcyclists", "people on motorcycles over 125 cm3", party=Party.MOTORCYCLE),
    _count(_PEOPLE, "car_occupants", "people in cars", party=Party.CAR),
    _count(_PEOPLE, "lorry_occupants", "people in lorries", party=Party.LORRY),
)

_PEOPLE_DETAILS = (
    _count(_PEOPLE, "women", "women", sexe=_WOMAN),
    _count(_PEOPLE, "women_driving", "women driving", sexe=_WOMAN, catu=_DRIVER),
    _count(_PEOPLE, "women_on_foot", "women on foot", sexe=_WOMAN, catu=_PEDESTRIAN),
    _count(_PEOPLE, "women_on_two_wheelers", "women on powered two-wheelers", sexe=_WOMAN, party=POWERED_TWO_WHEELERS),
    _count(_PEOPLE, "front_passengers", "people in the front passenger seat", place=2),
    _count(_PEOPLE, "children", "people under 14", band=code_groups.CHILDREN),
    _count(_PEOPLE, "youths", "people of 14 to 17", band=code_groups.YOUTHS),
    _count(_PEOPLE, "young_adults", "people of 18 to 24", band=code_groups.YOUNG_ADULTS),
    _count(_PEOPLE, "middle_aged", "people of 45 to 64", band=code_groups.MIDDLE_AGED),
    _count(_PEOPLE, "seniors", "people of 65 and over", band=code_groups.SENIORS),
    _count(_PEOPLE, "aged", "people of 75 and over", band=code_groups.AGED),
    _count(
        _PEOPLE, "senior_pedestrians", "pedestrians of 65 and over", band=code_groups.SENIORS, party=Party.PEDESTRIAN
    ),
    _count(_PEOPLE, "young_in_cars", "people of 18 to 24 in cars", band=code_groups.YOUNG_ADULTS, party=Party.CAR),
    _count(_PEOPLE, "middle_aged_in_cars", "people of 45 to 64 in cars", band=code_groups.MIDDLE_AGED, party=Party.CAR),
    _count(_PEOPLE, "seniors_in_cars", "people of 65 and over in cars", band=code_groups.SENIORS, party=Party.CAR),
    _band(Aggregation.MIN, "band_min", "age band of the youngest"),
    _band(Aggregation.MEAN, "band_mean", "mean age band"),
    _band(Aggregation.MAX, "band_max", "age band of the oldest"),
    _band(Aggregation.MAX, "band_most_vulnerable", "age band of the oldest of the most vulnerable", order_by="frailty"),
    _band(Aggregation.MIN, "band_youngest_driver", "age band of the youngest driver", catu=_DRIVER),
    _band(Aggregation.MAX, "band_oldest_driver", "age band of the oldest driver", catu=_DRIVER),
)  # fmt: skip

_MANOEUVRES_AND_IMPACTS = (
    _of_vehicle(Aggregation.MIN, "manv", "manoeuvre_lightest", "manoeuvre of the lightest vehicle"),
    _of_vehicle(Aggregation.MAX, "manv", "manoeuvre_heaviest", "manoeuvre of the heaviest vehicle"),
    _count(_VEHICLES, "going_straight", "vehicles going straight on", manv=1),
    _count(_VEHICLES, "same_lane", "vehicles in the same lane and direction", manv=2),
    _count(_VEHICLES, "wrong_way", "vehicles on the wrong side", manv=(5, 6)),
    _count(_VEHICLES, "merging", "vehicles merging", manv=9),
    _count(_VEHICLES, "changing_lane", "vehicles changing lane", manv=(11, 12)),
    _count(_VEHICLES, "swerving", "vehicles that swerved", manv=(13, 14)),
    _count(_VEHICLES, "turning_left", "vehicles turning left", manv=15),
    _count(_VEHICLES, "turning_right", "vehicles turning right", manv=16),
    _count(_VEHICLES, "overtaking", "vehicles overtaking", manv=(17, 18)),
    _count(_VEHICLES, "standing", "vehicles parking or standing", manv=(20, 22, 23, 24)),
    _of_vehicle(Aggregation.MIN, "choc", "impact_lightest", "first impact on the lightest vehicle"),
    _of_vehicle(Aggregation.MAX, "choc", "impact_heaviest", "first impact on the heaviest vehicle"),
    _count(_VEHICLES, "hit_in_front", "vehicles hit in front", choc=1),
    _count(_VEHICLES, "hit_at_front_corner", "vehicles hit at a front corner", choc=(2, 3)),
    _count(_VEHICLES, "hit_behind", "vehicles hit behind", choc=(4, 5, 6)),
    _count(_VEHICLES, "hit_at_side", "vehicles hit at the side", choc=(7, 8)),
    _count(_VEHICLES, "two_wheelers_hit_in_front", "powered two-wheelers hit in front",
           choc=1, kind=POWERED_TWO_WHEELERS),
    _count(_VEHICLES, "cars_hit_in_front", "cars hit in front", choc=1, kind=Party.CAR),
    _count(_VEHICLES, "cars_hit_behind", "cars hit behind", choc=(4, 5, 6), kind=Party.CAR),
    _count(_VEHICLES, "cars_hit_at_side", "cars hit at the side", choc=(7, 8), kind=Party.CAR),
    _of_vehicle(Aggregation.MIN, "obs", "obstacle_lightest", "fixed obstacle hit by the lightest vehicle"),
    _count(_VEHICLES, "hit_obstacle", "vehicles that hit a fixed obstacle", obs=range(1, 18)),
    _count(_VEHICLES, "hit_tree", "vehicles that hit a tree", obs=2),
    _count(_VEHICLES, "hit_barrier", "vehicles that hit a barrier", obs=(3, 4, 5)),
    _count(_VEHICLES, "hit_wall", "vehicles that hit a building, wall or parapet", obs=(6, 10)),
    _count(_VEHICLES, "hit_post", "vehicles that hit a post or pole", obs=(7, 8)),
    _count(_VEHICLES, "hit_vehicle", "vehicles that hit a vehicle", obsm=2),
)  # fmt: skip

_POLICE_FORM = (
    _age(Aggregation.MIN, "age_min", "age of the youngest"),
    _age(Aggregation.MEAN, "age_mean", "mean age"),
    _age(Aggregation.MAX, "age_max", "age of the oldest"),
    _age(Aggregation.MAX, "age_most_vulnerable", "age of the oldest of the most vulnerable", order_by="frailty"),
    _age(Aggregation.MIN, "age_youngest_driver", "age of the youngest driver", catu=_DRIVER),
    _age(Aggregation.MAX, "age_oldest_driver", "age of the oldest driver", catu=_DRIVER),
    _count(_PEOPLE, "belted", "people with a belt", secu1=1),
    _count(_PEOPLE, "helmeted", "people with a helmet", secu1=2),
    _count(_PEOPLE, "gloved", "people with gloves besides", secu2=(6, 7)),
    _count(_PEOPLE, "airbag_vests", "riders with an airbag", secu2=(5, 7)),
    _count(_PEOPLE, "unprotected", "people without safety equipment", secu1=0),
    _count(_PEOPLE, "unbelted", "people in cars and vans without safety equipment",
           secu1=0, party=(Party.CAR, Party.VAN)),
    _count(_PEOPLE, "commuting", "people on their way to or from work", trajet=1),
    _count(_PEOPLE, "working", "people on a professional trip", trajet=4),
    _count(_PEOPLE, "leisure", "people on a leisure trip", trajet=5),
    _count(_PEOPLE, "far_from_crossing", "pedestrians on the carriageway, far from a crossing", locp=1),
    _count(_PEOPLE, "on_crossing", "pedestrians on a crossing", locp=(3, 4)),
    _count(_PEOPLE, "crossing", "pedestrians crossing", actp=3),
    _count(_PEOPLE, "accompanied", "pedestrians in company", etatp=(2, 3)),
    _count(_VEHICLES, "electric", "electric vehicles", motor=3),
)  # fmt: skip

FEATURES: tuple[Feature, ...] = (
    *_TIME,
    *_ROAD_AND_WEATHER,
    *_PARTICIPANTS,
    *_PEOPLE_DETAILS,
    *_MANOEUVRES_AND_IMPACTS,
    *_POLICE_FORM,
    *KNOWN,
)
"""Features computed by `compute.compute`, in order."""

PLACE_COLUMNS: tuple[PlaceColumn, ...] = (
    *chain.from_iterable((PlaceColumn.share(cell), PlaceColumn.density(cell)) for cell in CELLS),
    PlaceColumn.position("latitude"),
    PlaceColumn.position("longitude"),
)
"""Columns of `place_encoder.PlaceEncoder`, in order."""

PLACE_COLUMN_NAMES = tuple(column.name for column in PLACE_COLUMNS)
"""Names of the columns of the place encoder."""

CATALOGUE: Mapping[str, Feature] = {feature.name: feature for feature in (*FEATURES, *PLACE_COLUMNS)}
"""All features and place columns, by name."""

if len(CATALOGUE) < len(FEATURES) + len(PLACE_COLUMNS):
    raise ValueError("two features of the catalogue have the same name")


@cache
def feature_names(level: str, geography: bool = True) -> tuple[str, ...]:
    """Names of the columns of a model of `level`, in their order; those of the place encoder last if `geography`."""
    latest = LEVELS.index(level)
    columns = [f.name for f in FEATURES if f.availability <= latest and f not in KNOWN]
    return (*columns, *PLACE_COLUMN_NAMES) if geography else tuple(columns)


@cache
def with_knowledge(columns: tuple[str, ...], knowledge: tuple[str, ...]) -> tuple[str, ...]:
    """Columns of a model and columns of knowledge, the latter before those of the place encoder."""
    features = [name for name in columns if name not in PLACE_COLUMN_NAMES]
    return (*features, *knowledge, *columns[len(features) :])
