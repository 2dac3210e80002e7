"""The catalogue of features: every column that a model can see, its formula, its level and its name for users.

A feature is one row here and nothing else. No feature uses the injuries (`grav`), an identifier, the order of rows, or
whether something that the police form tells is recorded: a person without year of birth counts as 25 to 44 years old
and one without recorded sex as a man, groups that no feature counts, so that a missing value cannot be told from an
ordinary one. (Both are missing for people who fled, which gives the outcome away.) The same holds for safety equipment, trip,
and the pedestrian's place and action. The width of the carriageway, kilometre posts, addresses and minutes of the hour
show how a form was filled in and are left out.
"""

import math
from collections.abc import Iterable

from accidents.columns import LEVELS
from accidents.features import groups
from accidents.features.groups import CYCLES, HEAVY_VEHICLES, POWERED_TWO_WHEELERS, Party
from accidents.features.keys import KEYS
from accidents.features.layout import Over
from accidents.features.specification import Aggregate, Cross, Feature, How, Lookup, Ratio

_DRIVER, _PASSENGER, _PEDESTRIAN, _WOMAN = 1, 2, 3, 2


def _where(conditions: dict[str, Iterable[int] | int]) -> dict[str, frozenset[int]]:
    return {
        name: frozenset({int(codes)} if isinstance(codes, int) else map(int, codes))
        for name, codes in conditions.items()
    }


def _code(name: str, phrase: str) -> Aggregate:
    """A column of the accident as it is."""
    return Aggregate(name, phrase, Over.ACCIDENT, How.MAX, name)


def _count(over: Over, name: str, phrase: str, **conditions: Iterable[int] | int) -> Aggregate:
    return Aggregate(name, phrase, over, How.COUNT, where=_where(conditions))


def _any(over: Over, name: str, phrase: str, **conditions: Iterable[int] | int) -> Aggregate:
    return Aggregate(name, phrase, over, How.ANY, where=_where(conditions))


def _vehicles(name: str, phrase: str, **conditions: Iterable[int] | int) -> Aggregate:
    return _count(Over.VEHICLES, name, phrase, **conditions)


def _people(name: str, phrase: str, **conditions: Iterable[int] | int) -> Aggregate:
    return _count(Over.PEOPLE, name, phrase, **conditions)


def _of(
    over: Over,
    how: How,
    value: str,
    name: str,
    phrase: str,
    by: str | None = None,
    default: float | None = None,
    number: bool = False,
    **conditions: Iterable[int] | int,
) -> Aggregate:
    return Aggregate(name, phrase, over, how, value, by, _where(conditions), default, number)


HOUR, WEEKDAY, MONTH = (
    _code("hour", "hour"),
    _code("weekday", "day of the week"),
    Aggregate("month", "month", Over.ACCIDENT, How.MAX, "mois"),
)
LIGHT = _code("lum", "light")
WEATHER = _code("atm", "weather")
SURFACE = _code("surf", "road surface")
ROAD = _code("catr", "road category")
BUILT = _code("agg", "built-up area")
JUNCTION = _code("int", "junction")
COLLISION = _code("col", "collision")
ACC = (
    HOUR,
    WEEKDAY,
    MONTH,
    LIGHT,
    WEATHER,
    SURFACE,
    ROAD,
    BUILT,
    JUNCTION,
    COLLISION,
    _code("circ", "traffic"),
    _code("nbv", "lanes"),
    _code("vosp", "reserved lane"),
    _code("prof", "gradient"),
    _code("plan", "curvature"),
    _code("infra", "infrastructure"),
    _code("situ", "where on the road"),
    _code("vma", "speed limit"),
)


def cyc(of, n, p):
    return [
        Lookup.computed(
            f"{of.name}_{f.__name__}",
            of.phrase,
            of,
            range(n + 1),
            lambda v: f(2 * math.pi * v / p),
            f"{f.__name__}(2 pi {of.name}/{p})",
        )
        for f in (math.sin, math.cos)
    ]


LOOK = (
    *cyc(HOUR, 23, 24),
    *cyc(WEEKDAY, 6, 7),
    *cyc(MONTH, 12, 12),
    Lookup.computed("weekend", "weekend", WEEKDAY, range(7), lambda d: float(d >= 5), "weekday 5,6"),
    Lookup.grouped("daytime", "time of day", HOUR, groups.DAYTIME),
    Lookup.grouped("season", "season", MONTH, groups.SEASON),
    Lookup.grouped("weather", "weather", WEATHER, groups.WEATHER),
    Lookup.grouped("surface", "road surface", SURFACE, groups.SURFACE),
    Lookup.grouped("road", "road", ROAD, groups.ROAD),
)
V = Over.VEHICLES
P = Over.PEOPLE
VEH = (
    _vehicles("vehicles", "vehicles"),
    *(_vehicles(f"n_{p.name.lower()}", p.words, kind=p) for p in Party if p),
    _any(V, "any_cycle", "a cycle", kind=CYCLES),
    _any(V, "any_ptw", "ptw", kind=POWERED_TWO_WHEELERS),
    _any(V, "any_heavy", "heavy", kind=HEAVY_VEHICLES),
    _of(V, How.MIN, "kind", "lightest_vehicle", "lightest vehicle"),
    _of(V, How.MAX, "kind", "heaviest_vehicle", "heaviest vehicle"),
    _of(V, How.MIN, "manv", "manv_lightest", "manoeuvre of the lightest", by="kind"),
    _of(V, How.MAX, "manv", "manv_heaviest", "manoeuvre of the heaviest", by="kind"),
    _of(V, How.MIN, "choc", "choc_lightest", "impact of the lightest", by="kind"),
    _of(V, How.MAX, "choc", "choc_heaviest", "impact of the heaviest", by="kind"),
    _of(V, How.MAX, "obs", "obs_lightest", "obstacle of the lightest", by="kind"),
    *(
        _vehicles(f"manv_{n}", n, manv=c)
        for n, c in {
            "straight": 1,
            "same_lane": 2,
            "overtaking": (17, 18),
            "turn_left": 15,
            "turn_right": 16,
            "crossing": 19,
            "swerve": (13, 14),
            "wrong_way": (5, 6),
            "lane_change": (11, 12),
            "standing": (20, 22, 23, 24),
            "reversing": 4,
            "between": 3,
            "merge": 9,
            "uturn": 10,
            "avoid": 21,
        }.items()
    ),
    *(
        _vehicles(f"ptw_{n}", n, manv=c, kind=POWERED_TWO_WHEELERS)
        for n, c in {"straight": 1, "overtaking": (17, 18), "between": 3, "swerve": (13, 14)}.items()
    ),
    *(
        _vehicles(f"obs_{n}", n, obs=c)
        for n, c in {
            "any": range(1, 18),
            "tree": 2,
            "barrier": (3, 4, 5),
            "wall": (6, 10),
            "post": (7, 8),
            "ditch": (13, 17),
            "parked": 1,
            "kerb": (9, 11, 12),
            "left_road": 16,
            "other": (14, 15),
        }.items()
    ),
    *(
        _vehicles(f"obsm_{n}", n, obsm=c)
        for n, c in {"pedestrian": 1, "vehicle": 2, "animal": (5, 6), "other": 9}.items()
    ),
    *(
        _vehicles(f"choc_{n}", n, choc=c)
        for n, c in {
            "front": 1,
            "frontside": (2, 3),
            "rear": (4, 5, 6),
            "side": (7, 8),
            "several": 9,
            "none": 0,
        }.items()
    ),
    _vehicles("ptw_none", "ptw no impact", kind=POWERED_TWO_WHEELERS, choc=0),
    _vehicles("ptw_front", "ptw", kind=POWERED_TWO_WHEELERS, choc=1),
    _vehicles("car_front", "", kind=Party.CAR, choc=1),
    _vehicles("car_side", "", kind=Party.CAR, choc=(7, 8)),
    _vehicles("car_rear", "", kind=Party.CAR, choc=(4, 5, 6)),
    _vehicles("electric", "electric", motor=3),
    _vehicles("hybrid", "hybrid", motor=2),
)
BAND = {
    "children": groups.CHILDREN,
    "youths": groups.YOUTHS,
    "young": groups.YOUNG_ADULTS,
    "middle": groups.MIDDLE_AGED,
    "seniors": groups.SENIORS,
    "aged": groups.AGED,
}
PTY = {"pedestrian": (0,), "cycle": CYCLES, "ptw": POWERED_TWO_WHEELERS, "car": (Party.CAR, Party.VAN)}
PEO = (
    _people("people", "people"),
    _people("drivers", "drivers", catu=1),
    _people("passengers", "passengers", catu=2),
    _people("pedestrians", "pedestrians", catu=3),
    _people("women", "women", sexe=2),
    _people("women_drivers", "", sexe=2, catu=1),
    _people("women_ped", "", sexe=2, catu=3),
    _people("women_ptw", "", sexe=2, party=POWERED_TWO_WHEELERS),
    _people("women_cycle", "", sexe=2, party=CYCLES),
    _people("women_car", "", sexe=2, party=Party.CAR),
    *(
        _people(f"in_{p.name.lower()}", "people in " + p.words, vehicle=p, catu=(1, 2))
        for p in (
            Party.BICYCLE,
            Party.PERSONAL_DEVICE,
            Party.MOPED,
            Party.LIGHT_MOTORCYCLE,
            Party.MOTORCYCLE,
            Party.CAR,
            Party.VAN,
            Party.BUS,
            Party.LORRY,
        )
    ),
    *(_people(f"{b}", "", band=c) for b, c in BAND.items()),
    *(_people(f"{k}_{b}", "", band=c, party=p) for b, c in BAND.items() for k, p in PTY.items()),
    _people("pass_ptw", "", catu=2, party=POWERED_TWO_WHEELERS),
    _people("pass_car", "", catu=2, party=Party.CAR),
    _people("front_pass", "", place=2),
    _people("rear_pass", "", place=(3, 4, 5, 7, 8, 9)),
    *(
        _people(f"ped_hit_{n}", "", catu=3, vehicle=v)
        for n, v in {"cycle": CYCLES, "ptw": POWERED_TWO_WHEELERS, "heavy": HEAVY_VEHICLES, "car": 7, "van": 8}.items()
    ),
    _of(P, How.MIN, "party", "lightest", "lightest party"),
    _of(P, How.MAX, "party", "heaviest", "heaviest party"),
    _of(P, How.MIN, "band", "band_min", "", number=True),
    _of(P, How.MAX, "band", "band_max", "", number=True),
    _of(P, How.MEAN, "band", "band_mean", "", number=True),
    _of(P, How.MAX, "band", "band_frail", "", by="frailty", number=True),
    _of(P, How.MAX, "band", "band_driver", "", catu=1, number=True),
    _of(P, How.MIN, "band", "band_driver_min", "", catu=1, number=True),
    _of(P, How.MIN, "age", "age_min", "", default=groups.REFERENCE_AGE),
    _of(P, How.MAX, "age", "age_max", "", default=groups.REFERENCE_AGE),
    _of(P, How.MEAN, "age", "age_mean", "", default=groups.REFERENCE_AGE),
    _of(P, How.MAX, "age", "age_frail", "", by="frailty", default=groups.REFERENCE_AGE),
    _of(P, How.MIN, "age", "age_driver", "", catu=1, default=groups.REFERENCE_AGE),
    _of(P, How.MAX, "age", "age_driver_max", "", catu=1, default=groups.REFERENCE_AGE),
    _people("helmet", "", secu1=2),
    _people("belt", "", secu1=1),
    _people("none", "", secu1=0),
    _people("car_none", "", secu1=0, party=(7, 8)),
    _people("ptw_none_p", "", secu1=0, party=POWERED_TWO_WHEELERS),
    _people("cycle_none", "", secu1=0, party=CYCLES),
    _people("gloves", "", secu2=(6, 7)),
    _people("airbag", "", secu1=5),
    _people("vest", "", secu1=4),
    _people("childseat", "", secu1=3),
    _people("gloves1", "", secu1=(6, 7)),
    _people("gloves3", "", secu3=(6, 7)),
    _people("ab2", "", secu2=5),
    _people("ab3", "", secu3=5),
    *(_people(f"trajet_{n}", "", trajet=n) for n in (1, 4, 5)),
    *(_people(f"locp_{n}", "", locp=n) for n in (1, 2, 3, 4, 5, 6)),
    *(_people(f"actp_{n}", "", actp=n) for n in (1, 2, 3, 4, 5)),
    _people("etatp", "", etatp=(2, 3)),
)
D = {f.name: f for f in (*ACC, *LOOK, *VEH, *PEO)}
COMB = (
    Cross("pair", "vehicle pair", D["lightest"], D["heaviest"]),
    Ratio("people_per_vehicle", "", D["people"], D["vehicles"]),
)
COMB = (
    *COMB,
    Cross("pair_col", "", COMB[0], COLLISION),
    Cross("road_built", "", ROAD, BUILT),
    Cross("light_built", "", LIGHT, BUILT),
    Cross("col_built", "", COLLISION, BUILT),
)
FEATURES = (*ACC, *LOOK, *VEH, *PEO, *COMB)

ENCODED = tuple(f"te_{key.removeprefix('key_')}" for key in KEYS)
COORDINATES = ("lat", "long")


def key_names() -> list[str]:
    """Names of the geography keys in the feature frame, the inputs of the encoder."""
    return list(KEYS)


def names(level: str, geography: bool = True) -> list[str]:
    """Names of the columns that a model of `level` sees, in their order; the encoded places last if `geography`."""
    known = LEVELS.index(level)
    columns = [feature.name for feature in FEATURES if feature.known <= known]
    return [*columns, *ENCODED] if geography else columns
